package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/httpapi"
	"axiom25/server/journal"
)

// message is one block of an event stream, read by nothing but the rules of WHATWG HTML, section 9.2.
type message struct {
	id      string
	hasID   bool
	event   string
	data    string
	comment string
	retry   string
}

// messages reads a stream until it ends or enough says so.
func messages(body io.Reader, enough func(message) bool) ([]message, error) {
	var all []message
	var m message
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			all = append(all, m)
			if enough != nil && enough(m) {
				return all, nil
			}
			m = message{}
		case name == "id":
			m.id, m.hasID = value, true
		case name == "event":
			m.event = value
		case name == "data":
			m.data += value
		case name == "retry":
			m.retry = value
		case name == "":
			m.comment = value
		default:
			return all, fmt.Errorf("field %q", name)
		}
	}
	return all, lines.Err()
}

// view follows a run from a cursor on, and returns the data of at most limit events (all where 0), whose ids must be
// their seqs.
func (h *house) view(ctx context.Context, id contracts.RunID, after, limit int) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL+"/runs/"+id.String()+"/stream", http.NoBody)
	if err != nil {
		return nil, err
	}
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.Itoa(after))
	}
	res, err := h.Client().Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read as far as it matters
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", res.StatusCode)
	}
	var got []string
	var wrong error
	_, err = messages(res.Body, func(m message) bool {
		if m.data == "" {
			return false
		}
		if want := strconv.Itoa(after + len(got) + 1); m.id != want || m.event != "" {
			wrong = fmt.Errorf("frame %+v, want id %s and no event", m, want)
			return true
		}
		got = append(got, m.data)
		return len(got) == limit
	})
	return got, errors.Join(wrong, err)
}

func same(t *testing.T, who string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s saw %d events, want %d", who, len(got), len(want))
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s saw as event %d\n%s\nwant\n%s", who, i+1, got[i], want[i])
			return
		}
	}
}

// TestEveryViewerSeesTheSameBytes has viewers that are there from the start, that come late, and that are cut every 50
// events and resume.
func TestEveryViewerSeesTheSameBytes(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var all sync.WaitGroup
	var early, late, cut []string
	var earlyErr, lateErr, cutErr error
	all.Go(func() { early, earlyErr = h.view(ctx, id, 0, 0) })
	all.Go(func() {
		for cutErr == nil {
			var part []string
			part, cutErr = h.view(ctx, id, len(cut), 50)
			cut = append(cut, part...)
			if len(part) < 50 {
				return
			}
		}
	})
	text := ""
	for i := range 40 {
		lines := make([]string, 10)
		for n := range lines {
			delta := fmt.Sprintf("%d/%d ü ", i, n)
			text += delta
			lines[n] = token(delta)
		}
		h.report(id, lines...)
		if i == 20 {
			all.Go(func() { late, lateErr = h.view(ctx, id, 0, 0) })
		}
	}
	h.conclude(id, text)
	all.Wait()
	if err := errors.Join(earlyErr, lateErr, cutErr); err != nil {
		t.Fatal(err)
	}
	history := h.history(id)
	if len(history) < 400 {
		t.Fatalf("the run has %d events only", len(history))
	}
	same(t, "the viewer from the start", early, history)
	same(t, "the late viewer", late, history)
	same(t, "the viewer that was cut", cut, history)
	after, err := h.view(ctx, id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the viewer of the ended run", after, history)
}

func TestStreamBegins(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	path := "/runs/" + id.String() + "/stream"

	t.Run("at once, with a comment and the time to retry", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res := h.start(ctx, http.MethodGet, path+"?after=1", "") // nothing new to send
		defer res.Body.Close()                                   //nolint:errcheck // cut off
		for name, value := range map[string]string{
			"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no",
		} {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %s, want %s", name, got, value)
			}
		}
		got, err := messages(res.Body, func(message) bool { return true })
		if err != nil || len(got) != 1 || got[0] != (message{retry: "2000", comment: "axiom25"}) {
			t.Errorf("the stream begins with %+v, %v", got, err)
		}
	})
	t.Run("HEAD has the header only", func(t *testing.T) {
		t.Parallel()
		a := h.do("HEAD", path, "")
		if a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" || a.body != "" {
			t.Errorf("HEAD = %d, %v", a.status, a.header)
		}
	})
	t.Run("Last-Event-ID wins over after", func(t *testing.T) {
		t.Parallel()
		id := h.create("")
		h.report(id, token("x"), token("y"))
		path := "/runs/" + id.String() + "/stream"
		for _, c := range []struct {
			query, header, first string
		}{
			{"?after=2", "", "3"},
			{"?after=1", "Last-Event-ID: 3", "4"},
			{"?after=99", "Last-Event-ID: 0", "1"},
			{"?after=x", "Last-Event-ID: 2", "3"},
			{"", "Last-Event-ID: 2", "3"},
			{"", "", "1"},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			res := h.start(ctx, http.MethodGet, path+c.query, "", c.header)
			got, err := messages(res.Body, func(m message) bool { return m.data != "" })
			cancel()
			_ = res.Body.Close()
			if err != nil || got[len(got)-1].id != c.first {
				t.Errorf("%s %s: begins with %+v, %v, want %s", c.query, c.header, got, err, c.first)
			}
		}
	})
}

func TestReset(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	h.report(id, token("x"))
	h.conclude(id, "x")
	history := h.history(id)
	path := "/runs/" + id.String() + "/stream"
	for name, c := range map[string]struct{ query, header string }{
		"a cursor ahead":           {"", fmt.Sprint("Last-Event-ID: ", len(history)+1)},
		"not a number":             {"", "Last-Event-ID: 12,9"},
		"a sign":                   {"", "Last-Event-ID: -1"},
		"beyond 2^53":              {"", "Last-Event-ID: 9007199254740992"},
		"after is not a number":    {"?after=x", ""},
		"after is empty":           {"?after=", ""},
		"after is given twice":     {"?after=1&after=2", ""},
		"after lies ahead":         {"?after=1000", ""},
		"the header hides a sound": {"?after=1", "Last-Event-ID: z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := h.start(t.Context(), "GET", path+c.query, "", c.header)
			defer res.Body.Close() //nolint:errcheck // read to its end
			got, err := messages(res.Body, nil)
			if err != nil || len(got) != len(history)+2 {
				t.Fatalf("%d messages, %v", len(got), err)
			}
			want := message{hasID: true, event: "reset", data: fmt.Sprintf(`{"last_seq":%d}`, len(history))}
			if got[1] != want {
				t.Errorf("the second message is %+v, want %+v", got[1], want)
			}
			for i, m := range got[2:] {
				if m.data != history[i] || m.id != strconv.Itoa(i+1) {
					t.Errorf("message %d is %+v", i, m)
				}
			}
		})
	}
}

func TestStreamOfAnEndedRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	last := h.finish(id)
	path := "/runs/" + id.String() + "/stream"
	a := h.do("GET", path, "")
	if !strings.HasSuffix(a.body, h.history(id)[last-1]+"\n\n") {
		t.Errorf("the stream does not end after done: %s", a.body)
	}
	for _, method := range []string{"GET", "HEAD"} {
		if a := h.do(method, path, "", fmt.Sprint("Last-Event-ID: ", last)); a.status != http.StatusNoContent || a.body != "" {
			t.Errorf("%s behind the end: %d %s", method, a.status, a.body)
		}
	}
	h.log.wait(t, `route=/runs/{id}/stream`, "status=200", "end=done", "run="+id.String())
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.Heartbeat = 20 * time.Millisecond })
	id := h.create("")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res := h.start(ctx, http.MethodGet, "/runs/"+id.String()+"/stream", "")
	defer res.Body.Close() //nolint:errcheck // cut off
	beats := 0
	got, err := messages(res.Body, func(m message) bool {
		if m.comment == "hb" {
			beats++
			if beats == 2 {
				go h.report(id, token("x"))
			}
		}
		return m.id == "2" // the event comes between heartbeats
	})
	if err != nil || beats < 2 {
		t.Errorf("%d heartbeats, %v: %+v", beats, err, got)
	}
	cancel()
	h.log.wait(t, "/stream", "end=gone")
}

// flood stores events of this many bytes and the end of the run, past intake, which would look at every one of them.
func (h *house) flood(id contracts.RunID, size int) {
	h.t.Helper()
	stored, err := h.journal.Run(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	last := stored.Summary
	thought := &contracts.ThoughtData{ID: "t", Delta: strings.Repeat("x", 512<<10), Attempt: 1, Kind: contracts.ThoughtReasoning}
	for size > 0 {
		size -= len(thought.Delta)
		if size <= 0 {
			last.State = contracts.StateFailed
		}
		after := last.LastSeq
		last.LastSeq++
		event := contractstest.Document(contracts.RunEvent{
			SchemaVersion: contracts.Version, RunID: id, Seq: last.LastSeq, Time: last.UpdatedAt, Type: contracts.EventThought, Data: thought,
		})
		batch := journal.Batch{After: after, Events: [][]byte{event}, Summary: last}
		if err := h.journal.Append(h.t.Context(), id, batch); err != nil {
			h.t.Fatal(err)
		}
		h.hub.Publish(id, last.LastSeq, batch.Events, last.State.Terminal())
	}
}

// TestSlowViewer has one viewer that never reads while another reads everything.
func TestSlowViewer(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.WriteTimeout = 2 * time.Second })
	id := h.create("")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var dialer net.Dialer
	slow, err := dialer.DialContext(ctx, "tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close() //nolint:errcheck // it is cut off
	if _, err := fmt.Fprintf(slow, "GET /runs/%s/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", id); err != nil {
		t.Fatal(err)
	}
	var fast []string
	var fastErr error
	var all sync.WaitGroup
	all.Go(func() { fast, fastErr = h.view(ctx, id, 0, 0) })

	h.flood(id, 12<<20) // more than the sockets hold
	all.Wait()
	if fastErr != nil {
		t.Fatal(fastErr)
	}
	same(t, "the fast viewer", fast, h.history(id))
	h.log.wait(t, "/stream", "end=slow")
	h.log.wait(t, "/stream", "end=done")
	if stats := h.hub.Stats(); stats.Viewers != 0 {
		t.Errorf("%d viewers are left", stats.Viewers)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.create("")
	res := h.start(t.Context(), "GET", "/runs/"+id.String()+"/stream", "")
	defer res.Body.Close() //nolint:errcheck // read to its end
	if _, err := messages(res.Body, func(m message) bool { return m.id == "1" }); err != nil {
		t.Fatal(err)
	}
	polled := make(chan answer)
	go func() { polled <- h.do("GET", "/runs/"+id.String()+"/events?after=1&wait=30000", "") }()
	for h.hub.Stats().Viewers < 2 {
		time.Sleep(time.Millisecond)
	}
	h.api.Close()
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Errorf("the stream was cut, not ended: %v", err)
	}
	if a := <-polled; a.status != 200 || a.body != `{"events":[],"last_seq":1}` {
		t.Errorf("the long poll got %d %s", a.status, a.body)
	}
	h.log.wait(t, "/stream", "end=closing")
	wantProblem(t, h.do("GET", "/readyz", ""), contracts.ProblemOverloaded)
	wantProblem(t, h.do("GET", "/runs/"+id.String()+"/stream", ""), contracts.ProblemOverloaded)
}

func TestTooManyViewers(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.MaxViewers = 1 })
	id := h.create("")
	path := "/runs/" + id.String() + "/stream"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res := h.start(ctx, http.MethodGet, path, "")
	defer res.Body.Close() //nolint:errcheck // cut off
	a := h.do("GET", path, "")
	wantProblem(t, a, contracts.ProblemOverloaded)
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 || after > 4 {
		t.Errorf("Retry-After: %s", a.header.Get("Retry-After"))
	}
	a = h.do("GET", path, "", "Accept: text/event-stream")
	got, err := messages(strings.NewReader(a.body), nil)
	if err != nil || len(got) != 0 && (len(got) != 1 || got[0].data != "") || a.status != 200 {
		t.Fatalf("an EventSource got %d %s", a.status, a.body)
	}
	wait, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(a.body, "retry:")))
	if err != nil || wait < 3000 || wait > 10_000 {
		t.Errorf("retry after %d ms, %v", wait, err)
	}
	h.log.wait(t, "/stream", "end=shed")
}
