package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

// direct serves the house without a watcher in between, so that streams have connections of their own, as they do in the
// product.
func (h *house) direct() *house {
	h.t.Helper()
	d := *h
	d.Server = httptest.NewServer(h.api)
	h.t.Cleanup(func() {
		h.api.Close()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), time.Minute)
		defer cancel()
		h.api.Wait(ctx)
		d.Close()
	})
	return &d
}

// both runs a test over a watched server and over one whose streams take their connections.
func both(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	t.Run("watched", func(t *testing.T) {
		t.Parallel()
		test(t, open(t))
	})
	t.Run("direct", func(t *testing.T) {
		t.Parallel()
		test(t, open(t).direct())
	})
}

// reader reads the messages of one stream as they come.
type reader struct {
	t    *testing.T
	stop func()
	next chan message
}

// read opens a stream.
func (h *house) read(path string, headers ...string) *reader {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	res := h.start(ctx, http.MethodGet, path, "", headers...)
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		h.t.Fatalf("GET %s: %d %s", path, res.StatusCode, body)
	}
	r := &reader{t: h.t, next: make(chan message)}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(r.next)
		defer res.Body.Close() //nolint:errcheck // cut off
		_, _ = messages(res.Body, func(m message) bool {
			select {
			case r.next <- m:
				return false
			case <-ctx.Done():
				return true
			}
		})
	})
	r.stop = func() {
		cancel()
		reading.Wait()
	}
	h.t.Cleanup(r.stop)
	return r
}

// message returns the next message with data or an event.
func (r *reader) message() (message, bool) {
	r.t.Helper()
	for {
		select {
		case m, ok := <-r.next:
			if !ok || m.data != "" || m.event != "" {
				return m, ok
			}
		case <-time.After(30 * time.Second):
			r.t.Fatal("the stream is silent")
		}
	}
}

// row returns the next row of a list's stream.
func (r *reader) row() contracts.Summary {
	r.t.Helper()
	m, ok := r.message()
	var row contracts.Summary
	if err := json.Unmarshal([]byte(m.data), &row); !ok || m.event != "" || m.hasID || err != nil {
		r.t.Fatalf("%+v is no row: %v", m, err)
	}
	return row
}

// list returns the list that a stream begins with.
func (r *reader) list() []contracts.RunID {
	r.t.Helper()
	m, ok := r.message()
	var list contracts.RunList
	if err := json.Unmarshal([]byte(m.data), &list); !ok || m.event != "list" || m.hasID || err != nil {
		r.t.Fatalf("%+v is no list: %v", m, err)
	}
	ids := make([]contracts.RunID, len(list.Runs))
	for i, row := range list.Runs {
		ids[i] = row.RunID
	}
	return ids
}

func TestListStream(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		t.Helper()
		old := h.create(`,"labels":{"team":"red"}`)
		newest := h.create(`,"labels":{"team":"blue"}`)

		all := h.read("/stream")
		if got := all.list(); len(got) != 2 || got[0] != newest || got[1] != old {
			t.Fatalf("the stream begins with %v, want %s and %s", got, newest, old)
		}
		one := h.read("/stream?limit=1")
		if got := one.list(); len(got) != 1 || got[0] != newest {
			t.Errorf("with limit=1 the stream begins with %v, want %s", got, newest)
		}
		red := h.read("/stream?label=team:red&q=PLANETS")
		if got := red.list(); len(got) != 1 || got[0] != old {
			t.Errorf("the red stream begins with %v, want %s", got, old)
		}
		queued := h.read("/stream?state=queued")
		if got := queued.list(); len(got) != 2 {
			t.Errorf("the queued stream begins with %v", got)
		}

		h.report(newest, token("x"))
		if row := all.row(); row.RunID != newest || row.State != contracts.StateRunning || row.LastSeq < 2 {
			t.Errorf("a change is shown as %+v", row)
		}
		if row := queued.row(); row.RunID != newest || row.State != contracts.StateRunning {
			t.Errorf("that the run is not queued any more is shown as %+v", row)
		}
		h.report(newest, token("y")) // no news for who wants queued ones, nor for the red one
		third := h.create(`,"labels":{"team":"red"}`)
		if row := red.row(); row.RunID != third {
			t.Errorf("the red stream shows %+v, want %s", row, third)
		}
		if row := queued.row(); row.RunID != third {
			t.Errorf("the queued stream shows %+v, want %s", row, third)
		}
	})
}

// TestListStreamOfATime follows the runs that were created within a time: what happens to others is no news there.
func TestListStreamOfATime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		t.Helper()
		old := h.create("")
		edge := want[contracts.Snapshot](t, h.do("GET", "/runs/"+old.String(), ""), http.StatusOK).CreatedAt + 1
		for contracts.TimeOf(now()) < edge {
			time.Sleep(time.Millisecond)
		}
		recent := h.create("")

		since, until := h.read("/stream?since="+edge.String()), h.read("/stream?until="+edge.String())
		if got := since.list(); len(got) != 1 || got[0] != recent {
			t.Errorf("since the edge begins with %v, want %s", got, recent)
		}
		if got := until.list(); len(got) != 1 || got[0] != old {
			t.Errorf("until the edge begins with %v, want %s", got, old)
		}
		h.report(old, token("x"))
		h.report(recent, token("x"))
		third := h.create("")
		if row := since.row(); row.RunID != recent || row.State != contracts.StateRunning {
			t.Errorf("since the edge shows %+v, want %s", row, recent)
		}
		if row := since.row(); row.RunID != third {
			t.Errorf("since the edge shows %+v, want %s", row, third)
		}
		if row := until.row(); row.RunID != old || row.State != contracts.StateRunning {
			t.Errorf("until the edge shows %+v, want %s", row, old)
		}
		h.report(old, token("y"))
		if row := until.row(); row.RunID != old || row.LastSeq < 3 {
			t.Errorf("until the edge shows %+v, want only what becomes of %s", row, old)
		}
	})
}

// TestABusyRunIsFewRows reports much faster than rows may come.
func TestABusyRunIsFewRows(t *testing.T) {
	t.Parallel()
	h := open(t).direct()
	id := h.create("")
	r := h.read("/stream")
	r.list()
	const reports = 60
	began := now()
	for range reports {
		h.report(id, token("x"))
	}
	last := h.conclude(id, strings.Repeat("x", reports))
	rows := 0
	for row := r.row(); row.LastSeq != last; row = r.row() {
		rows++
	}
	if most := int(now().Sub(began)/(250*time.Millisecond)) + 2; rows > most || rows == 0 {
		t.Errorf("%d rows in %s, want 4 a second", rows, now().Sub(began))
	}
}

func TestStreamOfSeveralRuns(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h *house) {
		t.Helper()
		a, b := h.create(""), h.create("")
		h.report(a, token("x"), token("y"))
		h.conclude(a, "xy")
		path := fmt.Sprintf("/stream?run=%s&run=%s", a, b)

		seen := map[contracts.RunID][]string{}
		r := h.read(path)
		cursor := ""
		take := func(m message) {
			var ev struct {
				Run contracts.RunID `json:"run_id"`
				Seq int             `json:"seq"`
			}
			if err := json.Unmarshal([]byte(m.data), &ev); err != nil || m.event != "" {
				t.Fatalf("%+v: %v", m, err)
			}
			seen[ev.Run] = append(seen[ev.Run], m.data)
			if want := fmt.Sprintf("%d,%d", len(seen[a]), len(seen[b])); m.id != want || ev.Seq != len(seen[ev.Run]) {
				t.Fatalf("frame %+v, want id %s", m, want)
			}
			cursor = m.id
		}
		for range 3 {
			m, _ := r.message()
			take(m)
		}
		r.stop()

		r = h.read(path, "Last-Event-ID: "+cursor)
		h.report(b, token("z"))
		h.conclude(b, "z")
		for m, ok := r.message(); ok; m, ok = r.message() {
			take(m)
		}
		same(t, "the first run", seen[a], h.history(a))
		same(t, "the second run", seen[b], h.history(b))
		if got := h.do("GET", path, "", "Last-Event-ID: "+cursor); got.status != http.StatusNoContent {
			t.Errorf("behind both ends: %d %s, want 204", got.status, got.body)
		}
		if got := h.do("GET", path+"&after="+cursor, ""); got.status != http.StatusNoContent {
			t.Errorf("behind both ends by after: %d %s, want 204", got.status, got.body)
		}

		t.Run("cursors of something else begin anew", func(t *testing.T) {
			for bad, want := range map[string][]string{
				"x":       {`id 0,0 run ` + a.String(), `id 0,0 run ` + b.String()},
				"1":       {`id 0,0 run ` + a.String(), `id 0,0 run ` + b.String()},
				"1,2,3":   {`id 0,0 run ` + a.String(), `id 0,0 run ` + b.String()},
				"1,99999": {`id 1,0 run ` + b.String()},
			} {
				r := h.read(path, "Last-Event-ID: "+bad)
				for _, w := range want {
					m, _ := r.message()
					var reset struct {
						Run  contracts.RunID `json:"run_id"`
						Last int             `json:"last_seq"`
					}
					if err := json.Unmarshal([]byte(m.data), &reset); err != nil || m.event != "reset" || reset.Last != len(h.history(reset.Run)) {
						t.Fatalf("%s: %+v is no reset: %v", bad, m, err)
					}
					if got := "id " + m.id + " run " + reset.Run.String(); got != w {
						t.Errorf("%s: reset %s, want %s", bad, got, w)
					}
				}
				r.stop()
			}
		})
	})
}

func TestStreamsThatAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	many := "/stream?x"
	for range 17 {
		many += "&run=" + id.String()
	}
	for path, want := range map[string]contracts.ProblemType{
		"/stream?run=nothing":                                contracts.ProblemMalformed,
		"/stream?run=run_01m81tqkhryw3vmma10cpw1nqk":         contracts.ProblemNotFound,
		"/stream?run=" + id.String() + "&run=" + id.String(): contracts.ProblemMalformed,
		"/stream?run=" + id.String() + "&state=running":      contracts.ProblemMalformed,
		strings.Replace(many, "?x&", "?", 1):                 contracts.ProblemMalformed,
		"/stream?state=sleeping":                             contracts.ProblemMalformed,
		"/stream?before=" + id.String():                      contracts.ProblemMalformed,
	} {
		wantProblem(t, h.do("GET", path, ""), want)
	}
	wantProblem(t, h.do("GET", "/stream", "", "Accept: application/json"), contracts.ProblemNotAcceptable)
}

func TestStreamingOff(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.NoStreaming = true })
	id := h.create("")
	for path, poll := range map[string]string{
		"/runs/" + id.String() + "/stream": "GET /runs/" + id.String() + "/events?after=",
		"/stream?run=" + id.String():       "GET /runs/" + id.String() + "/events?after=",
		"/stream":                          "GET /runs with If-None-Match",
	} {
		if p := wantProblem(t, h.do("GET", path, ""), contracts.ProblemNotAcceptable); !strings.Contains(p.Detail, poll) {
			t.Errorf("GET %s: %s, want %s", path, p.Detail, poll)
		}
	}
}

func TestPollingTheList(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	a := h.do("GET", "/runs", "")
	tag := a.header.Get("ETag")
	want[contracts.RunList](t, a, http.StatusOK)
	if tag == "" {
		t.Fatal("the list has no ETag")
	}
	for _, header := range []string{tag, `"other", W/` + tag, "*"} {
		if a := h.do("GET", "/runs", "", "If-None-Match: "+header); a.status != http.StatusNotModified || a.body != "" || a.header.Get("ETag") != tag {
			t.Errorf("If-None-Match: %s: %d %s", header, a.status, a.body)
		}
	}
	if a := h.do("GET", "/runs?wait=30000", "", `If-None-Match: "other"`); a.status != http.StatusOK {
		t.Errorf("a list that is another one already: %d", a.status)
	}
	if a := h.do("GET", "/runs?wait=20", "", "If-None-Match: "+tag); a.status != http.StatusNotModified {
		t.Errorf("when the time is up: %d %s", a.status, a.body)
	}
	polled := make(chan answer)
	go func() { polled <- h.do("GET", "/runs?wait=30000", "", "If-None-Match: "+tag) }()
	for h.hub.Stats().ListViewers == 0 {
		time.Sleep(time.Millisecond)
	}
	h.report(id, token("x"))
	list := want[contracts.RunList](t, <-polled, http.StatusOK)
	if len(list.Runs) != 1 || list.Runs[0].State != contracts.StateRunning {
		t.Errorf("the change is %+v", list)
	}
	wantProblem(t, h.do("GET", "/runs?wait=30001", ""), contracts.ProblemMalformed)
}
