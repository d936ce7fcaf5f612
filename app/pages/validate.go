package pages

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// Validate holds a text against a contract, in the browser alone.
type Validate struct {
	app.Compo

	kind    contracts.Kind // as chosen; empty where the document is recognised
	version int            // as chosen; 0 where the document says it
	text    string         // byte for byte as it was opened, until it is typed in
	file    string         // the name of the file that it comes from
	refused error          // why a file was not opened
	edits   int            // counts the texts that the editor is given

	finding  store.Finding
	checking *store.Checking // of a text that takes long
	share    float64         // of it that is done

	jump      int // counts the places that the editor is sent to
	caret     parts.Mark
	migration *store.Migration
	prepared  bool
	ctx       app.Context // the page's: that of a button ends with the button
}

// Longer texts are checked beside the page; longer ones still are shown without marks, or not at all. In bytes.
const (
	longText   = 64 << 10
	plainText  = 128 << 10
	hiddenText = 2 << 20
)

// OnMount implements app.Mounter.
func (p *Validate) OnMount(ctx app.Context) { p.ctx = ctx }

// OnNav implements app.Navigator.
func (p *Validate) OnNav(ctx app.Context) {
	ctx.Page().SetTitle("Validate · Axiom25")
	if app.IsClient && !p.prepared {
		p.prepared = true
		store.Prepare(ctx, contracts.Kinds(), func(app.Context) {})
	}
}

// OnDismount implements app.Dismounter.
func (p *Validate) OnDismount() { p.stop() }

// Render implements app.Composer.
func (p *Validate) Render() app.UI {
	marks := p.marks()
	return parts.Page("/validate",
		app.Div().Class("title-row").Body(
			app.H1().Class("title").Text("Validate"),
			&parts.Select{Label: "Contract", Options: p.contractOptions(), Chosen: 1 + slices.Index(contracts.Kinds(), p.kind), OnChoose: p.chooseContract},
			&parts.Select{Label: "Version", Options: p.versionOptions(), Chosen: 1 + slices.Index(p.versions(), p.version), OnChoose: p.chooseVersion},
		),
		&parts.FileDrop{OnFile: p.open, Body: []app.UI{
			app.Section().Class("panel").Aria("label", "Document").Body(
				app.Div().Class("panel-bar").Body(
					app.H2().Class("panel-title").Text(orElse(p.file, "Document")),
					app.Span().Class("panel-hint").Text("checked here, by the server's own code; nothing is sent"),
					app.Div().Class("panel-tools").Body(
						&parts.FileButton{Label: "Open a file", Accept: ".json,.ndjson,.jsonl,.txt", OnFile: p.open},
						app.If(p.text != "", func() app.UI {
							return app.Button().Class("button", "button-quiet").Type("button").Text("Clear").OnClick(p.clear)
						}),
					),
				),
				p.editor(marks),
				app.Div().Class("editor-foot").Body(
					app.Span().Class("verdict-line", "verdict-line-"+p.readiness()).Role("status").Text(p.words()),
					p.problemTools(),
				),
				p.hint(),
				&parts.MarkList{Marks: marks, Truncated: p.truncated(), OnGo: p.onGo(), OnFix: p.onFix()},
			),
		}},
		p.streamPanel(),
		p.migrationPanel(),
	)
}

func (p *Validate) editor(marks []parts.Mark) app.UI {
	if len(p.text) > hiddenText {
		return app.P().Class("quiet", "panel-words").Text(fmt.Sprintf(
			"%s, too long to be shown here. It is checked as it is.", parts.Bytes(int64(len(p.text)))))
	}
	plain := len(p.text) > plainText
	if plain {
		marks = nil
	}
	return &parts.Editor{
		Label: "Document to check", Text: p.text, Version: p.edits, Marks: marks, Plain: plain,
		Placeholder: "Paste a document or drop a file: any contract, or a run's events, one a line.",
		Jump:        p.jump, Caret: p.caret, OnChange: p.typed,
	}
}

// problemTools are what can be done with what was found.
func (p *Validate) problemTools() app.UI {
	j := p.finding.Judgement
	return app.Div().Class("actions").Body(
		app.If(p.finding.Migratable() && p.migration == nil, func() app.UI {
			return app.Button().Class("button").Type("button").Text(fmt.Sprintf("Migrate to version %d", contracts.Version)).OnClick(p.migrate)
		}),
		app.If(j.Problem != nil, func() app.UI {
			return app.A().Class("button", "button-quiet").Href(problemHref(j.Problem)).Text("What this means")
		}),
		app.If(j.Problem != nil || p.finding.Stream != nil && p.finding.Stream.Wrong > 0, func() app.UI {
			return &parts.CopyButton{Label: "Copy as JSON", Name: "Copy the problems as JSON", Class: "button", Make: p.problemsJSON}
		}),
	)
}

// problemHref is where the reference explains a problem's type.
func problemHref(problem *contracts.Problem) string {
	return "/reference/problems#" + strings.TrimPrefix(problem.Type, "/problems/")
}

// problemsJSON is what POST /validate/{contract} answers; for a stream, a line for each wrong one.
func (p *Validate) problemsJSON() string {
	if j := p.finding.Judgement; j.Problem != nil {
		return encoded(j.Problem)
	}
	var b strings.Builder
	for _, line := range p.finding.Stream.Lines {
		fmt.Fprintf(&b, "{\"line\":%d,\"problem\":%s}\n", line.Number, encoded(line.Problem))
	}
	return b.String()
}

func encoded(problem *contracts.Problem) string {
	document, err := contracts.Encode(problem)
	if err != nil {
		return err.Error()
	}
	return string(document)
}

// hint says what else there is to know, and offers what helps.
func (p *Validate) hint() app.UI {
	words, action, do := "", "", app.EventHandler(nil)
	switch f := p.finding; {
	case p.refused != nil:
		words = upperFirst(p.refused.Error()) + "."
	case p.checking != nil || f.Stream != nil:
	case len(p.text) > contracts.MaxDocumentBytes:
		words = fmt.Sprintf("A document may have 1 MiB, %d bytes; this one has %d.", contracts.MaxDocumentBytes, len(p.text))
	case p.version != 0 && f.Version != int64(p.version) && p.canSetVersion():
		words = fmt.Sprintf("You chose version %d, and the document names %s: it is held against what it names.", p.version, named(f.Version))
		action, do = fmt.Sprintf("Write version %d into it", p.version), p.writeVersion
	case f.Judgement.Valid && f.Version != 0 && f.Version < contracts.Version:
		words = fmt.Sprintf("Version %d is still read; version %d is the current one.", f.Version, contracts.Version)
	}
	if words == "" {
		return app.P()
	}
	return app.P().Class("quiet", "panel-words").Body(
		app.Text(words+" "),
		app.If(action != "", func() app.UI {
			return app.Button().Class("button-inline").Type("button").Text(action).OnClick(do)
		}),
	)
}

func named(version int64) string {
	if version == 0 {
		return "none"
	}
	return strconv.FormatInt(version, 10)
}

// The choices.

func (p *Validate) contractOptions() []string {
	recognised := "Recognised"
	if p.kind == "" && p.finding.Kind != "" {
		recognised = "Recognised: " + contractName(p.finding.Kind)
	}
	options := []string{recognised}
	for _, k := range contracts.Kinds() {
		options = append(options, contractName(k))
	}
	return options
}

func (p *Validate) versionOptions() []string {
	says := "As it says"
	if p.finding.Version != 0 {
		says = fmt.Sprintf("As it says: %d", p.finding.Version)
	}
	options := []string{says}
	for _, v := range p.versions() {
		options = append(options, fmt.Sprintf("Version %d", v))
	}
	return options
}

// versions are those of the contract that the text is held against, or of all where there is none yet.
func (p *Validate) versions() []int {
	return contracts.SchemaVersions(cmp.Or(p.kind, p.finding.Kind, contracts.KindTaskSpec))
}

func (p *Validate) chooseContract(_ app.Context, i int) {
	p.kind = ""
	if i > 0 {
		p.kind = contracts.Kinds()[i-1]
	}
	p.version = 0
	p.check()
}

func (p *Validate) chooseVersion(_ app.Context, i int) {
	p.version = 0
	if i > 0 {
		p.version = p.versions()[i-1]
	}
}

// contractName is a contract's name as the documentation writes it.
func contractName(k contracts.Kind) string {
	switch k {
	case contracts.KindBudget:
		return "Budget"
	case contracts.KindVerifyContract:
		return "VerifyContract"
	case contracts.KindToolSpec:
		return "ToolSpec"
	case contracts.KindRunEvent:
		return "RunEvent"
	case contracts.KindTaskSpec:
	}
	return "TaskSpec"
}
