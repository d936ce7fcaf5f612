package browser

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	validatorModule = "github.com/go-playground/validator/v10"

	// validatorReplacement is where the build finds the validator, as replacement is for go-app.
	validatorReplacement = "./web/build/browser/validator"

	// rulesFile is where the contracts say which of the validator's rules they use.
	rulesFile = "contracts/rules.go"
)

// ErrValidator is what errors wrap that come from a validator which is not as this package knows it.
var ErrValidator = errors.New("the validator has changed: see docs/decisions/0017-the-rules-that-are-used.md")

// usedRules returns the tags of the validator's own rules that the contracts use: those of the table whose rows say builtin.
func usedRules(file string) (map[string]bool, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read the table of rules: %w", err)
	}
	used := make(map[string]bool)
	ast.Inspect(parsed, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		tag, builtin := "", false
		for _, e := range row.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch key, _ := pair.Key.(*ast.Ident); {
			case key == nil:
			case key.Name == "tag":
				tag = literal(pair.Value)
			case key.Name == "builtin":
				value, _ := pair.Value.(*ast.Ident)
				builtin = value != nil && value.Name == "true"
			}
		}
		if builtin && tag != "" {
			used[tag] = true
		}
		return true
	})
	if len(used) == 0 {
		return nil, fmt.Errorf("%s names no rule of the validator's", file)
	}
	return used, nil
}

// literal returns the text of a string literal, or an empty one.
func literal(e ast.Expr) string {
	if l, ok := e.(*ast.BasicLit); ok {
		if text, err := strconv.Unquote(l.Value); err == nil {
			return text
		}
	}
	return ""
}

// usedValidator returns the validator's files by their paths in the module, those that change written to dir: of its own rules only
// the used ones stay, and with the others goes what they alone need (file types, languages, host names, postal codes, expressions).
func usedValidator(module, dir string, used map[string]bool) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(module, "*.go"))
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	files := map[string]string{"go.mod": filepath.Join(module, "go.mod")}
	parsed := make(map[string]*ast.File)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		base := filepath.Base(name)
		files[base] = name
		if parsed[base], err = parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, fmt.Errorf("read the validator: %w", err)
		}
	}
	if missing := keepRules(parsed, used); len(missing) > 0 {
		return nil, fmt.Errorf("%w: it has no rules %q", ErrValidator, missing)
	}
	for base := range shake(parsed) {
		content, err := printed(set, parsed[base])
		if err != nil {
			return nil, fmt.Errorf("write the validator's %s: %w", base, err)
		}
		files[base] = filepath.Join(dir, "validator-"+base)
		if err := os.WriteFile(files[base], content, 0o600); err != nil {
			return nil, fmt.Errorf("write the validator's %s: %w", base, err)
		}
	}
	return files, nil
}

// keepRules takes all rules but the used ones out of the validator's table, and returns those that it lacks.
func keepRules(files map[string]*ast.File, used map[string]bool) (missing []string) {
	left := maps.Clone(used)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || spec.Names[0].Name != "bakedInValidators" || len(spec.Values) != 1 {
				return true
			}
			if table, ok := spec.Values[0].(*ast.CompositeLit); ok {
				table.Elts = slices.DeleteFunc(table.Elts, func(e ast.Expr) bool {
					pair, ok := e.(*ast.KeyValueExpr)
					keep := ok && used[literal(pair.Key)]
					if keep {
						delete(left, literal(pair.Key))
					}
					return !keep
				})
			}
			return false
		})
	}
	return slices.Sorted(maps.Keys(left))
}

// shake removes the functions and variables of a package that nothing needs, and returns the names of the files that changed. What
// is exported, a method, a type or a constant stays, and so does whatever shares a name with something that is needed.
func shake(files map[string]*ast.File) map[string]bool {
	needed := make(map[string]bool)
	var visit func(n ast.Node)
	units := make(map[string][]ast.Node)
	var roots []ast.Node
	for _, f := range files {
		for _, decl := range f.Decls {
			for name, unit := range unitsOf(decl) {
				if name == "" || name == "_" || name == "init" || ast.IsExported(name) {
					roots = append(roots, unit)
				} else {
					units[name] = append(units[name], unit)
				}
			}
		}
	}
	visit = func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || needed[id.Name] {
				return true
			}
			needed[id.Name] = true
			for _, unit := range units[id.Name] {
				visit(unit)
			}
			return true
		})
	}
	for _, root := range roots {
		visit(root)
	}
	unneeded := func(name string) bool { return units[name] != nil && !needed[name] }
	changed := make(map[string]bool)
	for base, f := range files {
		before := countSpecs(f)
		f.Decls = slices.DeleteFunc(f.Decls, func(decl ast.Decl) bool {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				return d.Recv == nil && unneeded(d.Name.Name)
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					return false
				}
				d.Specs = slices.DeleteFunc(d.Specs, func(s ast.Spec) bool {
					v, ok := s.(*ast.ValueSpec)
					return ok && !slices.ContainsFunc(v.Names, func(n *ast.Ident) bool { return !unneeded(n.Name) })
				})
				return len(d.Specs) == 0
			}
			return false
		})
		if changed[base] = countSpecs(f) != before || base == "baked_in.go"; changed[base] {
			dropImports(f)
		} else {
			delete(changed, base)
		}
	}
	return changed
}

// unitsOf returns what of a declaration can go by itself, by its name; what has to stay has an empty one.
func unitsOf(decl ast.Decl) map[string]ast.Node {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return map[string]ast.Node{d.Name.Name: d}
		}
	case *ast.GenDecl:
		if d.Tok != token.VAR {
			break
		}
		units := make(map[string]ast.Node)
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					units[name.Name] = v
				}
			}
		}
		return units
	}
	return map[string]ast.Node{"": decl}
}

func countSpecs(f *ast.File) int {
	n := 0
	for _, decl := range f.Decls {
		n++
		if d, ok := decl.(*ast.GenDecl); ok {
			n += len(d.Specs)
		}
	}
	return n
}

// dropImports removes the imports of packages that a file no longer names.
func dropImports(f *ast.File) {
	named := make(map[string]bool)
	for _, decl := range f.Decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok {
					named[x.Name] = true
				}
			}
			return true
		})
	}
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.IMPORT {
			continue
		}
		d.Specs = slices.DeleteFunc(d.Specs, func(s ast.Spec) bool {
			spec, ok := s.(*ast.ImportSpec)
			if !ok {
				return false
			}
			name := path.Base(literal(spec.Path))
			if spec.Name != nil {
				name = spec.Name.Name
			}
			return !named[name]
		})
	}
	f.Decls = slices.DeleteFunc(f.Decls, func(decl ast.Decl) bool {
		d, ok := decl.(*ast.GenDecl)
		return ok && d.Tok == token.IMPORT && len(d.Specs) == 0
	})
}

// printed returns a file as text, without its comments but for those above the package, which may say when it is built.
func printed(set *token.FileSet, f *ast.File) ([]byte, error) {
	var head []*ast.CommentGroup
	for _, c := range f.Comments {
		if c.End() < f.Package {
			head = append(head, c)
		}
	}
	f.Comments = head
	var out bytes.Buffer
	if err := format.Node(&out, set, f); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
