package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/httpapi"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// faultyJournal is a journal whose reads fail from an event on.
type faultyJournal struct {
	journal.Journal
	from contracts.Seq
	err  error
}

func (f *faultyJournal) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	page, err := f.Journal.Read(ctx, id, after, maxEvents, maxBytes)
	if err != nil || page.Last < f.from {
		return page, err
	}
	page.Events = page.Events[:max(0, min(int(f.from-after)-1, len(page.Events)))]
	if int(after)+len(page.Events) < int(f.from)-1 {
		return page, nil
	}
	return page, f.err
}

func (f *faultyJournal) List(context.Context, journal.Query) ([]contracts.Summary, error) {
	return nil, f.err
}

func (f *faultyJournal) Ready(context.Context) error { return f.err }

// faulty lets a house read from a journal that fails from an event on.
func faulty(from contracts.Seq, err error) func(*httpapi.Config) {
	return func(c *httpapi.Config) {
		whole, _ := c.Journal.(journal.Journal)
		f := &faultyJournal{Journal: whole, from: from, err: err}
		c.Journal, c.Hub = f, fanout.New(f)
	}
}

// faultyIntake fails, or panics, wherever it is asked.
type faultyIntake struct {
	httpapi.Intake
	err error
}

func (f *faultyIntake) Create(context.Context, []byte, intake.CreateOptions) (contracts.Created, bool, error) {
	return contracts.Created{}, false, f.err
}

func (f *faultyIntake) Snapshot(context.Context, contracts.RunID) (contracts.Snapshot, error) {
	panic("a fault that quotes " + canary)
}

// TestFaults has every error of the house below, and what a client reads of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	id := contracts.RunID("run_01jz0000000000000000000000")
	for name, c := range map[string]struct {
		err   error
		want  contracts.ProblemType
		retry string
		last  contracts.Seq
	}{
		"a problem":           {err: contracts.NewProblem(contracts.ProblemApprovalExpired, "late"), want: contracts.ProblemApprovalExpired},
		"too many requests":   {err: contracts.NewProblem(contracts.ProblemTooManyRequests, "slow down"), want: contracts.ProblemTooManyRequests, retry: "1"},
		"not found":           {err: journal.ErrNotFound, want: contracts.ProblemNotFound},
		"pruned":              {err: journal.ErrPruned, want: contracts.ProblemHistoryPruned},
		"too large":           {err: journal.ErrTooLarge, want: contracts.ProblemTooLarge},
		"busy":                {err: journal.ErrBusy, want: contracts.ProblemOverloaded, retry: "1"},
		"full":                {err: journal.ErrFull, want: contracts.ProblemJournalUnavailable, retry: "5"},
		"unavailable":         {err: journal.ErrUnavailable, want: contracts.ProblemJournalUnavailable, retry: "5"},
		"unknown":             {err: journal.ErrUnknown, want: contracts.ProblemJournalUnavailable, retry: "5"},
		"conflict":            {err: &journal.ConflictError{Run: id, Last: 7}, want: contracts.ProblemSequenceConflict, last: 7},
		"key taken":           {err: &journal.KeyTakenError{Run: id}, want: contracts.ProblemIdempotencyConflict},
		"tool conflict":       {err: &journal.ToolConflictError{Name: "a"}, want: contracts.ProblemToolVersionConflict},
		"damaged":             {err: &journal.DamagedError{Run: id, From: 3}, want: contracts.ProblemHistoryDamaged},
		"anything else":       {err: errors.New(canary), want: contracts.ProblemInternal},
		"an internal problem": {err: contracts.NewProblem(contracts.ProblemInternal, canary), want: contracts.ProblemInternal},
		"a deadline":          {err: context.DeadlineExceeded, want: contracts.ProblemInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(cfg *httpapi.Config) {
				cfg.Intake = &faultyIntake{Intake: cfg.Intake, err: fmt.Errorf("create run: %w", c.err)}
			})
			h.documents.AllowEveryProblem()
			a := h.do("POST", "/runs", task(""))
			p := wantProblem(t, a, c.want)
			if got := a.header.Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After: %s, want %s", got, c.retry)
			}
			if c.last != 0 && (p.Expected == nil || *p.Expected != c.last) {
				t.Errorf("expected: %v, want %d", p.Expected, c.last)
			}
			if strings.Contains(a.body, canary) {
				t.Errorf("the client reads the cause: %s", a.body)
			}
			if internal := c.want == contracts.ProblemInternal; internal != (p.RequestID != "") || internal && p.Detail != "" {
				t.Errorf("an internal error has the request id and nothing else: %s", a.body)
			}
			h.log.wait(t, "route=/runs", fmt.Sprintf("status=%d", a.status), "problem="+string(c.want), "request_id="+a.header.Get("X-Request-Id"))
		})
	}
}

func TestFaultyReads(t *testing.T) {
	t.Parallel()
	t.Run("a list", func(t *testing.T) {
		t.Parallel()
		h := open(t, faulty(1, journal.ErrUnavailable))
		wantProblem(t, h.do("GET", "/runs", ""), contracts.ProblemJournalUnavailable)
		wantProblem(t, h.do("GET", "/readyz", ""), contracts.ProblemJournalUnavailable)
	})
	t.Run("pruned history", func(t *testing.T) {
		t.Parallel()
		h := open(t, faulty(1, journal.ErrPruned))
		path := "/runs/" + h.create("").String()
		wantProblem(t, h.do("GET", path+"/stream", ""), contracts.ProblemHistoryPruned)
		wantProblem(t, h.do("GET", path+"/stream?after=x", ""), contracts.ProblemHistoryPruned)
		wantProblem(t, h.do("GET", path+"/events", ""), contracts.ProblemHistoryPruned)
	})
	t.Run("a journal that cannot be read now", func(t *testing.T) {
		t.Parallel()
		h := open(t, faulty(1, journal.ErrBusy))
		path := "/runs/" + h.create("").String() + "/stream"
		wantProblem(t, h.do("GET", path, ""), contracts.ProblemOverloaded)
		a := h.do("GET", path, "", "Accept: text/event-stream")
		if a.status != 200 || !strings.HasPrefix(a.body, "retry: ") {
			t.Errorf("an EventSource got %d %q", a.status, a.body)
		}
	})
	t.Run("damage at the start is a status", func(t *testing.T) {
		t.Parallel()
		h := open(t, faulty(1, &journal.DamagedError{From: 1}))
		path := "/runs/" + h.create("").String()
		wantProblem(t, h.do("GET", path+"/stream", ""), contracts.ProblemHistoryDamaged)
		wantProblem(t, h.do("GET", path+"/events", ""), contracts.ProblemHistoryDamaged)
	})
	t.Run("damage behind good events ends the stream", func(t *testing.T) {
		t.Parallel()
		h := open(t, faulty(3, &journal.DamagedError{From: 3}))
		id := h.create("")
		h.report(id, token("x"), token("y"))
		path := "/runs/" + id.String()
		a := h.do("GET", path+"/stream", "")
		got, err := messages(strings.NewReader(a.body), nil)
		if err != nil || len(got) != 4 || got[1].id != "1" || got[2].id != "2" || got[3].event != "problem" || got[3].hasID {
			t.Fatalf("the stream is %+v, %v", got, err)
		}
		var p contracts.Problem
		if err := json.Unmarshal([]byte(got[3].data), &p); err != nil || !p.Has(contracts.ProblemHistoryDamaged) {
			t.Errorf("the stream ends with %s, %v", got[3].data, err)
		}
		h.log.wait(t, "/stream", "end=failed")

		page := want[contracts.EventPage](t, h.do("GET", path+"/events", ""), 200)
		if len(page.Events) != 2 || page.LastSeq != 4 {
			t.Errorf("the page before the damage has %d events, last_seq %d", len(page.Events), page.LastSeq)
		}
		wantProblem(t, h.do("GET", path+"/events?after=2", ""), contracts.ProblemHistoryDamaged)
	})
}

func TestPanic(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) {
		c.Intake = &faultyIntake{Intake: c.Intake}
		c.Fallback = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/abort" {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 64<<10))
			panic("in the middle")
		})
	})
	a := h.do("GET", "/runs/run_01jz0000000000000000000000", "")
	if p := wantProblem(t, a, contracts.ProblemInternal); p.RequestID != a.header.Get("X-Request-Id") || strings.Contains(a.body, canary) {
		t.Errorf("%s", a.body)
	}
	h.log.wait(t, "request failed", "panic", "faults_test.go")

	for _, path := range []string{"/half", "/abort"} {
		res, err := h.Client().Get(h.URL + path) //nolint:noctx // it ends by itself
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: a part was taken for the whole", path)
		}
	}
}

// TestBodyThatStops has a client that sends half a body and waits.
func TestBodyThatStops(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.ReadTimeout = 100 * time.Millisecond })
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the server closes it as well
	if _, err := fmt.Fprint(conn, "POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, answer{res.StatusCode, res.Header, string(body)}, contracts.ProblemMalformed)
}

// TestClientGone has a client that does not wait for its answer.
func TestClientGone(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/runs/"+id.String()+"/events?after=1&wait=30000", http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		if res, err := h.Client().Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	for h.hub.Stats().Viewers == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-gone
	h.log.wait(t, "/events", "status=499")
}
