package intake_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"axiom25/contracts"
)

// TestAppend_room proves that whatever was accepted can be read back, and that a run can be ended whatever is open.
func TestAppend_room(t *testing.T) {
	t.Parallel()

	t.Run("an event that outgrows its limit by what the server adds is refused", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		line := fmt.Sprintf(`token {"id":"m","delta":%q}`, strings.Repeat("x", contracts.MaxDocumentBytes-100))
		_, err := d.report(id, line)
		wantProblem(t, err, contracts.ProblemTooLarge)
		d.wantStory(id, "queued(submitted)")
	})

	t.Run("arguments too deep for a receipt are refused", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		const most = contracts.MaxDepth - 3
		_, err := d.report(id, start("deep", "lookup", nested(most+1)))
		wantProblem(t, err, contracts.ProblemTooLarge)
		d.mustReport(id, start("fits", "lookup", nested(most)))
		d.endOpen(id)
	})

	t.Run("brackets within texts are no depth", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, start("c", "lookup", fmt.Sprintf(`{"q":%q}`, strings.Repeat(`[{"\`, 40))))
		d.endOpen(id)
	})

	t.Run("edited arguments too deep for a receipt are refused, and the call still waits", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id, request := d.ask("")
		edit := contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: json.RawMessage(`{"to":"a","more":` + nested(contracts.MaxDepth-3) + `}`)}
		wantProblem(t, d.Decide(t.Context(), id, request.ID, edit), contracts.ProblemTooLarge)
		if err := d.Decide(t.Context(), id, request.ID, contracts.ApprovalDecision{Decision: contracts.VerbDeny}); err != nil {
			t.Fatal(problemText(err))
		}
		d.endOpen(id)
	})

	t.Run("calls whose arguments do not fit one append cannot be open at once", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		args := fmt.Sprintf(`{"q":%q}`, strings.Repeat("x", 690<<10))
		var err error
		for i := 0; i < 4 && err == nil; i++ {
			_, err = d.report(id, start(fmt.Sprint("c", i), "lookup", args))
		}
		wantProblem(t, err, contracts.ProblemTooLarge)
		d.endOpen(id)
	})

	t.Run("calls that wait are no more than one append can cancel", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"profile":"max"`)
		var err error
		for i := 0; i < 500 && err == nil; i++ {
			_, err = d.report(id, start(fmt.Sprint("c", i), "send", `{"to":"a"}`))
		}
		wantProblem(t, err, contracts.ProblemTooLarge)
		d.endOpen(id)
	})
}

// start is an engine's line that starts a call.
func start(call, tool, args string) string {
	return fmt.Sprintf(`tool_start {"call_id":%q,"tool":%q,"args":%s}`, call, tool, args)
}

// nested returns an object of n levels.
func nested(n int) string {
	return `{"q":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
}

// endOpen cancels a run, ends it, and holds it against the invariants.
func (d *door) endOpen(id contracts.RunID) {
	d.t.Helper()
	if err := d.Cancel(d.t.Context(), id, contracts.CancelRequest{}); err != nil {
		d.t.Fatalf("Cancel = %v", problemText(err))
	}
	if err := d.Leave(d.t.Context(), id); err != nil {
		d.t.Fatalf("Leave = %v", problemText(err))
	}
	d.wantWhole(id)
}
