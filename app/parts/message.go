package parts

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Answer shows the text of an answer as it grows. The text is one node, so that a long answer costs no more
// elements than a short one.
type Answer struct {
	app.Compo

	// Text is what was said so far.
	Text string
	// Growing draws a caret behind the text.
	Growing bool
	// Refusal marks the text as the model's own refusal.
	Refusal bool
}

// Render implements app.Composer.
func (a *Answer) Render() app.UI {
	text := app.Div().Class("answer-text").Body(
		app.Text(a.Text),
		app.If(a.Growing, func() app.UI { return app.Span().Class("caret").Aria("hidden", "true") }),
	)
	if a.Refusal {
		return app.Div().Class("answer").Body(
			app.P().Class("answer-note").Text("The model declined to answer."),
			text,
		)
	}
	return app.Div().Class("answer").Body(text)
}

// Fold is a title that opens to more.
type Fold struct {
	app.Compo

	// Title is always shown, Note more quietly behind it.
	Title, Note string
	// Text is what opens, as it was written.
	Text string
	// Tone is added to the part's class, for what may look different.
	Tone string
	// Growing draws a caret behind the text.
	Growing bool
}

// Render implements app.Composer.
func (f *Fold) Render() app.UI {
	return app.Details().Class("fold", f.Tone).Body(
		app.Summary().Class("fold-summary").Body(
			app.Span().Class("fold-title").Text(f.Title),
			app.Span().Class("fold-note").Text(f.Note),
		),
		app.Div().Class("fold-text").Body(
			app.Text(f.Text),
			app.If(f.Growing, func() app.UI { return app.Span().Class("caret").Aria("hidden", "true") }),
		),
	)
}

// ToolCall shows one attempt of a tool call: what was asked, what came back and the receipt.
type ToolCall struct {
	app.Compo

	// ID is the call's id and Attempt counts its attempts from 1.
	ID      string
	Attempt int64
	// Tool is the tool's exact reference and Branch the branch that called it; the root is empty.
	Tool   contracts.ToolRef
	Branch contracts.Branch
	// Args and Output are JSON as the stream shows them; Output is empty while the call is open.
	Args, Output []byte
	// Truncated says that the output was cut.
	Truncated bool
	// Status is how the call ended, empty while it is open; Waiting says that a human is asked.
	Status  contracts.CallStatus
	Waiting bool
	// Took is how long it took, and Error what went wrong, in words.
	Took, Error string
	// Decision says what a human decided, in words.
	Decision string
	// Receipt is the hash of the call's receipt, empty while it is open.
	Receipt contracts.Digest
	// ResultBytes is the size of the whole output.
	ResultBytes int64
}

// Render implements app.Composer.
func (c *ToolCall) Render() app.UI {
	name, version := c.Tool.Split()
	return app.Details().Class("call", "call-"+c.tone()).ID("call-%s-%d", c.ID, c.Attempt).Body(
		app.Summary().Class("call-summary").Body(
			callShape(c.tone()),
			app.Span().Class("call-tool").Body(
				app.Span().Class("call-name").Text(name),
				app.If(version != "", func() app.UI { return app.Span().Class("call-version").Text("@" + version) }),
			),
			app.Span().Class("call-gist").Text(gist(c.Args)),
			app.Span().Class("call-status").Text(c.words()),
		),
		app.Div().Class("call-body").Body(
			app.If(c.Error != "", func() app.UI { return app.P().Class("call-error").Text(c.Error) }),
			app.H4().Class("call-heading").Text("Arguments"),
			app.Pre().Class("code").TabIndex(0).Text(PrettyJSON(c.Args)),
			app.If(len(c.Output) > 0, func() app.UI {
				return app.H4().Class("call-heading").Text(c.resultHeading())
			}),
			app.If(len(c.Output) > 0, func() app.UI {
				return app.Pre().Class("code").TabIndex(0).Text(PrettyJSON(c.Output))
			}),
			app.Dl().Class("facts").Body(c.facts()...),
		),
	)
}

// tone is the colour and shape of the call.
func (c *ToolCall) tone() string {
	switch {
	case c.Waiting:
		return "waiting"
	case c.Status == "":
		return "open"
	}
	return string(c.Status)
}

func (c *ToolCall) words() string {
	attempt := ""
	if c.Attempt > 1 {
		attempt = fmt.Sprintf("attempt %d, ", c.Attempt)
	}
	switch {
	case c.Waiting:
		return attempt + "waits for approval"
	case c.Status == "":
		return attempt + "running"
	case c.Status == contracts.CallOK:
		return attempt + c.Took
	}
	return attempt + string(c.Status) + ", " + c.Took
}

func (c *ToolCall) resultHeading() string {
	if c.Truncated {
		return "Result, the first part of " + Bytes(c.ResultBytes)
	}
	return "Result"
}

func (c *ToolCall) facts() []app.UI {
	var facts []app.UI
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, app.Dt().Text(name), app.Dd().Text(value))
		}
	}
	add("call", c.ID)
	add("branch", string(c.Branch))
	add("decision", c.Decision)
	if c.Receipt != "" {
		add("receipt", ShortDigest(c.Receipt))
	}
	return facts
}

// gist is the beginning of a JSON value on one line.
func gist(value []byte) string {
	const most = 120
	runes := make([]rune, 0, most)
	space := false
	for _, r := range string(value) {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' {
			space = true
			continue
		}
		if space && len(runes) > 0 {
			runes = append(runes, ' ')
		}
		space = false
		if runes = append(runes, r); len(runes) >= most {
			return string(runes) + "…"
		}
	}
	return string(runes)
}

func callShape(tone string) app.UI {
	switch tone {
	case "ok":
		return stateShape(contracts.StateSucceeded)
	case "error", "timeout":
		return stateShape(contracts.StateFailed)
	case "denied":
		return stateShape(contracts.StateRefused)
	case "cancelled":
		return stateShape(contracts.StateCancelled)
	case "waiting":
		return stateShape(contracts.StateWaiting)
	}
	return stateShape(contracts.StateRunning)
}
