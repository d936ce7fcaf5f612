package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// pageOf returns the reference page of a contract.
func pageOf(kind contracts.Kind, src source) ([]byte, error) {
	structs, err := contracts.Reference(kind)
	if err != nil {
		return nil, err
	}
	example, err := exampleOf(kind)
	if err != nil {
		return nil, err
	}
	codes, err := contracts.CodesOf(kind)
	if err != nil {
		return nil, err
	}
	p := &page{src: src}
	p.line("# %s", structs[0].Name)
	p.line("<!-- Written by make gen from the structs and their tags. Change those, not this page. -->")
	p.line("%s", src.quoted(structs[0].Name, ""))
	p.line("This is version %d. Its JSON Schema is [`docs%s`](..%[2]s), which a server has at `%[2]s`.", contracts.Version, contracts.SchemaPath(kind))
	p.line("## Example")
	p.line("```json\n%s\n```", example)
	p.line("## Fields")
	p.line("A field is optional unless it is *required*, and may not be `null` unless it is any JSON. An object holds no other " +
		"fields" + reads(kind) + ". Integers lie within ±(2^53−1).")
	for i, s := range structs {
		if err := p.structure(s, i > 0); err != nil {
			return nil, err
		}
	}
	p.codes(kind, codes)
	return p.text.Bytes(), nil
}

// reads is what else the page says of unknown fields.
func reads(kind contracts.Kind) string {
	if kind == contracts.KindRunEvent {
		return " when it is written; those who read ignore fields and types that they do not know"
	}
	return ""
}

// page is a page in Markdown.
type page struct {
	src  source
	text bytes.Buffer
}

// line writes a paragraph.
func (p *page) line(format string, args ...any) {
	if p.text.Len() > 0 {
		p.text.WriteByte('\n')
	}
	fmt.Fprintf(&p.text, format+"\n", args...)
}

// structure writes the table of a struct and its rules.
func (p *page) structure(s contracts.StructReference, explain bool) error {
	p.line("### %s", s.Name)
	if text := p.src.quoted(s.Name, ""); text != "" && explain {
		p.line("%s", text)
	}
	presets, err := presetsOf(s)
	if err != nil {
		return err
	}
	head := "default"
	if s.Name == "Budget" {
		head = "tight / balanced / max"
	}
	p.line("| field | type | rule | %s | meaning |\n|---|---|---|---|---|", head)
	for _, f := range s.Fields {
		rules := f.Rules
		if f.Required {
			rules = slices.Concat([]string{"*required*"}, rules)
		}
		kind := f.Type
		if f.Struct != "" {
			kind = strings.Replace(kind, f.Struct, "["+f.Struct+"](#"+strings.ToLower(f.Struct)+")", 1)
		}
		fmt.Fprintf(&p.text, "| `%s` | %s | %s | %s | %s |\n", f.Name, kind, cell(strings.Join(rules, "; ")), presets[f.Name],
			cell(p.src.quoted(f.Owner, f.GoName)))
	}
	if len(s.Between) > 0 {
		p.line("Rules between fields:\n")
		for _, rule := range s.Between {
			fmt.Fprintf(&p.text, "- %s\n", rule)
		}
	}
	return nil
}

// cell returns a text as it may stand in a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// presetsOf returns what absent fields become: a default, or for a budget what the profiles say.
func presetsOf(s contracts.StructReference) (map[string]string, error) {
	presets := make(map[string]string)
	for _, f := range s.Fields {
		if f.Default != "" {
			presets[f.Name] = "`" + f.Default + "`"
		}
	}
	if s.Name != "Budget" {
		return presets, nil
	}
	for _, profile := range []contracts.Profile{contracts.ProfileTight, contracts.ProfileBalanced, contracts.ProfileMax} {
		var limits map[string]any
		dec := json.NewDecoder(bytes.NewReader(contractstest.Document(contracts.ProfileLimits(profile))))
		dec.UseNumber()
		if err := dec.Decode(&limits); err != nil {
			return nil, err
		}
		for _, f := range s.Fields {
			limit, ok := limits[f.Name]
			if !ok {
				continue
			}
			if presets[f.Name] != "" {
				presets[f.Name] += " / "
			}
			presets[f.Name] += fmt.Sprint(limit)
		}
	}
	return presets, nil
}

// codes writes what can be wrong in a document.
func (p *page) codes(kind contracts.Kind, codes []contracts.CodeInfo) {
	why := make(map[contracts.Code]string)
	for _, r := range contracts.UnsaidRules() {
		if kind == contracts.KindRunEvent || r.Code != contracts.CodeUnknownField { // which the others' schemas say
			why[r.Code] = r.Why
		}
	}
	p.line("## Problems")
	p.line("What can be wrong in a document. Where the last column is not empty the JSON Schema does not say the rule, or not all " +
		"of it, so that only a server, the console or `axiom25 validate` finds the problem.")
	p.line("| code | detail | why the schema does not say it |\n|---|---|---|")
	for _, info := range codes {
		fmt.Fprintf(&p.text, "| `%s` | %s | %s |\n", info.Code, cell(info.Detail), why[info.Code])
	}
}

// exampleOf returns a valid document: for a RunEvent, one event of each type, one a line.
func exampleOf(kind contracts.Kind) ([]byte, error) {
	var v any
	switch kind {
	case contracts.KindTaskSpec:
		v = contractstest.TaskSpec()
	case contracts.KindBudget:
		v = contracts.Budget{SchemaVersion: contracts.Version, MaxTokens: new(int64(50_000)), ReflectionPasses: new(int64(1))}
	case contracts.KindVerifyContract:
		v = contractstest.VerifyContract(func(c *contracts.VerifyContract) { c.SchemaVersion = contracts.Version })
	case contracts.KindToolSpec:
		v = contractstest.ToolSpec()
	case contracts.KindRunEvent:
		return eventExamples(), nil
	}
	compact, err := contracts.Encode(v)
	if err != nil {
		return nil, err
	}
	if err := contracts.Validate(kind, compact); err != nil {
		return nil, fmt.Errorf("the example of %s: %w", kind, err)
	}
	var indented bytes.Buffer
	err = json.Indent(&indented, compact, "", "  ")
	return indented.Bytes(), err
}

// eventExamples returns the first event of each type that the built runs have.
func eventExamples() []byte {
	var lines [][]byte
	seen := make(map[contracts.EventType]bool)
	for _, run := range contractstest.Runs() {
		for _, ev := range run.Events {
			if !seen[ev.Type] {
				seen[ev.Type] = true
				lines = append(lines, contractstest.Document(ev))
			}
		}
	}
	return bytes.Join(lines, []byte{'\n'})
}
