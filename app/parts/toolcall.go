package parts

import (
	"fmt"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// ToolCall shows one attempt of a tool call: what was asked, what came back and the receipt.
type ToolCall struct {
	app.Compo

	// ID is the call's id; Attempt counts its attempts from 1, of Attempts.
	ID                string
	Attempt, Attempts int64
	// Tool is the tool's exact reference and Branch the branch that called it; the root is empty.
	Tool   contracts.ToolRef
	Branch contracts.Branch
	// Args and Output are JSON as the stream shows them; Output is empty while the call is open.
	Args, Output []byte
	// Truncated says that the output was cut from ResultBytes.
	Truncated   bool
	ResultBytes int64
	// Status is how the call ended, empty while it is open; Waiting says that a human is asked.
	Status  contracts.CallStatus
	Waiting bool
	// Took is how long it took, and Error what went wrong, in words.
	Took, Error string
	// Gate says what the server decided about the call, and Decision what a human did, in words.
	Gate, Decision string
	// Page is the run's address, and Started and Ended are the events in which the call began and ended; 0 while it is open.
	Page           string
	Started, Ended contracts.Seq
	// Receipt is the call's receipt, nil while it is open, and Faults are what does not fit in it.
	Receipt *contracts.Receipt
	Faults  []runstate.ReceiptFault
	// Open shows all of it from the start.
	Open bool

	opened disclosure
}

// OnInit implements app.Initializer.
func (c *ToolCall) OnInit() { c.opened = disclosure{key: c.key(), open: c.Open} }

// Render implements app.Composer.
func (c *ToolCall) Render() app.UI {
	name, version := c.Tool.Split()
	class := "call call-" + c.tone()
	if c.Attempt < c.Attempts {
		class += " call-retried"
	}
	return app.Details().Class(class).ID("call-%s-%d", c.ID, c.Attempt).
		Open(c.opened.is(c.key())).On("toggle", c.toggled).
		Body(
			app.Summary().Class("call-summary").Body(
				callShape(c.tone()),
				app.Span().Class("call-tool").Body(
					app.Span().Class("call-name").Text(name),
					app.If(version != "", func() app.UI { return app.Span().Class("call-version").Text("@" + version) }),
				),
				app.Span().Class("call-gist").Text(gist(c.Args)),
				app.Span().Class("call-status").Text(c.words()),
			),
			app.If(c.opened.is(c.key()), c.body),
		)
}

func (c *ToolCall) key() string { return fmt.Sprintf("%s %d", c.ID, c.Attempt) }

func (c *ToolCall) toggled(ctx app.Context, _ app.Event) { c.opened.toggle(ctx, c.key()) }

// body is what is drawn once the reader has asked for it: a run may have thousands of calls.
func (c *ToolCall) body() app.UI {
	return app.Div().Class("call-body").Body(
		app.If(c.Error != "", func() app.UI { return app.P().Class("call-error").Text(c.Error) }),
		app.H4().Class("call-heading").Text("Arguments"),
		app.Pre().Class("code").TabIndex(0).Text(PrettyJSON(c.Args)),
		app.If(len(c.Output) > 0, func() app.UI {
			return app.H4().Class("call-heading").Text(c.resultHeading())
		}),
		app.If(len(c.Output) > 0, func() app.UI {
			return app.Pre().Class("code").TabIndex(0).Text(PrettyJSON(c.Output))
		}),
		app.H4().Class("call-heading").Text("Call"),
		app.Dl().Class("facts").Body(c.facts()...),
		app.If(c.Receipt != nil, func() app.UI { return app.H4().Class("call-heading").Text("Receipt") }),
		app.If(c.Receipt != nil, func() app.UI { return &Receipt{Receipt: c.Receipt, Faults: c.Faults} }),
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
	words := ""
	if c.Attempts > 1 {
		words = fmt.Sprintf("attempt %d of %d, ", c.Attempt, c.Attempts)
	}
	switch {
	case c.Waiting:
		words += "waits for approval"
	case c.Status == "":
		words += "running"
	case c.Status == contracts.CallOK:
		words += c.Took
	default:
		words += string(c.Status) + ", " + c.Took
	}
	if len(c.Faults) > 0 {
		words += ", receipt does not fit"
	}
	return words
}

func (c *ToolCall) resultHeading() string {
	if c.Truncated {
		return "Result, the first part of " + Bytes(c.ResultBytes)
	}
	return "Result"
}

func (c *ToolCall) facts() []app.UI {
	var facts []app.UI
	fact := func(name string, value app.UI) { facts = append(facts, app.Dt().Text(name), app.Dd().Body(value)) }
	add := func(name, value string) {
		if value != "" {
			fact(name, app.Text(value))
		}
	}
	event := func(name string, seq contracts.Seq) {
		if seq > 0 {
			words := fmt.Sprintf("event %d", seq)
			fact(name, app.A().Class("link").Href(fmt.Sprintf("%s#e%d", c.Page, seq)).Text(words))
		}
	}
	add("call", c.ID)
	add("branch", string(c.Branch))
	add("gate", c.Gate)
	add("decision", c.Decision)
	event("began", c.Started)
	event("ended", c.Ended)
	return facts
}

// gist is the beginning of a JSON value on one line.
func gist(value []byte) string {
	const most = 120
	runes := make([]rune, 0, most)
	space := false
	for _, r := range string(value[:min(len(value), 8*most)]) {
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
