package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal/natsjournal/natstest"
)

// startShared starts a server whose journal is a cluster's. It prefers one node, and knows the others.
func startShared(t *testing.T, c *natstest.Cluster, prefers int) *server {
	t.Helper()
	return startServer(t, t.TempDir(), "--journal", strings.Join(c.URLs(prefers), ",")+"/?replicas=3")
}

// TestServersShareAJournal uses two servers as one: what is done at one is seen, decided and cancelled at the other.
func TestServersShareAJournal(t *testing.T) { //nolint:tparallel // its parts follow each other
	t.Parallel()
	c := natstest.StartCluster(t, 3, natstest.Options{})
	a, b := startShared(t, c, 0), startShared(t, c, 1)

	t.Run("a run ends at both as it did at one", func(t *testing.T) {
		id := a.create(t, localTask(must42, "", "41", "42"))
		b.done(t, id)
		history := b.history(t, id)
		checkStream(t, history)
		if got, err := b.view(t.Context(), id, 0, 0); err != nil || strings.Join(got, "\n") != strings.Join(a.history(t, id), "\n") {
			t.Errorf("a viewer elsewhere got %d events of %d, %v", len(got), len(history), err)
		}
	})
	t.Run("a human decides at the other", func(t *testing.T) {
		id := a.create(t, waitingTask)
		waits := b.await(t, id, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })
		b.must(t, http.MethodPost, "/runs/"+id.String()+"/approvals/"+waits.OpenCalls[0].Approval.ID.String(), `{"decision":"approve"}`, nil)
		if got := b.done(t, id); got.State != contracts.StateSucceeded {
			t.Errorf("the run ended %s", got.State)
		}
		checkStream(t, a.history(t, id))
	})
	t.Run("a run is cancelled at the other", func(t *testing.T) {
		id := a.create(t, waitingTask)
		b.await(t, id, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })
		b.must(t, http.MethodPost, "/runs/"+id.String()+"/cancel", "{}", nil)
		if got := a.done(t, id); got.State != contracts.StateCancelled {
			t.Errorf("the run ended %s", got.State)
		}
		checkStream(t, b.history(t, id))
	})
	t.Run("an idempotency key is known at both", func(t *testing.T) {
		first := a.keyed(t, "one key", externalTask)
		if second := b.keyed(t, "one key", externalTask); second != first {
			t.Errorf("the same request made %s and %s", first, second)
		}
	})
	t.Run("an engine reports to either", func(t *testing.T) {
		id := a.create(t, externalTask)
		for i, s := range []*server{a, b, a, b} {
			s.report(t, id, tokenLine(fmt.Sprint(i)))
		}
		b.answer(t, id, "0123")
		if got := a.done(t, id); got.State != contracts.StateSucceeded {
			t.Errorf("the run ended %s", got.State)
		}
		checkStream(t, a.history(t, id))
	})
	t.Run("a tool put at one is known at the other", func(t *testing.T) {
		a.must(t, http.MethodPut, "/tools/publish", publishTool, nil)
		for range 200 {
			if b.send(t, http.MethodGet, "/tools/publish", "").status == http.StatusOK {
				return
			}
			time.Sleep(again)
		}
		t.Error("the other server does not know the tool")
	})
}

// publishTool is a tool that an external engine carries out.
const publishTool = `{"schema_version":2,"name":"publish","version":"1.0.0","description":"Publishes a text.","effect":"write",
	"input_schema":{"type":"object"},"transport":{"type":"engine"}}`

// keyed submits a task under an idempotency key.
func (s *server) keyed(t *testing.T, key, task string) contracts.RunID {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/runs", strings.NewReader(task))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // only its header is read
	if res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK {
		t.Fatalf("create: %s", res.Status)
	}
	return contracts.RunID(strings.TrimPrefix(res.Header.Get("Location"), "/runs/"))
}

// TestClusterLosesNothing breaks a cluster of three nodes and two servers in turn, while engines report to the one and
// viewers watch the other; in the end one server is killed for good. An independent reader then holds the journal against
// what engines and viewers were told.
func TestClusterLosesNothing(t *testing.T) {
	t.Parallel()
	const engines = 4
	c := natstest.StartCluster(t, 3, natstest.Options{})
	a, b := startShared(t, c, 0), startShared(t, c, 1)
	all := make([]*survivor, engines)
	for i := range all {
		all[i] = &survivor{run: a.create(t, loadTask)}
	}
	orphan := a.create(t, waitingTask)
	a.await(t, orphan, "waiting", func(r snapshot) bool { return r.State == contracts.StateWaiting })

	var reportTo, viewAt atomic.Pointer[server]
	reportTo.Store(a)
	viewAt.Store(b)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	for _, v := range all {
		running.Go(func() { v.watch(ctx, func() string { return viewAt.Load().url }, func() {}) })
		running.Go(func() { v.report(ctx, func() string { return reportTo.Load().url }) })
	}
	for _, fault := range []struct {
		name   string
		strike func()
	}{
		{"no fault", func() {}},
		{"a node stops", func() { c.Stop(2) }},
		{"it is started again", func() { c.Start(t, 2); c.WaitReady(t) }},
		{"a node is cut off", func() { c.Isolate(1) }},
		{"it is found again", func() { c.Heal(1); c.WaitReady(t) }},
		{"the leaders give way", func() {
			for _, stream := range []string{"axiom25_runs_0", "axiom25_leases", "axiom25_list"} {
				if err := c.StepDown(stream); err != nil {
					t.Errorf("step down: %v", err)
				}
			}
		}},
		{"a server is killed", func() {
			reportTo.Store(b)
			a.kill(t)
		}},
	} {
		before := progress(t, b, all)
		fault.strike()
		// Whatever broke, the runs go on: they get some more events, within the time that an election may take.
		for deadline := time.Now().Add(runTimeout); ; time.Sleep(100 * time.Millisecond) { //nolint:forbidigo // a test's patience
			if now := progress(t, b, all); now >= before+engines*10 {
				break
			}
			if time.Now().After(deadline) { //nolint:forbidigo // as above
				t.Fatalf("%s: no progress; %s", fault.name, c.Describe())
			}
		}
		t.Logf("%s: the runs go on", fault.name)
	}
	// The run that was in the killed server's hands is ended by the other one, honestly, once its lease has lapsed.
	if got := b.done(t, orphan); got.State != contracts.StateFailed || got.FatalError == nil || !got.FatalError.Has(contracts.ProblemEngineLost) {
		t.Errorf("the orphan is %s with %+v, want failed with engine-lost", got.State, got.FatalError)
	}
	checkStream(t, b.history(t, orphan))
	stop()
	running.Wait()
	for i, v := range all {
		if err := errors.Join(v.err, v.viewErr); err != nil {
			t.Errorf("run %d: %v", i, err)
		}
		v.holds(t, b.history(t, v.run))
		t.Logf("run %d: %d reports acknowledged, %d turned away, %d events shown", i, v.sent, v.refused, len(v.seen))
	}
	b.stop(t)
	checked := axiom25(t, "", "check", "--journal", strings.Join(c.URLs(1), ",")+"/?replicas=3")
	if checked.code != 0 {
		t.Errorf("check: exit code %d\n%s%s", checked.code, checked.stdout, checked.stderr)
	}
}

// progress is how many events the runs have together, as far as a server answers.
func progress(t *testing.T, s *server, all []*survivor) contracts.Seq {
	t.Helper()
	var sum contracts.Seq
	for _, v := range all {
		res := s.send(t, http.MethodGet, "/runs/"+v.run.String()+"/events?after=9007199254740991", "")
		if res.status != http.StatusOK {
			return 0 // no quorum: there is no progress to see
		}
		var page contracts.EventPage
		if err := json.Unmarshal(res.body, &page); err != nil {
			t.Fatal(err)
		}
		sum += page.LastSeq
	}
	return sum
}
