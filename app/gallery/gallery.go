// Package gallery shows each part with the props that are hard to come by in a real run: long texts, no texts,
// every state. Tests draw it; a page for people comes from the same entries.
package gallery

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
	"axiom25/app/form"
	"axiom25/app/parts"
	"axiom25/contracts"
)

// Entry is one part in one situation.
type Entry struct {
	// Part and Situation name it.
	Part, Situation string
	// New draws it.
	New func() app.UI
}

// Entries are all, ordered by part.
func Entries() []Entry {
	const (
		run      = contracts.RunID("run_01m81tqkhryw3vmma10cpw1nqk")
		approval = contracts.ApprovalID("apr_01m81tqkhryw3vmma10cpw1nqk")
	)
	long := strings.Repeat("a long text without an end ", 40)
	entries := []Entry{
		{"Alert", "what ended a run", func() app.UI {
			return &parts.Alert{Title: "The engine was lost", Detail: "its server was restarted", Note: "event 12, 12:04:07", Fatal: true}
		}},
		{"Alert", "what was tried again", func() app.UI { return &parts.Alert{Title: "Too many requests", Note: "tried again"} }},
		{"Connection", "live", func() app.UI { return &parts.Connection{Words: "Live", Phase: "live"} }},
		{"Connection", "live, with its latency", func() app.UI {
			return &parts.Connection{Words: "Live", Phase: "live", Note: "9 ms p50 · 21 ms p99 · 410 tok/s", Title: "How long the last events took."}
		}},
		{"Connection", "lost", func() app.UI {
			return &parts.Connection{Words: "Reconnecting in 3 s (attempt 2)", Phase: "lost", Retry: true}
		}},
		{"CopyButton", "a run's id", func() app.UI { return &parts.CopyButton{Label: "copy", Name: "Copy the run's id", Text: run.String()} }},
		{"Diff", "a migration", func() app.UI {
			return &parts.Diff{Label: "Changes", Lines: document.Diff(strings.Repeat("a\n", 20)+"old\nb", strings.Repeat("a\n", 20)+"new\nb")}
		}},
		{"Editor", "with marks", func() app.UI {
			return &parts.Editor{
				Label: "Document", Text: "{\n  \"a\": 0, \"b\": 1\n}", Version: 1,
				Marks: []parts.Mark{{Start: 17, End: 18, Line: 2, Column: 16}, {Start: 9, End: 10, Line: 2, Column: 8}},
			}
		}},
		{"Editor", "of a long text", func() app.UI { return &parts.Editor{Label: "Document", Text: long, Version: 1, Plain: true} }},
		{"Editor", "empty", func() app.UI { return &parts.Editor{Label: "Document"} }},
		{"EventFilter", "of one type, with a broken expression", func() app.UI {
			return &parts.EventFilter{
				Types: []contracts.EventType{contracts.EventToolEnd}, Branches: []contracts.Branch{"", "a.b"}, Branch: "a.b", OneBranch: true,
				Search: "(", Expression: true, Problem: "Not an expression: missing closing ): (", Words: "312 of 41 207",
			}
		}},
		{"EventFilter", "following", func() app.UI { return &parts.EventFilter{Words: "412 events", Following: true} }},
		{"EventList", "in the middle", func() app.UI {
			return &parts.EventList{
				Page: "/r/" + run.String(), Total: 41_207, Before: 28, After: 1_152_620, Selected: 42,
				Rows: []parts.EventRow{
					{Seq: 41, Place: 41, Since: "+0:01.300", Type: contracts.EventToken, Gist: "the <b>sum</b>⏎is"},
					{Seq: 42, Place: 42, Since: "+0:01.304", Type: contracts.EventToolEnd, Branch: "a.b", Gist: long, Tone: parts.EventBad},
					{Seq: 43, Place: 43, Since: "+0:01.305", Type: contracts.EventBudget, Tone: parts.EventLater},
				},
			}
		}},
		{"EventPane", "of a tool call's end", func() app.UI {
			return &parts.EventPane{
				Page: "/r/" + run.String(), Seq: 42, Last: 42, Since: "+0:01.304", Type: contracts.EventToolEnd, Branch: "a.b",
				Gist: "sql_query@1.0.0 ok, 40 ms: [1]", Sent: `{"seq":42,"data":{"output":[1]}}`,
				Receipt: &contracts.Receipt{CallID: "c1", Tool: "sql_query@1.0.0", Attempt: 1, Hash: contracts.DigestText("x")},
				Links:   []parts.EventLink{{Seq: 40, Title: "the call starts"}},
			}
		}},
		{"EventPane", "whose text is gone", func() app.UI {
			return &parts.EventPane{
				Page: "/r/" + run.String(), Seq: 1, Last: 300_000, Type: contracts.EventStatus,
				Missing: "Its text is no longer kept here: the run is long.", OnRead: func(app.Context) {},
			}
		}},
		{"ExampleCard", "offered", func() app.UI { return &parts.ExampleCard{Name: "Planets", About: "SQL and arithmetic."} }},
		{"FileButton", "offered", func() app.UI { return &parts.FileButton{Label: "Open a file", Accept: ".json"} }},
		{"FileDrop", "around a text", func() app.UI { return &parts.FileDrop{Body: []app.UI{app.P().Text("Drop it here")}} }},
		{"FormSection", "verification with a problem", func() app.UI {
			text := document.Read(`{"verification":{"assertions":[{"id":"a","type":"lengths","value":{"min":1}}]},"allowed_tools":["x"]}`)
			drawn := form.Build(form.TaskSpec(), text, form.Presets(text), []form.Problem{
				{Pointer: "#/verification/assertions/0/type", Detail: "must be one of them", Guess: "length"},
			})
			return &parts.FormSection{Drawn: drawn[5]}
		}},
		{"FormSection", "tools, resting", func() app.UI {
			drawn := form.Build(form.TaskSpec(), document.Read(`{"allowed_tools":["x"]}`), nil, nil)
			return &parts.FormSection{Drawn: drawn[2], Resting: true, Known: map[string][]parts.Pick{
				"/allowed_tools": {{Value: "calculator", Note: "1.0.0 · read", About: long}},
			}}
		}},
		{"Header", "on the runs", func() app.UI { return &parts.Header{Current: "/"} }},
		{"KeyHelp", "of a view without keys", func() app.UI {
			return &parts.KeyHelp{Groups: []parts.KeyGroup{
				{Title: "Verdict"}, {Title: "The run", Keys: []parts.Key{{Key: "j k", Does: "Move to the next or the previous event"}}},
			}}
		}},
		{"KeptList", "what waits", func() app.UI {
			return &parts.KeptList{Label: "Waiting to be sent", Entries: []parts.Kept{
				{ID: "a", Title: long, Note: "waits for the server", Edit: "Edit", Remove: "Remove"},
				{ID: "b", Title: "Sum", Note: "refused", Trouble: "A tool is unknown: 1 problem", Edit: "Edit", Remove: "Remove"},
				{ID: "c", Title: "Sum", Note: "sent · 2 Jan 15:04", Href: "/r/" + run.String(), Remove: "Dismiss"},
			}}
		}},
		{"LabelFilter", "two labels", func() app.UI { return &parts.LabelFilter{Labels: []string{"team:a", "tier:gold"}} }},
		{"LiveRegion", "silent", func() app.UI { return &parts.LiveRegion{Text: "said before"} }},
		{"MarkList", "that leads into the text", func() app.UI {
			nothing := func(app.Context, int) {}
			return &parts.MarkList{OnGo: nothing, OnFix: nothing, Marks: []parts.Mark{
				{Line: 14, Column: 1, Pointer: "#/gaol", Detail: "unknown field", Code: "unknown_field", Guess: "goal"},
				{Line: 14, Column: 1, Pointer: "#/" + strings.Repeat("deep/", 60), Detail: long},
			}}
		}},
		{"MarkList", "two problems", func() app.UI {
			return &parts.MarkList{Truncated: true, Marks: []parts.Mark{
				{Line: 2, Column: 8, Pointer: "#/budget/max_tokens", Detail: "must be at least 1"},
				{Line: 14, Column: 1, Pointer: "#/gaol", Detail: "unknown field"},
			}}
		}},
		{"Menu", "with a link and a copy", func() app.UI {
			return &parts.Menu{ID: "menu", Name: "More about this run", Items: []app.UI{
				app.A().Class("menu-item").Href("/new").Text("Edit and run again"),
				&parts.CopyButton{Class: "menu-item", Label: "Copy link", Text: "/"},
			}}
		}},
		{"Notice", "nothing yet", func() app.UI {
			return &parts.Notice{Tone: parts.ToneEmpty, Text: "Nothing has run here yet.", Action: "Start a run", Href: "/new"}
		}},
		{"Notice", "an error", func() app.UI {
			return &parts.Notice{Tone: parts.ToneError, Text: "The server cannot be reached.", Action: "Try again"}
		}},
		{"Select", "second chosen", func() app.UI {
			return &parts.Select{Label: "Contract", Options: []string{"TaskSpec", "Budget"}, Chosen: 1}
		}},
		{"Scrubber", "in the past", func() app.UI {
			return &parts.Scrubber{Seq: 287, Last: 412, Time: 1_790_000_000_312, Live: true}
		}},
		{"Scrubber", "at the end of a run that has ended", func() app.UI { return &parts.Scrubber{Seq: 412, Last: 412, Following: true} }},
		{"RunRow", "pruned, with labels", func() app.UI {
			return &parts.RunRow{
				ID: run, State: contracts.StateSucceeded, Goal: "Count the moons", Backend: "local", Age: "31 d", Created: "2026-01-02T03:04:05.678Z",
				Tokens: "5.1 k tok", Gauge: "tokens", Labels: "team:a  tier:gold", Pruned: true, Position: 3, Count: 12,
			}
		}},
		{"SearchField", "empty", func() app.UI {
			return &parts.SearchField{ID: "search", Label: "Search the runs", Hint: "Search by goal or id"}
		}},
		{"StateFilter", "two states", func() app.UI {
			return &parts.StateFilter{
				Chosen: []contracts.State{contracts.StateWaiting, contracts.StateRunning}, Of: "of the newest 212 runs that match",
				Counts: map[contracts.State]int{contracts.StateWaiting: 12, contracts.StateRunning: 200},
			}
		}},
		{"Tabs", "second shown", func() app.UI {
			return &parts.Tabs{Label: "Views", Tabs: []parts.Tab{{Name: "a", Title: "Answer"}, {Name: "b", Title: "Events", Count: 412}}, Shown: "b"}
		}},
		{"TimeFilter", "the last day", func() app.UI { return &parts.TimeFilter{Since: "1d"} }},
		{"TimeFilter", "between two times", func() app.UI {
			return &parts.TimeFilter{Since: "2026-01-02T03:04:05Z", Until: "2026-01-03T00:00:00Z"}
		}},
		{"Timeline", "a run of every kind", func() app.UI { return fixtureTimeline(1000, false) }},
		{"Timeline", "on a phone", func() app.UI { return fixtureTimeline(340, true) }},
		{"UpdateNotice", "nothing new", func() app.UI { return &parts.UpdateNotice{} }},
		{"UpdateNotice", "ready", func() app.UI { return &parts.UpdateNotice{State: "ready"} }},
		{"UpdateNotice", "left behind", func() app.UI { return &parts.UpdateNotice{State: "stale"} }},
	}
	entries = append(entries, viewEntries(approval, long)...)
	for _, level := range []parts.Level{parts.LevelCalm, parts.LevelWarned, parts.LevelReached} {
		entries = append(entries, Entry{"Gauge", string(level), func() app.UI {
			return &parts.Gauge{Name: "tokens", Words: "5.1 k / 128 k", Share: 0.4, Warn: 0.8, Level: level, Pace: "full in 3 min", Rate: "410 tok/s"}
		}})
	}
	for _, s := range []contracts.State{
		contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining, contracts.StateSucceeded,
		contracts.StateRefused, contracts.StateFailed, contracts.StateCancelled, contracts.StateExhausted,
	} {
		entries = append(entries,
			Entry{"RunRow", string(s), func() app.UI {
				return &parts.RunRow{ID: run, State: s, Goal: long, Backend: "local", Age: "12 s", Tokens: "5.1 k tok", Gauge: "tokens", Approvals: 1}
			}},
			Entry{"StateBadge", string(s), func() app.UI { return &parts.StateBadge{State: s} }},
		)
	}
	return entries
}
