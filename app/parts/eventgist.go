package parts

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"axiom25/contracts"
)

// gistMost is the most characters of a gist that are written; a row shows fewer.
const gistMost = 200

// EventGist says on one line what an event brings. Line breaks and tabs of what was said are made visible, and a long text is
// cut.
func EventGist(ev *contracts.RunEvent) string {
	switch d := ev.Data.(type) {
	case *contracts.StatusData:
		return statusGist(d)
	case *contracts.ThoughtData:
		kind := ""
		if d.Kind != contracts.ThoughtReasoning {
			kind = string(d.Kind)
		}
		return pieceGist(d.Attempt, kind, d.Delta, d.Final)
	case *contracts.TokenData:
		channel := ""
		if d.Channel != contracts.ChannelAnswer {
			channel = string(d.Channel)
		}
		return pieceGist(d.Attempt, channel, d.Delta, d.Final)
	case *contracts.ToolStartData:
		return startGist(d)
	case *contracts.ApprovalData:
		words := string(d.Decision)
		if d.By != "" {
			words += " by " + oneLine(d.By)
		}
		if len(d.Args) > 0 {
			words += ": " + valueLine(d.Args)
		}
		return words
	case *contracts.ToolEndData:
		return endGist(d)
	case *contracts.BudgetData:
		return budgetGist(d)
	case *contracts.VerdictData:
		return verdictGist(d)
	case *contracts.ErrorData:
		return errorGist(d)
	case *contracts.DoneData:
		if d.Output == nil {
			return string(d.Status)
		}
		return string(d.Status) + ": " + oneLine(*d.Output)
	case contracts.UnknownData:
		return valueLine(d.Raw)
	}
	return ""
}

func statusGist(d *contracts.StatusData) string {
	words := string(d.State) + ": " + string(d.Reason)
	if d.Backend != "" {
		words += fmt.Sprintf(", %s engine, %s", oneLine(d.Backend), d.Profile)
	}
	if n := len(d.Tools); n > 0 {
		words += ", " + plural(int64(n), "tool")
	}
	if d.ForkedFrom != nil {
		words += fmt.Sprintf(", forked from %s at event %d", ShortID(d.ForkedFrom.RunID.String()), d.ForkedFrom.Seq)
	}
	return words
}

// pieceGist is a piece of a thought or of an answer.
func pieceGist(attempt int64, kind, delta string, final bool) string {
	var notes []string
	if attempt > 1 {
		notes = append(notes, fmt.Sprintf("attempt %d", attempt))
	}
	if kind != "" {
		notes = append(notes, kind)
	}
	if final {
		notes = append(notes, "the last piece")
	}
	if len(notes) == 0 {
		return oneLine(delta)
	}
	if delta == "" {
		return strings.Join(notes, ", ")
	}
	return strings.Join(notes, ", ") + ": " + oneLine(delta)
}

func startGist(d *contracts.ToolStartData) string {
	words := string(d.Tool) + " " + valueLine(d.Args)
	if d.Attempt > 1 {
		words = fmt.Sprintf("attempt %d: %s", d.Attempt, words)
	}
	switch d.Gate {
	case contracts.GateAsk:
		return "asks a human: " + words
	case contracts.GateDeny:
		return "not allowed: " + words
	case contracts.GateAllow:
	}
	return words
}

func endGist(d *contracts.ToolEndData) string {
	words := string(d.Status)
	if d.Receipt != nil {
		words = fmt.Sprintf("%s %s, %s", d.Receipt.Tool, words, Duration(d.Receipt.LatencyMS))
	}
	switch {
	case d.Error != nil:
		return words + ": " + problemLine(d.Error)
	case d.Truncated:
		return words + ", cut: " + valueLine(d.Output)
	case len(d.Output) > 0:
		return words + ": " + valueLine(d.Output)
	}
	return words
}

func budgetGist(d *contracts.BudgetData) string {
	used := fmt.Sprintf("%s tokens, %s, %s", Count(d.Used.Tokens()), plural(d.Used.ToolCalls, "call"), Duration(d.Used.WallMS))
	if d.Used.CostMicroUSD > 0 {
		used += ", " + Money(d.Used.CostMicroUSD)
	}
	if d.Phase == contracts.BudgetWarn {
		return "warning for " + string(d.Dimension) + ": " + used
	}
	return used
}

func verdictGist(d *contracts.VerdictData) string {
	words := fmt.Sprintf("pass %d %s", d.Pass+1, OutcomeWords(d.Outcome))
	if d.Score != nil {
		words += ", score " + Score(*d.Score)
	}
	passed := 0
	for _, r := range d.Results {
		if r.Status == contracts.CheckPass {
			passed++
		}
	}
	return fmt.Sprintf("%s, %d of %s passed", words, passed, plural(int64(len(d.Results)), "check"))
}

func errorGist(d *contracts.ErrorData) string {
	words := problemLine(&d.Problem)
	switch {
	case d.Fatal:
		return "ends the run: " + words
	case d.Retry == contracts.RetryRetrying && d.RetryAfterMS > 0:
		return "tried again in " + Duration(d.RetryAfterMS) + ": " + words
	case d.Retry == contracts.RetryRetrying:
		return "tried again: " + words
	case d.Retry == contracts.RetryExhausted:
		return "given up: " + words
	}
	return words
}

func problemLine(p *contracts.Problem) string {
	if p.Detail == "" {
		return oneLine(p.Title)
	}
	return oneLine(p.Title) + ": " + oneLine(p.Detail)
}

// valueLine is the beginning of a JSON value.
func valueLine(value json.RawMessage) string {
	return oneLine(string(value[:min(len(value), utf8.UTFMax*(gistMost+1))])) // what lies behind is cut anyway
}

// oneLine is the beginning of a text with its line breaks and tabs made visible.
func oneLine(s string) string {
	if len(s) <= gistMost && !strings.ContainsAny(s, "\n\r\t") {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > gistMost {
			b.WriteRune('…')
			break
		}
		switch r {
		case '\n':
			r = '⏎'
		case '\t':
			r = '⇥'
		case '\r':
			r = '␍'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plural counts things: 1 call, 2 calls.
func plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

// SinceStart writes a time within a run as minutes, seconds and milliseconds from its start: +0:12.345, +1:02:05.345.
func SinceStart(ms int64) string {
	ms = max(ms, 0)
	h, m, s := ms/3_600_000, ms/60_000%60, ms/1000%60
	if h > 0 {
		return fmt.Sprintf("+%d:%02d:%02d.%03d", h, m, s, ms%1000)
	}
	return fmt.Sprintf("+%d:%02d.%03d", m, s, ms%1000)
}

// Grouped writes a whole number with thin spaces between its thousands: 41 207.
func Grouped(n int64) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
