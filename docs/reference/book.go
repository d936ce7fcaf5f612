package reference

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/docs"
	"axiom25/docs/handbook"
	"axiom25/server/apidoc"
)

// Book returns the reference as data, for the console, from the source below root. It says what the pages and the OpenAPI
// document say.
func Book(root string) (*handbook.Book, error) {
	src, err := readSource(filepath.Join(root, "contracts"))
	if err != nil {
		return nil, err
	}
	var book handbook.Book
	codes := make(map[contracts.Code][]string)
	for _, kind := range contracts.Kinds() {
		c, err := contractOf(kind, src)
		if err != nil {
			return nil, err
		}
		book.Contracts = append(book.Contracts, c)
		infos, err := contracts.CodesOf(kind)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			codes[info.Code] = append(codes[info.Code], string(kind))
		}
	}
	for _, info := range contracts.Codes() {
		book.Codes = append(book.Codes, handbook.Code{
			Code: string(info.Code), Detail: info.Detail, Contracts: codes[info.Code], Unsaid: unsaid(info.Code),
		})
	}
	for _, info := range contracts.ProblemTypes() {
		p, err := problemOf(info)
		if err != nil {
			return nil, err
		}
		book.Problems = append(book.Problems, p)
	}
	model, err := os.ReadFile(filepath.Join(root, "docs", "api", "event_model.md")) //nolint:gosec // a page of the repository
	if err != nil {
		return nil, err
	}
	if book.Events, book.Invariants, err = eventModel(string(model)); err != nil {
		return nil, err
	}
	book.Groups, book.Routes, err = apidoc.Handbook()
	return &book, err
}

func unsaid(code contracts.Code) string {
	for _, r := range contracts.UnsaidRules() {
		if r.Code == code {
			return r.Why
		}
	}
	return ""
}

// contractOf is pageOf as data.
func contractOf(kind contracts.Kind, src source) (handbook.Contract, error) {
	structs, err := contracts.Reference(kind)
	if err != nil {
		return handbook.Contract{}, err
	}
	example, err := exampleOf(kind)
	if err != nil {
		return handbook.Contract{}, err
	}
	c := handbook.Contract{Kind: string(kind), Name: structs[0].Name, Versions: contracts.SchemaVersions(kind), Example: string(example)}
	places := pointersOf(structs)
	for _, s := range structs {
		presets, err := presetsOf(s)
		if err != nil {
			return c, err
		}
		shown := handbook.Struct{Name: s.Name, Meaning: src.quoted(s.Name, ""), Between: s.Between}
		for _, f := range s.Fields {
			field := handbook.Field{
				Name: f.Name, Type: f.Type, Struct: f.Struct, Rules: slices.Clone(f.Rules), Default: strings.ReplaceAll(presets[f.Name], "`", ""),
				Meaning: src.quoted(f.Owner, f.GoName),
			}
			if f.Required {
				field.Rules = slices.Insert(field.Rules, 0, "required")
			}
			for _, place := range places[s.Name] {
				field.Pointers = append(field.Pointers, place+"/"+f.Name)
			}
			shown.Fields = append(shown.Fields, field)
		}
		c.Structs = append(c.Structs, shown)
	}
	return c, nil
}

// pointersOf returns where each struct of a contract can stand. The first is the document; those that none of its fields mention
// are the bodies of events.
func pointersOf(structs []contracts.StructReference) map[string][]string {
	fields := make(map[string][]contracts.FieldReference)
	for _, s := range structs {
		fields[s.Name] = s.Fields
	}
	places := make(map[string][]string)
	var walk func(name, at string)
	walk = func(name, at string) {
		if slices.Contains(places[name], at) {
			return
		}
		places[name] = append(places[name], at)
		for _, f := range fields[name] {
			if f.Struct == "" {
				continue
			}
			below := at + "/" + f.Name
			if f.Type != f.Struct {
				below += "/*"
			}
			walk(f.Struct, below)
		}
	}
	walk(structs[0].Name, "#")
	for _, s := range structs {
		if places[s.Name] == nil {
			walk(s.Name, "#/data")
		}
	}
	return places
}

// problemOf reads the section of problems.md about a type.
func problemOf(info contracts.ProblemInfo) (handbook.Problem, error) {
	p := handbook.Problem{Type: string(info.Type), Title: info.Title, Status: info.Status}
	section, ok := docs.Problem(p.Type)
	_, section, _ = strings.Cut(section, "\n")
	meaning, rest, hasExample := strings.Cut(section, "```json\n")
	example, rest, _ := strings.Cut(rest, "\n```")
	_, advice, hasAdvice := strings.Cut(rest, "**What to do.** ")
	if !ok || !hasExample || !hasAdvice {
		return p, fmt.Errorf("problems.md says nothing of %s, shows no example or gives no advice", p.Type)
	}
	advice, _, _ = strings.Cut(advice, "\n\n## ")
	p.Meaning, p.Example, p.Advice = flowing(meaning), example, flowing(advice)
	return p, nil
}

var (
	eventRow  = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (.*) \\| (.*) \\|$")
	invariant = regexp.MustCompile(`(?m)^(\d+)\. (.*(?:\n    .*)*)`)
)

// eventModel reads the types of events and the invariants from event_model.md.
func eventModel(page string) (events []handbook.Event, invariants []string, err error) {
	for _, row := range eventRow.FindAllStringSubmatch(page, -1) {
		events = append(events, handbook.Event{Type: row[1], Writer: row[2], Says: row[3], Struct: camel(row[1]) + "Data"})
	}
	_, section, _ := strings.Cut(page, "\n## Invariants\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for i, m := range invariant.FindAllStringSubmatch(section, -1) {
		if m[1] != fmt.Sprint(i+1) {
			return nil, nil, fmt.Errorf("event_model.md numbers invariant %d with %s", i+1, m[1])
		}
		invariants = append(invariants, flowing(m[2]))
	}
	return events, invariants, nil
}

// camel is a name of a type of events as Go has it: ToolStart for tool_start.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// flowing is a text of Markdown on one line a paragraph.
func flowing(text string) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(p), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}
