package pages

import (
	"fmt"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// tool is one version in detail.
func (p *Catalog) tool(entry *contracts.ToolEntry, highest bool) app.UI {
	s := &entry.Spec
	hint := s.Version
	if highest {
		hint += ", the highest version: what the bare name means"
	}
	return app.Section().Class("panel").Aria("labelledby", "tool").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").ID("tool").TabIndex(-1).Text(s.Name),
			app.Span().Class("panel-hint").Text(hint),
			app.Div().Class("panel-tools").Body(
				&parts.CopyButton{Label: "Copy", Name: "Copy the ToolSpec as JSON", Class: "button", Text: specText(s)},
				app.If(s.Trust != contracts.TrustBuiltin, func() app.UI {
					return app.Button().Class("button").Type("button").Text("Edit").OnClick(p.openEdit)
				}),
				app.If(s.Trust != contracts.TrustBuiltin && p.deleting == "", func() app.UI {
					return app.Button().Class("button", "button-danger").Type("button").Text("Delete").OnClick(p.askDelete)
				}),
				app.A().Class("button", "button-quiet").Href("/catalog").Text("Close"),
			),
		),
		p.deletion(),
		app.P().Class("panel-words").Text(s.Description),
		app.Dl().Class("facts").Body(specFacts(entry)...),
		&parts.Fold{Key: "input " + string(entry.Digest), Title: "Input schema", Note: "what the arguments have to be", Body: schema(s.InputSchema)},
		app.If(len(s.OutputSchema) > 0, func() app.UI {
			return &parts.Fold{Key: "output " + string(entry.Digest), Title: "Output schema", Note: "what a result has to be", Body: schema(s.OutputSchema)}
		}),
		&parts.Fold{Key: "all " + string(entry.Digest), Title: "ToolSpec", Note: "all of it, as JSON", Body: func() app.UI {
			return code(specText(s))
		}},
	)
}

func schema(document []byte) func() app.UI {
	return func() app.UI { return code(parts.IndentedJSON(document)) }
}

func code(text string) app.UI {
	return app.Pre().Class("code", "code-whole").TabIndex(0).Text(text)
}

// specText is a definition for reading, every member spelled out.
func specText(s *contracts.ToolSpec) string {
	document, err := contracts.Encode(s)
	if err != nil {
		return err.Error()
	}
	return string(contracts.Readable(document))
}

// specFacts are what a definition says beside its schemas.
func specFacts(entry *contracts.ToolEntry) []app.UI {
	s := &entry.Spec
	var rows []app.UI
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, app.Dt().Text(name), app.Dd().Text(value))
		}
	}
	add("digest", string(entry.Digest))
	add("effect", string(s.Effect))
	add("trust", string(s.Trust))
	add("approval", string(s.Approval))
	add("transport", strings.TrimSpace(string(s.Transport.Type)+" "+s.Transport.URL))
	add("limits", fmt.Sprintf("%s an attempt, %s, output cut at %s",
		parts.Duration(s.Limits.TimeoutMS), counted(int(s.Limits.MaxAttempts), "attempt"), parts.Bytes(s.Limits.MaxResultBytes)))
	add("hints", hintWords(s))
	add("auth", strings.Join(strings.Fields(strings.Join([]string{string(s.Auth.Type), s.Auth.In, s.Auth.Name, s.Auth.Issuer}, " ")), " "))
	add("secret", s.Auth.SecretRef)
	add("scopes", strings.Join(s.Auth.Scopes, " "))
	add("redacted", strings.Join(s.Redact, " "))
	return rows
}

func hintWords(s *contracts.ToolSpec) string {
	repeat, world := "a repeated call may have a further effect", "stays within a closed domain"
	if s.Idempotent {
		repeat = "a repeated call has no further effect"
	}
	if s.OpenWorld {
		world = "reaches beyond a closed domain"
	}
	return repeat + "; " + world
}

// gates says what would stand before a call.
func (p *Catalog) gates(entry *contracts.ToolEntry) app.UI {
	var rows []app.UI
	for _, g := range store.Gates(&entry.Spec) {
		level, words := string(g.Trust), "not a valid tool"
		if g.Stands {
			level += ", as it stands"
		}
		if g.Gate != "" {
			words = gateWords(g.Gate)
		}
		rows = append(rows, app.Tr().DataSet("trust", string(g.Trust)).Body(
			app.Td().Text(level), app.Td().Text(words), app.Td().Class("quiet").Text(g.Why),
		))
	}
	return app.Section().Class("panel").Aria("label", "The gate").Body(
		app.Div().Class("panel-bar").Body(
			app.H2().Class("panel-title").Text("The gate"),
			app.Span().Class("panel-hint").Text("before each call, for each level of trust"),
		),
		app.Table().Class("table").Body(
			app.THead().Body(app.Tr().Body(tableHead("Trust"), tableHead("A call"), tableHead("Because"))),
			app.TBody().Body(rows...),
		),
		app.P().Class("quiet", "panel-words").Text(fmt.Sprintf(
			"A call is denied, whatever the trust, where the task's allowed_tools name neither %s nor %s, and where this definition was "+
				"changed or deleted after the run was created: a run pins the digest. A bare name means the highest version that the run has pinned. "+
				"No attempt is made after attempt %d, and none beyond the run's own limits.",
			entry.Spec.Name, entry.Spec.Ref(), entry.Spec.Limits.MaxAttempts)),
	)
}

// deletion asks whether the reader means it.
func (p *Catalog) deletion() app.UI {
	entry, _ := store.FindTool(p.catalog.Tools, p.ref)
	refused := p.last == "delete" && p.catalog.Refused != nil
	if entry == nil || p.deleting == "" && !refused {
		return app.Div()
	}
	if p.deleting == "" {
		sentence, detail := parts.Trouble(p.catalog.Refused)
		return app.Div().Body(&parts.Alert{Title: "Nothing was deleted. " + sentence, Detail: detail})
	}
	versions := p.versionsOf(entry.Spec.Name)
	busy := p.catalog.Sending != ""
	return app.Div().Class("editor-foot").Role("group").Aria("label", "Delete").Body(
		app.Span().Text("Runs that were created with it have its calls denied from now on; calls that are open end as errors."),
		app.Button().Class("button", "button-danger").Type("button").Disabled(busy).Text("Delete "+string(p.deleting)).OnClick(p.deleteOne),
		app.If(versions > 1, func() app.UI {
			return app.Button().Class("button", "button-danger").Type("button").Disabled(busy).
				Text(fmt.Sprintf("Delete all %d versions of %s", versions, entry.Spec.Name)).OnClick(p.deleteAll)
		}),
		app.Button().Class("button").Type("button").Text("Keep it").OnClick(p.keep),
	)
}

func (p *Catalog) versionsOf(name string) int {
	for i := range p.catalog.Tools {
		if p.catalog.Tools[i].Name == name {
			return len(p.catalog.Tools[i].Versions)
		}
	}
	return 0
}

func (p *Catalog) askDelete(app.Context, app.Event) {
	p.watch.Forget()
	if entry, _ := store.FindTool(p.catalog.Tools, p.ref); entry != nil {
		p.deleting = entry.Spec.Ref()
	}
}

func (p *Catalog) keep(app.Context, app.Event) { p.deleting = "" }

func (p *Catalog) deleteOne(app.Context, app.Event) { p.delete(p.deleting) }

func (p *Catalog) deleteAll(app.Context, app.Event) {
	name, _ := p.deleting.Split()
	p.delete(contracts.ToolRef(name))
}

func (p *Catalog) delete(ref contracts.ToolRef) {
	p.last, p.deleting = "delete", ""
	p.watch.Delete(ref, func(ctx app.Context) { ctx.Navigate("/catalog") })
}
