package intake_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

func containsText(b []byte, text string) bool { return bytes.Contains(b, []byte(text)) }

func TestAppend(t *testing.T) {
	t.Parallel()

	t.Run("the first batch claims the run and what is stored comes back", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		got := d.mustReport(id, `thought {"id":"t1","delta":"hm","kind":"plan"}`, `token@a.b {"id":"m1","delta":"8"}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "thought", "token")
		if got.Seq != 4 || len(got.Events) != 3 || got.Events[2].Branch != "a.b" {
			t.Errorf("Appended = %+v", got)
		}
		stored, _ := contracts.Encode(d.events(id)[1:])
		answered, _ := contracts.Encode(got.Events)
		if !bytes.Equal(stored, answered) {
			t.Errorf("answered\n%s\nstored\n%s", answered, stored)
		}
	})

	t.Run("all events or none", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		_, err := d.report(id, `token {"id":"m1","delta":"a","final":true}`, `token {"id":"m1","delta":"b"}`)
		p := wantProblem(t, err, contracts.ProblemIllegalTransition)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != "#/1" || p.Errors[0].Code != contracts.CodeInvariant || p.Errors[0].Params["invariant"] != 6 {
			t.Errorf("problem = %s", problemText(err))
		}
		d.wantStory(id, "queued(submitted)")
		d.mustReport(id, `token {"id":"m1","delta":"a"}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "token")
	})

	t.Run("nothing is taken for a run that is unknown or over", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		_, err := d.report("run_01hzzzzzzzzzzzzzzzzzzzzzzz", `thought {"id":"t","delta":""}`)
		wantProblem(t, err, contracts.ProblemNotFound)
		id := d.create("")
		if _, err := d.answer(id, "m", "8"); err != nil {
			t.Fatal(problemText(err))
		}
		_, err = d.report(id, `thought {"id":"t","delta":""}`)
		wantProblem(t, err, contracts.ProblemRunFinished)
		d.wantWhole(id)
	})

	t.Run("a usage report is not an event of its own", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		first := d.mustReport(id, `budget {"used":{"tokens_in":10,"tokens_out":2}}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "tick")
		again := d.mustReport(id, `budget {"used":{"tokens_in":9}}`)
		if again.Seq != first.Seq || len(again.Events) != 0 {
			t.Errorf("a report of nothing new gave %+v", again)
		}
		if s, err := d.Snapshot(t.Context(), id); err != nil || s.Used.TokensIn != 10 || s.Used.TokensOut != 2 {
			t.Errorf("Snapshot used = %+v, %v", s.Used, err)
		}
	})

	t.Run("a batch may be as large as the contract allows, whatever the server adds", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create("")
		lines := make([]string, contracts.MaxBatchEvents)
		for i := range lines {
			lines[i] = `token {"id":"m","delta":"x"}`
		}
		if got := d.mustReport(id, lines...); got.Seq != contracts.MaxBatchEvents+2 {
			t.Errorf("the last event is %d", got.Seq)
		}
	})

	t.Run("a batch that the server cannot complete within one append is too large", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		id := d.create(`,"profile":"max"`)
		args := strings.Repeat("x", 8_000)
		lines := make([]string, 500) // 4 MB, each of which stands in the receipt of the denied call as well
		for i := range lines {
			lines[i] = `tool_start {"call_id":"c` + strconv.Itoa(i) + `","tool":"nothing","args":"` + args + `"}`
		}
		_, err := d.report(id, lines...)
		wantProblem(t, err, contracts.ProblemTooLarge)
		d.wantStory(id, "queued(submitted)")
		d.mustReport(id, lines[:100]...)
	})
}

func TestAppend_cursor(t *testing.T) {
	t.Parallel()
	d := openWithTools(t)
	id := d.create(withTools)
	send := func(after contracts.Seq, line string) (contracts.Appended, error) {
		return d.Append(t.Context(), id, engineEvents(t, line), &journal.Origin{After: after, Digest: contracts.DigestText(line)})
	}
	first, err := send(0, `thought {"id":"t","delta":"one"}`)
	if err != nil || first.Seq != 3 {
		t.Fatalf("first = %+v, %v", first, problemText(err))
	}
	wantSame := func(after contracts.Seq, line string, want contracts.Appended) {
		t.Helper()
		got, err := send(after, line)
		gotJSON, _ := json.Marshal(got)
		wantJSON, _ := json.Marshal(want)
		if err != nil || !bytes.Equal(gotJSON, wantJSON) {
			t.Errorf("the same again gave %s, %v; want %s", gotJSON, problemText(err), wantJSON)
		}
	}
	wantConflict := func(after contracts.Seq, expected contracts.Seq) {
		t.Helper()
		_, err := send(after, `thought {"id":"t","delta":"other"}`)
		p := wantProblem(t, err, contracts.ProblemSequenceConflict)
		if p.Expected == nil || *p.Expected != expected {
			t.Errorf("after %d expected = %v, want %d", after, p.Expected, expected)
		}
	}
	wantSame(0, `thought {"id":"t","delta":"one"}`, first)
	wantConflict(0, 3)
	wantConflict(2, 3)
	wantConflict(99, 3)

	asked, err := send(first.Seq, `tool_start {"call_id":"c","tool":"send","args":{"to":"x"}}`)
	if err != nil {
		t.Fatal(problemText(err))
	}
	approval := body[*contracts.ToolStartData](t, asked.Events[0]).Approval
	if err := d.Decide(t.Context(), id, approval.ID, contracts.ApprovalDecision{Decision: contracts.VerbApprove}); err != nil {
		t.Fatal(problemText(err))
	}
	ended, err := send(asked.Seq, `tool_end {"call_id":"c","status":"ok","output":1}`)
	if err != nil {
		t.Fatalf("the server's own events in between conflict: %v", problemText(err))
	}
	wantSame(asked.Seq, `tool_end {"call_id":"c","status":"ok","output":1}`, ended)
	wantSame(0, `thought {"id":"t","delta":"one"}`, first)

	// The same cursors hold for a door that has nothing in memory.
	if err := d.journal.Close(); err != nil {
		t.Fatal(err)
	}
	d2 := openAt(t, d.path)
	_, err = d2.Append(t.Context(), id, engineEvents(t, `thought {"id":"t","delta":"two"}`), &journal.Origin{After: asked.Seq, Digest: "sha256:x"})
	if p := wantProblem(t, err, contracts.ProblemSequenceConflict); *p.Expected != ended.Events[0].Seq {
		t.Errorf("expected = %d, want %d", *p.Expected, ended.Events[0].Seq)
	}
	if _, err := d2.Append(t.Context(), id, engineEvents(t, `thought {"id":"t","delta":"two"}`), &journal.Origin{After: ended.Seq, Digest: "sha256:y"}); err != nil {
		t.Errorf("append after reopening: %v", problemText(err))
	}
}

func TestAppend_gates(t *testing.T) {
	t.Parallel()

	t.Run("an allowed call is carried out by the engine", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start@b1 {"call_id":"c1","tool":"lookup","args":{"q":"x"}}`)
		d.mustReport(id, `tool_end {"call_id":"c1","status":"ok","output":{"n":8},"cost_microusd":5}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "start c1 allow", "end c1 ok")
		events := d.events(id)
		start, end := body[*contracts.ToolStartData](t, events[2]), body[*contracts.ToolEndData](t, events[3])
		entry, _ := d.shelf.Entry("lookup@1.0.0")
		if start.Tool != "lookup@1.0.0" || start.ToolDigest != entry.Digest || start.Attempt != 1 || start.Approval != nil {
			t.Errorf("start = %+v", start)
		}
		r := end.Receipt
		header := body[*contracts.StatusData](t, events[0])
		if r == nil || !r.Verify(header.TaskDigest) || r.Tool != "lookup@1.0.0" || r.CostMicroUSD != 5 || r.StartedAt != events[2].Time ||
			r.LatencyMS != events[3].Time.Sub(events[2].Time) || r.ResultBytes != int64(len(`{"n":8}`)) || r.Approval != nil || r.ResultHash == "" {
			t.Errorf("receipt = %+v", r)
		}
		if events[3].Branch != "b1" {
			t.Errorf("the end stands on %q, want the start's branch", events[3].Branch)
		}
	})

	t.Run("a call that the task does not allow is denied at once", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(`,"allowed_tools":["lookup"]`)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"send","args":{"to":"x"}}`, `tool_start {"call_id":"c2","tool":"lookup@9.9.9","args":{}}`)
		d.wantStory(id, "queued(submitted)", "running(started)", "start c1 deny", "end c1 denied", "start c2 deny", "end c2 denied")
		end := body[*contracts.ToolEndData](t, d.events(id)[3])
		if !end.Error.Has(contracts.ProblemToolUnknown) || end.Receipt.Status != contracts.CallDenied || end.Receipt.ToolDigest != "" {
			t.Errorf("end = %+v", end)
		}
		_, err := d.report(id, `tool_end {"call_id":"c1","status":"ok"}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
	})

	t.Run("a definition that changed since the run began is denied", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.shelf.put(t, strings.Replace(lookup, "looks a fact up", "does something else", 1))
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{}}`)
		end := body[*contracts.ToolEndData](t, d.events(id)[3])
		if end.Status != contracts.CallDenied || !end.Error.Has(contracts.ProblemToolVersionConflict) {
			t.Errorf("end = %+v", end)
		}
		if task, err := d.Task(t.Context(), id); err != nil || len(task.Tools) != 1 {
			t.Errorf("pinned tools = %v, %v", task.Tools, err)
		}
	})

	t.Run("a bare name means the highest version, and one of two that differ in build metadata each time", func(t *testing.T) {
		t.Parallel()
		d := open(t)
		for _, version := range []string{"1.0.0+a", "1.0.0+b", "0.9.0"} {
			d.shelf.put(t, strings.Replace(lookup, `"1.0.0"`, `"`+version+`"`, 1))
		}
		id := d.create(`,"allowed_tools":["lookup@1.0.0+a","lookup@1.0.0+b","lookup@0.9.0"]`)
		for i := range 20 {
			d.mustReport(id, start("c"+strconv.Itoa(i), "lookup", `{}`), `tool_end {"call_id":"c`+strconv.Itoa(i)+`","status":"ok"}`)
		}
		for _, ev := range d.events(id) {
			if call, ok := ev.Data.(*contracts.ToolStartData); ok && call.Tool != "lookup@1.0.0+b" {
				t.Fatalf("call %s is of %s", call.CallID, call.Tool)
			}
		}
	})

	t.Run("a call is tried as often as its tool allows", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{}}`, `tool_end {"call_id":"c1","status":"error"}`)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{},"attempt":2}`, `tool_end {"call_id":"c1","status":"timeout"}`)
		_, err := d.report(id, `tool_start {"call_id":"c1","tool":"lookup","args":{},"attempt":3}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
	})

	t.Run("a result that breaks the tool's output schema is an error", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{}}`, `tool_end {"call_id":"c1","status":"ok","output":[1]}`)
		end := body[*contracts.ToolEndData](t, d.events(id)[3])
		if end.Status != contracts.CallError || end.Error == nil || end.Receipt.Status != contracts.CallError || string(end.Output) != "[1]" {
			t.Errorf("end = %+v", end)
		}
	})

	t.Run("a long result is cut between characters", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		long := `{"s":"` + strings.Repeat("é", 100) + `"}`
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{}}`, `tool_end {"call_id":"c1","status":"ok","output":`+long+`}`)
		end := body[*contracts.ToolEndData](t, d.events(id)[3])
		var shown string
		if err := json.Unmarshal(end.Output, &shown); err != nil || !end.Truncated {
			t.Fatalf("end = %s, %v", end.Output, err)
		}
		if len(shown) > 64 || !strings.HasPrefix(long, shown) || end.Receipt.ResultBytes != int64(len(long)) {
			t.Errorf("shown %d bytes of %d", len(shown), end.Receipt.ResultBytes)
		}
	})
}

func TestAppend_beyond(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		budget string
		lines  []string
		want   []string
	}{
		"one call too many stops the run": {
			`{"max_tool_calls":1,"on_exhausted":"stop","warn_pct":99}`,
			[]string{`tool_start {"call_id":"c2","tool":"lookup","args":{}}`},
			[]string{"tick", "draining(tool_calls)", "end c1 cancelled", "done exhausted"},
		},
		"one branch too many stops the run": {
			`{"branch_width":2,"on_exhausted":"stop","warn_pct":99}`,
			[]string{`thought@b2 {"id":"t2","delta":"x"}`},
			[]string{"tick", "draining(branches)", "end c1 cancelled", "done exhausted"},
		},
		"a call on a branch too many lets the run drain": {
			`{"branch_width":2,"warn_pct":99}`,
			[]string{`thought {"id":"t9","delta":"lost with its batch"}`, `tool_start@b2 {"call_id":"c2","tool":"lookup","args":{}}`},
			[]string{"tick", "draining(branches)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := openWithTools(t)
			id := d.create(withTools + `,"budget":` + row.budget)
			d.mustReport(id, `tool_start@b1 {"call_id":"c1","tool":"lookup","args":{}}`)
			before := len(d.events(id))
			_, err := d.report(id, row.lines...)
			wantProblem(t, err, contracts.ProblemIllegalTransition)
			got := d.story(id)[before:]
			if strings.Join(got, "|") != strings.Join(row.want, "|") {
				t.Errorf("story\n got %q\nwant %q", got, row.want)
			}
			if !strings.HasPrefix(got[len(got)-1], "done") {
				_, err = d.report(id, row.lines...) // again, while it drains
				wantProblem(t, err, contracts.ProblemIllegalTransition)
				d.mustReport(id, `tool_end {"call_id":"c1","status":"ok","output":{}}`)
				if j, err := d.answer(id, "m", "that is all"); err != nil || j.Done.Status != contracts.StateExhausted {
					t.Errorf("Answer = %+v, %v", j, problemText(err))
				}
			}
			d.wantWhole(id)
		})
	}
	t.Run("a queued run whose first batch asks too much", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"budget":{"max_tool_calls":0,"on_exhausted":"stop"}`)
		_, err := d.report(id, `tool_start {"call_id":"c1","tool":"lookup","args":{}}`)
		wantProblem(t, err, contracts.ProblemIllegalTransition)
		d.wantStory(id, "queued(submitted)", "running(started)", "tick", "draining(tool_calls)", "done exhausted")
		d.wantWhole(id)
	})
}

func TestAppend_hides(t *testing.T) {
	t.Parallel()

	t.Run("what a tool's redact names", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{"q":"x","key":"K-1"}}`, `tool_end {"call_id":"c1","status":"ok","output":{"key":{"v":"K-2"},"n":1.50}}`)
		events := d.events(id)
		start, end := body[*contracts.ToolStartData](t, events[2]), body[*contracts.ToolEndData](t, events[3])
		if string(start.Args) != `{"key":"[redacted]","q":"x"}` || string(end.Receipt.Args) != string(start.Args) {
			t.Errorf("args = %s, receipt %s", start.Args, end.Receipt.Args)
		}
		if string(end.Output) != `{"key":"[redacted]","n":1.50}` {
			t.Errorf("output = %s", end.Output)
		}
	})

	t.Run("a tool's redact, also where the task does not allow the tool", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create("")
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{"q":"x","key":"K-1"}}`)
		start := body[*contracts.ToolStartData](t, d.events(id)[2])
		if start.Gate != contracts.GateDeny || string(start.Args) != `{"key":"[redacted]","q":"x"}` {
			t.Errorf("gate %s, args %s", start.Gate, start.Args)
		}
	})

	t.Run("everything of a tool whose definition is gone, and with it what it wants hidden", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{"key":"K-1"}}`)
		d.shelf.remove("lookup@1.0.0")
		d.mustReport(id, `tool_end {"call_id":"c1","status":"ok","output":{"key":"K-2"}}`,
			`tool_start {"call_id":"c2","tool":"lookup","args":{"key":"K-3"}}`)
		events := d.events(id)
		end, denied := body[*contracts.ToolEndData](t, events[3]), body[*contracts.ToolStartData](t, events[4])
		if end.Status != contracts.CallError || !end.Error.Has(contracts.ProblemToolVersionConflict) || string(end.Output) != `"[redacted]"` {
			t.Errorf("end = %s, %v, output %s", end.Status, end.Error, end.Output)
		}
		if denied.Gate != contracts.GateDeny || string(denied.Args) != `"[redacted]"` {
			t.Errorf("gate %s, args %s", denied.Gate, denied.Args)
		}
	})

	t.Run("a call that refers to a sensitive input", func(t *testing.T) {
		t.Parallel()
		for name, args := range map[string]string{
			"by its text":         `{"q":"before s3cret-phrase after"}`,
			"by a name":           `{"q":{"$from":"inputs.a#/x"}}`,
			"by a bare name":      `{"q":["inputs.a"]}`,
			"by a leaf":           `{"deep":[{"q":"another-secret"}]}`,
			"by a member's name":  `{"s3cret-phrase":1}`,
			"by a short text":     `{"q":"pin7"}`,
			"by a number":         `{"q":4711}`,
			"by the reference":    `{"q":"https://example.com/private/file"}`,
			"not at all":          `{"q":"pin77"}`,
			"not by another name": `{"q":"inputs.ab"}`,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := openWithTools(t)
				id := d.create(withTools + `,"inputs":[{"name":"a","text":"s3cret-phrase","sensitive":true},` +
					`{"name":"b","data":{"x":["another-secret","pin7",4711]},"sensitive":true},` +
					`{"name":"c","uri":"https://example.com/private/file","digest":"sha256:` + strings.Repeat("0", 64) + `","sensitive":true}]`)
				d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":`+args+`}`)
				d.mustReport(id, `tool_end {"call_id":"c1","status":"ok","output":{"echo":"s3cret-phrase"}}`)
				if _, err := d.answer(id, "m", "done"); err != nil {
					t.Fatal(problemText(err))
				}
				events := d.events(id)
				start, end := body[*contracts.ToolStartData](t, events[2]), body[*contracts.ToolEndData](t, events[3])
				hidden := !strings.HasPrefix(name, "not ")
				if (string(start.Args) == `"[redacted]"`) != hidden || (string(end.Output) == `"[redacted]"`) != hidden {
					t.Errorf("args %s, output %s", start.Args, end.Output)
				}
				d.wantWhole(id)
			})
		}
	})

	t.Run("no byte of a sensitive input reaches the events on disk", func(t *testing.T) {
		t.Parallel()
		d := openWithTools(t)
		id := d.create(withTools + `,"inputs":[{"name":"a","text":"s3cret-phrase","sensitive":true}]`)
		d.mustReport(id, `tool_start {"call_id":"c1","tool":"lookup","args":{"q":"s3cret-phrase"}}`, `tool_end {"call_id":"c1","status":"ok","output":{"q":"s3cret-phrase"}}`)
		if err := d.journal.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(d.path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(file, []byte("s3cret-phrase")); n != 1 {
			t.Errorf("the text stands %d times in the file, want once, in the task", n)
		}
	})
}

func TestAppend_concurrently(t *testing.T) {
	t.Parallel()
	d := open(t, func(c *intake.Config) { c.CacheBytes = 1 }) // folds are rebuilt all the time
	const runs, writers, batches = 4, 3, 20
	ids := make([]contracts.RunID, runs)
	for i := range ids {
		ids[i] = d.create(`,"budget":{"max_tokens":1000000},"profile":"max"`)
	}
	var work sync.WaitGroup
	for _, id := range ids {
		for w := range writers {
			work.Go(func() {
				message := "m" + strconv.Itoa(w)
				for range batches {
					if _, err := d.report(id, `token {"id":"`+message+`","delta":"x"}`, `budget {"used":{"tokens_out":1}}`); err != nil {
						t.Errorf("Append = %v", problemText(err))
						return
					}
				}
			})
		}
	}
	work.Wait()
	for _, id := range ids {
		if _, err := d.answer(id, "final", "ok"); err != nil {
			t.Fatal(problemText(err))
		}
		tokens := 0
		for _, ev := range d.events(id) {
			if ev.Type == contracts.EventToken {
				tokens++
			}
		}
		if tokens != writers*batches {
			t.Errorf("run %s has %d tokens, want %d", id, tokens, writers*batches)
		}
		d.wantWhole(id)
	}
}
