package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/fanout"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
)

// shelf is a catalogue whose tools a test puts in place.
type shelf struct {
	mu    sync.Mutex
	specs map[contracts.ToolRef]contracts.ToolEntry
}

func (s *shelf) put(tb testing.TB, doc string) {
	tb.Helper()
	spec, err := contracts.Decode[contracts.ToolSpec]([]byte(doc))
	if err != nil {
		tb.Fatalf("tool: %v", problemText(err))
	}
	digest, err := contracts.DigestJSON([]byte(doc))
	if err != nil {
		tb.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.specs[spec.Ref()] = contracts.ToolEntry{Spec: *spec, Digest: digest, Gate: spec.Gate()}
}

func (s *shelf) remove(ref contracts.ToolRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.specs, ref)
}

func (s *shelf) Entry(ref contracts.ToolRef) (contracts.ToolEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry, ok := s.specs[ref]; ok {
		return entry, true
	}
	for exact, entry := range s.specs { // a test has one version of each tool
		if name, _ := exact.Split(); name == string(ref) {
			return entry, true
		}
	}
	return contracts.ToolEntry{}, false
}

func (s *shelf) Tool(ref contracts.ToolRef) (*contracts.ToolSpec, bool) {
	entry, ok := s.Entry(ref)
	return &entry.Spec, ok
}

// hands is the side of the engines: it takes the task's first preference, or refuses.
type hands struct {
	mu      sync.Mutex
	refusal error
	started []contracts.RunID
}

func (h *hands) Choose(task *contracts.TaskSpec, _ map[contracts.ToolRef]*contracts.ToolSpec) (intake.Choice, error) {
	if h.refusal != nil {
		return intake.Choice{}, h.refusal
	}
	if slices.Contains(task.Backend.Prefer, "local") {
		return intake.Choice{Name: "local", InProcess: true}, nil
	}
	return intake.Choice{Name: contracts.ExternalEngine}, nil
}

func (h *hands) Start(id contracts.RunID, _ string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = append(h.started, id)
}

func (h *hands) startedRuns() []contracts.RunID {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.started)
}

// door is an intake over a real journal.
type door struct {
	*intake.Intake
	t       testing.TB
	path    string
	journal journal.Journal
	hub     *fanout.Hub
	shelf   *shelf
	hands   *hands
}

// open makes a door over a new journal; change may alter its configuration.
func open(tb testing.TB, change ...func(*intake.Config)) *door {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "journal.db"), change...)
}

// openAt makes a door over the journal in a file.
func openAt(tb testing.TB, path string, change ...func(*intake.Config)) *door {
	tb.Helper()
	j, err := sqlitejournal.Open(tb.Context(), path, sqlitejournal.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := j.Close(); err != nil {
			tb.Errorf("close journal: %v", err)
		}
	})
	d := &door{t: tb, path: path, journal: j, shelf: &shelf{specs: make(map[contracts.ToolRef]contracts.ToolEntry)}, hands: &hands{}}
	cfg := intake.Config{
		Journal: j, Catalogue: d.shelf, Engines: d.hands, Log: quiet(), Now: now,
	}
	for _, f := range change {
		f(&cfg)
	}
	d.journal = cfg.Journal
	if cfg.Hub == nil {
		cfg.Hub = fanout.New(cfg.Journal)
	}
	d.hub = cfg.Hub
	d.Intake, err = intake.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// config is that of another door over the same journal.
func (d *door) config(change ...func(*intake.Config)) intake.Config {
	cfg := intake.Config{Journal: d.journal, Hub: d.hub, Catalogue: d.shelf, Engines: d.hands, Log: quiet(), Now: now}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// keepDeadlines runs the door's clock until the test ends.
func (d *door) keepDeadlines() {
	d.t.Helper()
	ctx, stop := context.WithCancel(d.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := d.Run(ctx); !errors.Is(err, context.Canceled) {
			d.t.Errorf("Run = %v, want the context's error", err)
		}
	}()
	d.t.Cleanup(func() {
		stop()
		<-ended
	})
}

// now is the clock of the tests.
func now() time.Time { return time.Now() } //nolint:forbidigo // the clock itself

// quiet is a log that nobody reads.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// task returns a TaskSpec document; more is members after the goal, each beginning with a comma.
func task(more string) string {
	return `{"schema_version":2,"goal":"say how many planets there are"` + more + `}`
}

// create makes a run of an external engine.
func (d *door) create(more string) contracts.RunID {
	d.t.Helper()
	c, replayed, err := d.Create(d.t.Context(), []byte(task(more)), intake.CreateOptions{})
	if err != nil || replayed {
		d.t.Fatalf("Create = replayed %v, %v", replayed, problemText(err))
	}
	return c.RunID
}

// report appends lines of an engine.
func (d *door) report(id contracts.RunID, lines ...string) (contracts.Appended, error) {
	d.t.Helper()
	return d.Append(d.t.Context(), id, engineEvents(d.t, lines...), nil)
}

// mustReport appends lines of an engine that must be accepted.
func (d *door) mustReport(id contracts.RunID, lines ...string) contracts.Appended {
	d.t.Helper()
	a, err := d.report(id, lines...)
	if err != nil {
		d.t.Fatalf("Append = %v", problemText(err))
	}
	return a
}

// engineEvents reads lines `type data` of an engine; `type@branch data` stands on a branch.
func engineEvents(tb testing.TB, lines ...string) []contracts.EngineEvent {
	tb.Helper()
	var body bytes.Buffer
	for _, line := range lines {
		kind, data, _ := bytes.Cut([]byte(line), []byte(" "))
		kind, branch, onBranch := bytes.Cut(kind, []byte("@"))
		fmt.Fprintf(&body, `{"schema_version":2,"type":%q,`, kind)
		if onBranch {
			fmt.Fprintf(&body, `"branch":%q,`, branch)
		}
		fmt.Fprintf(&body, "\"data\":%s}\n", data)
	}
	events, err := contracts.DecodeEngineEvents(body.Bytes())
	if err != nil {
		tb.Fatalf("engine events: %v", problemText(err))
	}
	return events
}

// answer posts an answer.
func (d *door) answer(id contracts.RunID, message, text string) (contracts.Judged, error) {
	d.t.Helper()
	return d.Answer(d.t.Context(), id, contracts.Answer{MessageID: message, Channel: contracts.ChannelAnswer, Text: text})
}

// events reads a run's journal.
func (d *door) events(id contracts.RunID) []contracts.RunEvent {
	d.t.Helper()
	var events []contracts.RunEvent
	for {
		page, err := d.journal.Read(d.t.Context(), id, contracts.Seq(len(events)), 1000, 1<<20)
		if err != nil {
			d.t.Fatalf("Read = %v", err)
		}
		for _, stored := range page.Events {
			ev, err := contracts.DecodeEvent(stored.JSON)
			if err != nil {
				d.t.Fatalf("event %d: %v", stored.Seq, problemText(err))
			}
			events = append(events, ev)
		}
		if contracts.Seq(len(events)) >= page.Last {
			return events
		}
	}
}

// story is a run's events in short: types, with what tells events of a type apart.
func (d *door) story(id contracts.RunID) []string {
	d.t.Helper()
	var story []string
	for _, ev := range d.events(id) {
		story = append(story, short(ev))
	}
	return story
}

// body returns an event's data as what a test knows it to be.
func body[T contracts.EventData](tb testing.TB, ev contracts.RunEvent) T {
	tb.Helper()
	data, ok := ev.Data.(T)
	if !ok {
		tb.Fatalf("event %d is %s", ev.Seq, short(ev))
	}
	return data
}

func short(ev contracts.RunEvent) string {
	switch data := ev.Data.(type) {
	case *contracts.StatusData:
		return fmt.Sprintf("%s(%s)", data.State, data.Reason)
	case *contracts.ToolStartData:
		return fmt.Sprintf("start %s %s", data.CallID, data.Gate)
	case *contracts.ToolEndData:
		return fmt.Sprintf("end %s %s", data.CallID, data.Status)
	case *contracts.ApprovalData:
		return fmt.Sprintf("%s %s", data.Decision, data.CallID)
	case *contracts.BudgetData:
		if data.Phase == contracts.BudgetWarn {
			return fmt.Sprintf("warn %s", data.Dimension)
		}
		return "tick"
	case *contracts.VerdictData:
		return fmt.Sprintf("verdict %d %s", data.Pass, data.Outcome)
	case *contracts.ErrorData:
		return fmt.Sprintf("error fatal=%v", data.Fatal)
	case *contracts.DoneData:
		return fmt.Sprintf("done %s", data.Status)
	}
	return string(ev.Type)
}

// wantStory compares a run's events in short.
func (d *door) wantStory(id contracts.RunID, want ...string) {
	d.t.Helper()
	if got := d.story(id); !slices.Equal(got, want) {
		d.t.Errorf("story\n got %q\nwant %q", got, want)
	}
}

// wantWhole holds a finished run against every invariant.
func (d *door) wantWhole(id contracts.RunID) *contracts.DoneData {
	d.t.Helper()
	events := d.events(id)
	if err := runstate.Check(slices.Values(events)); err != nil {
		d.t.Errorf("Check = %v\n%q", err, d.story(id))
	}
	done, ok := events[len(events)-1].Data.(*contracts.DoneData)
	if !ok {
		d.t.Fatalf("the run ends with %s", short(events[len(events)-1]))
	}
	return done
}

// wantProblem checks that err is a problem of a type, and returns it.
func wantProblem(tb testing.TB, err error, want contracts.ProblemType) contracts.Problem {
	tb.Helper()
	p, ok := errors.AsType[*contracts.Problem](err)
	if !ok || !p.Has(want) {
		tb.Fatalf("error = %v, want problem %s", problemText(err), want)
	}
	return *p
}

// problemText shows a problem whole.
func problemText(err error) string {
	if p, ok := errors.AsType[*contracts.Problem](err); ok {
		b, _ := json.Marshal(p)
		return string(b)
	}
	return fmt.Sprint(err)
}

// The tools of the tests: one behind each gate.
const (
	lookup = `{"schema_version":2,"name":"lookup","version":"1.0.0","description":"looks a fact up",` +
		`"input_schema":{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]},` +
		`"output_schema":{"type":"object"},"effect":"read","trust":"reviewed","limits":{"max_attempts":2,"max_result_bytes":64},` +
		`"redact":["/key"]}`
	send = `{"schema_version":2,"name":"send","version":"2.1.0","description":"sends a letter",` +
		`"input_schema":{"type":"object","properties":{"to":{"type":"string"}},"required":["to"]},` +
		`"effect":"write","trust":"reviewed","redact":["/token"]}`
)

// withTools is the task's permission for both.
const withTools = `,"allowed_tools":["lookup","send@2.1.0"]`

func openWithTools(tb testing.TB, change ...func(*intake.Config)) *door {
	tb.Helper()
	d := open(tb, change...)
	d.shelf.put(tb, lookup)
	d.shelf.put(tb, send)
	return d
}
