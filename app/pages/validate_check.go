package pages

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

func (p *Validate) typed(_ app.Context, text string) {
	p.text, p.refused = text, nil
	p.check()
}

// replace gives the editor another text.
func (p *Validate) replace(text string) {
	p.edits++
	p.text, p.refused = text, nil
	p.check()
}

func (p *Validate) clear(app.Context, app.Event) {
	p.file = ""
	p.replace("")
}

func (p *Validate) open(ctx app.Context, file app.Value) {
	name := file.Get("name").String()
	store.ReadFile(ctx, file, func(_ app.Context, text string, err error) {
		if err != nil {
			p.refused = fmt.Errorf("%s: %w", name, err)
			return
		}
		p.file = name
		p.replace(text)
	})
}

// check finds out anew what the text is.
func (p *Validate) check() {
	p.stop()
	p.migration = nil
	if len(p.text) <= longText {
		p.finding = store.Check(p.kind, p.text, nil)
		return
	}
	p.share = 0
	p.checking = store.CheckAside(p.ctx, p.kind, p.text,
		func(_ app.Context, share float64) { p.share = share },
		func(_ app.Context, f store.Finding) { p.finding, p.checking = f, nil },
	)
}

func (p *Validate) stop() {
	if p.checking != nil {
		p.checking.Stop()
		p.checking = nil
	}
}

func (p *Validate) words() string {
	f := p.finding
	switch {
	case p.checking != nil:
		return "Checking, " + strconv.Itoa(int(p.share*100)) + " %"
	case f.Stream != nil:
		return streamWords(f.Stream)
	case f.Kind == "" && strings.TrimSpace(p.text) != "":
		return "The members at the root do not tell the contract: choose it above"
	case f.Judgement.Valid && f.Version != 0:
		return fmt.Sprintf("Valid %s, version %d", contractName(f.Kind), f.Version)
	}
	return judgementWords(f.Judgement, "Valid "+contractName(f.Kind))
}

func streamWords(s *store.Stream) string {
	events := counted(s.Events, "event")
	switch s.Wrong {
	case 0:
		return events + ", each valid"
	case 1:
		return events + ", 1 of them not valid"
	}
	return fmt.Sprintf("%s, %s of them not valid", events, parts.Count(int64(s.Wrong)))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return parts.Count(int64(n)) + " " + what + "s"
}

// readiness is the class that the words are shown in.
func (p *Validate) readiness() string {
	switch s := p.finding.Stream; {
	case p.checking != nil:
		return "blank"
	case s == nil:
		return readiness(p.finding.Judgement)
	case s.Wrong > 0 || s.Failed != nil || s.Broken != nil:
		return "invalid"
	}
	return "valid"
}

// marks are the problems of the document, or of all lines.
func (p *Validate) marks() []parts.Mark {
	switch s := p.finding.Stream; {
	case p.checking != nil:
		return nil
	case s == nil:
		return marksOf(p.finding.Judgement.Places)
	default:
		var marks []parts.Mark
		for _, line := range s.Lines {
			marks = append(marks, marksOf(line.Places)...)
			if len(line.Places) == 0 {
				marks = append(marks, parts.Mark{Line: line.Number, Column: 1, Pointer: "#", Detail: line.Problem.Error()})
			}
		}
		return marks
	}
}

func (p *Validate) truncated() bool {
	s := p.finding.Stream
	return s == nil && truncated(p.finding.Judgement) || s != nil && s.Wrong > len(s.Lines)
}

// onGo leads from a problem to its place, where the text is shown.
func (p *Validate) onGo() func(app.Context, int) {
	if len(p.text) > hiddenText {
		return nil
	}
	return p.goTo
}

func (p *Validate) goTo(_ app.Context, i int) {
	if marks := p.marks(); i < len(marks) {
		p.jump, p.caret = p.jump+1, marks[i]
	}
}

func (p *Validate) onFix() func(app.Context, int) {
	if len(p.text) > hiddenText {
		return nil
	}
	return p.fix
}

// fix puts what was likely meant in the place of what is marked, and leaves the rest as it is.
func (p *Validate) fix(_ app.Context, i int) {
	marks := p.marks()
	if i >= len(marks) {
		return
	}
	m := marks[i]
	guess := document.Quote(m.Guess)
	p.replace(p.text[:m.Start] + guess + p.text[m.End:])
	m.End = m.Start + len(guess)
	p.jump, p.caret = p.jump+1, m
}

// canSetVersion reports whether the chosen version can be written into the document: it is an object that can be read.
func (p *Validate) canSetVersion() bool {
	_, err := p.withVersion()
	return err == nil
}

func (p *Validate) writeVersion(app.Context, app.Event) {
	if text, err := p.withVersion(); err == nil {
		p.replace(text)
	}
}

func (p *Validate) withVersion() (string, error) {
	return document.Read(p.text).Set("/schema_version", strconv.Itoa(p.version))
}

func (p *Validate) migrate(_ app.Context, _ app.Event) {
	migration, err := store.Migrate(p.finding.Kind, p.text)
	if err != nil {
		p.refused = err
		return
	}
	p.migration = migration
}

// migrationPanel shows what a document becomes in the current version.
func (p *Validate) migrationPanel() app.UI {
	if p.migration == nil {
		return app.Div()
	}
	changes := make([]app.UI, 0, len(p.migration.Changes))
	for _, c := range p.migration.Changes {
		changes = append(changes, app.Li().Class("mark-row").Body(
			app.Code().Class("mark-pointer").Text(c.From), app.Text("→"), app.Code().Class("mark-pointer").Text(c.To),
			app.Span().Text(c.Detail),
		))
	}
	return app.Section().Class("panel").Aria("label", "Migration").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Text(fmt.Sprintf("In version %d", contracts.Version)),
			app.Span().Class("panel-hint").Text("both indented alike, so that only what changes shows"),
			app.Div().Class("panel-tools").Body(
				app.Button().Class("button", "button-primary").Type("button").Text("Take it over").OnClick(p.takeOver),
				app.Button().Class("button").Type("button").Text("Download").OnClick(p.download),
				app.Button().Class("button", "button-quiet").Type("button").Text("Close").OnClick(p.closeMigration),
			),
		),
		&parts.Diff{Label: "What the migration changes", Lines: p.migration.Lines},
		app.Ol().Class("mark-list").Aria("label", "Changes").Body(changes...),
	)
}

func (p *Validate) takeOver(app.Context, app.Event) {
	p.version = 0
	p.replace(p.migration.Text)
}

func (p *Validate) download(app.Context, app.Event) {
	name := strings.TrimSuffix(orElse(p.file, string(p.finding.Kind)), ".json")
	store.SaveText(fmt.Sprintf("%s.v%d.json", name, contracts.Version), "application/json", p.migration.Text)
}

func (p *Validate) closeMigration(app.Context, app.Event) { p.migration = nil }
