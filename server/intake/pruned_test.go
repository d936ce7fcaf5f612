package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
	"axiom25/server/journal/faultjournal"
)

// What retention has deleted is gone for everybody, though its fold was in memory; what is left of it is shown.
func TestPruned(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.create("")
	if _, err := d.answer(id, "m", "8"); err != nil {
		t.Fatal(problemText(err))
	}
	for more := true; more; {
		var err error
		if more, err = d.journal.Prune(t.Context(), id, journal.MaxPruneRows); err != nil {
			t.Fatal(err)
		}
	}
	s, err := d.Snapshot(t.Context(), id)
	if err != nil || !s.Pruned || s.State != contracts.StateSucceeded || s.RunID != id || s.OpenCalls == nil {
		t.Errorf("snapshot %+v, %v", s, err)
	}
	for name, err := range map[string]error{
		"append": second(d.report(id, thought)),
		"answer": second(d.answer(id, "m", "8")),
		"task":   second(d.Task(t.Context(), id)),
		"cancel": d.Cancel(t.Context(), id, contracts.CancelRequest{}),
		"fork":   third(d.Fork(t.Context(), id, 1, nil, intake.CreateOptions{})),
		"feed":   second(d.As("").Feed(t.Context(), id, nil)),
	} {
		if !errors.Is(err, journal.ErrPruned) {
			t.Errorf("%s: %v, want that the history is pruned", name, problemText(err))
		}
	}
}

func second[T any](_ T, err error) error { return err }

func third[T any](_ T, _ bool, err error) error { return err }

// A verdict looks at the output of the call of a tool that started last, whichever ended last.
func TestAnswer_looksAtTheLastCall(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lines []string
		want  string
	}{
		"one after the other": {[]string{lookupStart("a"), lookupEnd("a", 1), lookupStart("b"), lookupEnd("b", 2)}, "2"},
		"ended in turn":       {[]string{lookupStart("a"), lookupStart("b"), lookupEnd("a", 1), lookupEnd("b", 2)}, "2"},
		"ended the other way": {[]string{lookupStart("a"), lookupStart("b"), lookupEnd("b", 2), lookupEnd("a", 1)}, "2"},
		"the last one anew": {[]string{
			lookupStart("a"), lookupEnd("a", 1), lookupStart("b"), `tool_end {"call_id":"b","status":"error"}`,
			strings.Replace(lookupStart("b"), `"args"`, `"attempt":2,"args"`, 1), lookupEnd("b", 3),
		}, "3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openWithTools(t)
			id := d.create(withTools + fmt.Sprintf(`,"verification":{"assertions":[{"id":"last","type":"equals","target":"tool:lookup#/n","value":%s}]}`, tc.want))
			for _, line := range tc.lines {
				d.mustReport(id, line)
			}
			judged, err := d.answer(id, "m", "x")
			if err != nil || judged.Verdict == nil || judged.Verdict.Outcome != contracts.OutcomePass {
				t.Errorf("judged %+v, %v", judged.Verdict, problemText(err))
			}
		})
	}
}

func lookupStart(call string) string {
	return fmt.Sprintf(`tool_start {"call_id":%q,"tool":"lookup","args":{"q":"x"}}`, call)
}

func lookupEnd(call string, n int) string {
	return fmt.Sprintf(`tool_end {"call_id":%q,"status":"ok","output":{"n":%d}}`, call, n)
}

// Whatever an engine can report is recognized when it comes again.
func TestFeed_recognizes(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	id := d.create(withTools)
	token := d.mustClaim(id)
	lines := []string{
		`thought {"id":"t","delta":"x"}`,
		`token@a {"id":"m","delta":"x"}`,
		`error {"type":"/problems/tool-failed","title":"The tool call failed","status":500,"retry":"retrying"}`,
		lookupStart("c"), lookupEnd("c", 1),
		`tool_start {"call_id":"d","tool":"nothing","args":{}}`, // denied, and ended by the server
	}
	var batches [][]contracts.EngineEvent
	for _, line := range lines {
		batches = append(batches, engineEvents(t, line))
	}
	zero := contracts.Seq(0)
	first, err := d.As(token).Feed(t.Context(), id, &zero)
	if err != nil {
		t.Fatal(problemText(err))
	}
	if _, err := first.Append(t.Context(), batches); err != nil {
		t.Fatal(problemText(err))
	}
	story := d.story(id)
	again, err := d.As(token).Feed(t.Context(), id, &zero)
	if err != nil {
		t.Fatal(problemText(err))
	}
	acks, err := again.Append(t.Context(), batches)
	if err != nil || len(acks) != len(batches) {
		t.Fatalf("acks %v, %v", acks, problemText(err))
	}
	if err := again.Beat(t.Context()); err != nil {
		t.Error(problemText(err))
	}
	if got := d.story(id); len(got) != len(story) {
		t.Errorf("stored again: %q", got[len(story):])
	}
	for i, other := range []string{
		`thought {"id":"t","delta":"y"}`, `thought {"id":"m","delta":"x"}`,
		`error {"type":"/problems/tool-failed","title":"The tool call failed","status":500}`, lookupStart("e"), lookupEnd("e", 1), `thought {"id":"t","delta":"x"}`,
	} {
		feed, err := d.As(token).Feed(t.Context(), id, &zero)
		if err != nil {
			t.Fatal(problemText(err))
		}
		changed := append(append([][]contracts.EngineEvent{}, batches[:i]...), engineEvents(t, other))
		_, err = feed.Append(t.Context(), changed)
		wantProblem(t, err, contracts.ProblemSequenceConflict)
	}
}

// A run whose creation had an unknown outcome is made once.
func TestCreate_settles(t *testing.T) {
	t.Parallel()
	for _, stored := range []bool{true, false} {
		t.Run(fmt.Sprint("stored ", stored), func(t *testing.T) {
			t.Parallel()
			faults, withFaults := faulty()
			d := open(t, withFaults)
			(*faults).Unknown(faultjournal.OpCreate, 1, stored)
			id := d.create("")
			d.wantStory(id, "queued(submitted)")
			runs, err := d.journal.List(t.Context(), journal.Query{Limit: 10})
			if err != nil || len(runs) != 1 {
				t.Errorf("%d runs, %v", len(runs), err)
			}
			d.mustReport(id, thought)
		})
	}
}

func TestNew_refusesLeasesThatCannotBe(t *testing.T) {
	t.Parallel()
	d := open(t)
	for name, change := range map[string]func(*intake.Config){
		"too short":         func(c *intake.Config) { c.LeaseTTL = 1 },
		"too short inside":  func(c *intake.Config) { c.NodeTTL = 1 },
		"an unknown expiry": func(c *intake.Config) { c.Expiry = "later" },
	} {
		if _, err := intake.New(d.config(change)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
