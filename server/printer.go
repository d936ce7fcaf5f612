package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// gistLength is how many characters of a call's arguments and output a line shows.
const gistLength = 100

// eraseLine returns the cursor to the line's start and clears it (ECMA-48: CR, EL).
const eraseLine = "\r\x1b[K"

// printer writes a run's events for a person to read. It never passes control characters of a run's texts on: what an
// agent writes must not drive the terminal.
type printer struct {
	out io.Writer
	// live says that out is a terminal, where the meter stands below the last line and is redrawn.
	live bool

	transcript runstate.Transcript
	// speaking is the message whose text the current line holds.
	speaking string
	// midLine says that the last text did not end with a newline; metered that the meter stands on the current line.
	midLine, metered bool

	limits contracts.Limits
	err    error
}

// event writes what one event says. It returns the first error of the writer.
func (p *printer) event(ev contracts.RunEvent) error {
	p.clearMeter()
	change := p.transcript.Apply(ev)
	switch d := ev.Data.(type) {
	case *contracts.StatusData:
		p.status(d)
	case *contracts.ThoughtData:
		p.speak(d.ID, "· "+string(d.Kind)+": ", change)
	case *contracts.TokenData:
		p.speak(d.ID, "", change)
	case *contracts.ToolStartData:
		p.line("→ %s %s %s", d.CallID, d.Tool, gist(d.Args))
		if d.Approval != nil {
			p.line("◇ %s waits for a decision on %s until %s", d.CallID, d.Approval.ID, d.Approval.ExpiresAt)
		}
	case *contracts.ApprovalData:
		p.line("◇ %s %s", d.CallID, d.Decision)
	case *contracts.ToolEndData:
		p.toolEnd(d)
	case *contracts.BudgetData:
		if d.Phase == contracts.BudgetWarn {
			p.line("▲ %s: %s", d.Dimension, gauge(d.Dimension, d.Used, p.limits))
		}
	case *contracts.VerdictData:
		p.verdict(d)
	case *contracts.ErrorData:
		p.line("✕ %s", d.Error())
	case *contracts.DoneData:
		p.line("%s %s  %s", shape(d.Status), d.Status, meter(d.Used, p.limits))
		return p.err
	}
	p.drawMeter()
	return p.err
}

// status writes a change of state, and at the first one what the run is held to.
func (p *printer) status(d *contracts.StatusData) {
	if d.Limits == nil {
		p.line("%s %s, %s", shape(d.State), d.State, d.Reason)
		return
	}
	p.limits = *d.Limits
	p.line("%s %s  %s, %s", shape(d.State), d.State, d.Backend, d.Profile)
}

// toolEnd writes how a call ended.
func (p *printer) toolEnd(d *contracts.ToolEndData) {
	detail := gist(d.Output)
	if d.Error != nil {
		detail = d.Error.Error()
	}
	var latency int64
	if d.Receipt != nil {
		latency = d.Receipt.LatencyMS
	}
	p.line("← %s %s in %s %s", d.CallID, d.Status, span(latency), detail)
}

// verdict writes a judgement and each of its checks.
func (p *printer) verdict(d *contracts.VerdictData) {
	score := "no score"
	if d.Score != nil {
		score = fmt.Sprintf("score %.2f", *d.Score)
	}
	p.line("⚖ pass %d: %s, %s", d.Pass, d.Outcome, score)
	for _, r := range d.Results {
		text := fmt.Sprintf("  %s %s", checkShape(r.Status), r.ID)
		if r.Reason != "" {
			text += ": " + r.Reason
		}
		p.line("%s", text)
	}
}

// speak writes the text that a message grew by. Another message, or another attempt of this one, begins on a new line.
func (p *printer) speak(id, prefix string, change runstate.Change) {
	if change.Restarted {
		p.line("· begins again")
	}
	if change.Delta == "" {
		return
	}
	if p.speaking != id {
		p.breakLine()
		p.write(prefix)
	}
	p.speaking = id
	p.write(clean(change.Delta))
	p.midLine = !strings.HasSuffix(change.Delta, "\n")
}

// line writes one line of its own.
func (p *printer) line(format string, args ...any) {
	p.breakLine()
	p.write(clean(fmt.Sprintf(format, args...)) + "\n")
}

// breakLine ends the line that a message was written on.
func (p *printer) breakLine() {
	if p.midLine {
		p.write("\n")
	}
	p.midLine, p.speaking = false, ""
}

// drawMeter writes the meter where a terminal's line is free.
func (p *printer) drawMeter() {
	if !p.live || p.midLine || p.limits.MaxTokens == 0 {
		return
	}
	p.write(meter(p.transcript.Used(), p.limits))
	p.metered = true
}

// clearMeter takes the meter away, so that the next line takes its place.
func (p *printer) clearMeter() {
	if p.metered {
		p.write(eraseLine)
		p.metered = false
	}
}

// close leaves the cursor at the start of a line.
func (p *printer) close() {
	p.clearMeter()
	p.breakLine()
}

// write passes text on, and keeps the writer's first error.
func (p *printer) write(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, text)
	}
}

// meter is what a run has used, each count with its limit.
func meter(u contracts.Usage, l contracts.Limits) string {
	return fmt.Sprintf("tokens %s · calls %s · wall %s · cost %s",
		gauge(contracts.DimensionTokens, u, l), gauge(contracts.DimensionToolCalls, u, l),
		gauge(contracts.DimensionWall, u, l), gauge(contracts.DimensionCost, u, l))
}

// gauge is one dimension of a meter: used/limit. The limit is left out where it is not known.
func gauge(d contracts.Dimension, u contracts.Usage, l contracts.Limits) string {
	var used, limit string
	switch d {
	case contracts.DimensionTokens:
		used, limit = count(u.Tokens()), count(l.MaxTokens)
	case contracts.DimensionWall:
		used, limit = span(u.WallMS), span(l.MaxWallMS)
	case contracts.DimensionActive:
		used, limit = span(u.ActiveMS), span(l.MaxActiveMS)
	case contracts.DimensionToolCalls:
		used, limit = count(u.ToolCalls), count(l.MaxToolCalls)
	case contracts.DimensionCost:
		used, limit = dollars(u.CostMicroUSD), dollars(l.MaxCostMicroUSD)
	case contracts.DimensionBranches:
		used, limit = count(u.Branches), count(l.BranchWidth)
	case contracts.DimensionReflections:
		used, limit = count(u.Reflections), count(l.ReflectionPasses)
	}
	if l.MaxTokens == 0 {
		return used
	}
	return used + "/" + limit
}

func count(n int64) string { return fmt.Sprintf("%d", n) }

// span writes milliseconds as a person reads them.
func span(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }

// dollars writes millionths of a US dollar.
func dollars(micro int64) string { return fmt.Sprintf("$%d.%06d", micro/1_000_000, micro%1_000_000) }

// shape is the sign of a state, the same as in the console.
func shape(s contracts.State) string {
	switch s {
	case contracts.StateQueued:
		return "●"
	case contracts.StateRunning:
		return "◐"
	case contracts.StateWaiting:
		return "◇"
	case contracts.StateDraining:
		return "◓"
	case contracts.StateSucceeded:
		return "✓"
	case contracts.StateFailed:
		return "✕"
	case contracts.StateRefused:
		return "⊘"
	case contracts.StateCancelled:
		return "–"
	case contracts.StateExhausted:
		return "▲"
	}
	return "?"
}

// checkShape is the sign of a check's result.
func checkShape(s contracts.CheckStatus) string {
	switch s {
	case contracts.CheckPass:
		return "✓"
	case contracts.CheckFail:
		return "✕"
	case contracts.CheckError:
		return "!"
	case contracts.CheckSkipped:
		return "–"
	}
	return "?"
}

// gist cuts JSON to what fits a line.
func gist(doc []byte) string {
	if utf8.RuneCount(doc) <= gistLength {
		return string(doc)
	}
	return string([]rune(string(doc))[:gistLength]) + "…"
}

// clean takes out what would drive a terminal: every control character but newline and tab, and the marks that
// reorder text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
}
