package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"axiom25/contracts"
)

// source holds the comments of the structs of a package, by their names in Go.
type source map[string]*commented

// commented is a struct with its comments.
type commented struct {
	text   string
	fields map[string]string
	// names are the fields' names in documents, by those in Go.
	names map[string]string
}

// readSource reads the package in a folder, without its tests.
func readSource(folder string) (source, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	src := make(source)
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read the comments: %w", err)
		}
		for _, decl := range file.Decls {
			if types, ok := decl.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				src.add(types)
			}
		}
	}
	return src, nil
}

// frozen returns the comments of a version's structs. Those of an older version stand in a folder of their own; what that
// lacks, such as the parts of a check's value, is shared with the current one.
func (src source) frozen(root string, version int) (source, error) {
	if version == contracts.Version {
		return src, nil
	}
	all := maps.Clone(src)
	older, err := readSource(filepath.Join(root, "contracts", "v"+strconv.Itoa(version)))
	maps.Copy(all, older)
	return all, err
}

// add notes the structs that a declaration declares.
func (src source) add(types *ast.GenDecl) {
	for _, spec := range types.Specs {
		named, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		fields, ok := named.Type.(*ast.StructType)
		if !ok {
			continue
		}
		doc := named.Doc
		if doc == nil {
			doc = types.Doc
		}
		c := &commented{text: oneLine(doc), fields: make(map[string]string), names: make(map[string]string)}
		before := ""
		for _, f := range fields.Fields.List {
			text := oneLine(f.Doc)
			for _, name := range f.Names {
				if text == "" && names(before, name.Name) {
					text = before // a comment that names the next field too is about both
				}
				c.fields[name.Name] = text
				c.names[name.Name] = jsonName(f.Tag)
			}
			before = text
		}
		src[named.Name.Name] = c
	}
}

// names reports whether a comment is about a name.
func names(comment, name string) bool {
	return regexp.MustCompile(`\b` + name + `\b`).MatchString(comment)
}

// oneLine returns a comment's text.
func oneLine(comment *ast.CommentGroup) string {
	return strings.Join(strings.Fields(comment.Text()), " ")
}

// jsonName returns the name that a field has in documents.
func jsonName(tag *ast.BasicLit) string {
	if tag == nil {
		return ""
	}
	text, err := strconv.Unquote(tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(text).Get("json"), ",")
	return name
}

// plain is a contracts.Describe that names fields as documents do.
func (src source) plain(structName, field string) string {
	return src.text(structName, field, func(name string) string { return name })
}

// quoted is plain in Markdown.
func (src source) quoted(structName, field string) string {
	return src.text(structName, field, func(name string) string { return "`" + name + "`" })
}

// text returns the comment of a struct or a field. Names of fields are shown as documents have them.
func (src source) text(structName, field string, show func(name string) string) string {
	c := src[structName]
	if c == nil {
		return ""
	}
	if field == "" {
		return c.text
	}
	text := c.fields[field]
	if text == "" && structName == "Limits" { // whose comment refers to that of Budget
		return src.text("Budget", field, show)
	}
	return c.rename(text, show)
}

// word finds what may be the name of a field.
var word = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]*\b`)

// rename shows the names of fields as documents have them. The first word of a sentence is taken for a name at the
// beginning of the comment only: later it may be a word like any other.
func (c *commented) rename(text string, show func(name string) string) string {
	var b strings.Builder
	end := 0
	for _, at := range word.FindAllStringIndex(text, -1) {
		name := c.names[text[at[0]:at[1]]]
		if name == "" || strings.HasSuffix(text[:at[0]], ". ") {
			continue
		}
		b.WriteString(text[end:at[0]])
		b.WriteString(show(name))
		end = at[1]
	}
	return b.String() + text[end:]
}
