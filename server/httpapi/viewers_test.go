package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

// eventSource is a viewer as WHATWG HTML, section 9.2 has it: it keeps the last id, and comes back after the time that it
// was told when a connection ends. A status other than 200 is the end.
type eventSource struct {
	url    string
	haste  time.Duration // divides the times to wait, since a test has less of it
	events []string      // the data of each
	opened func()        // called once, when the first connection was answered; may be nil
}

// follow reads until 204 ends it.
func (e *eventSource) follow(ctx context.Context, client *http.Client) error {
	for {
		wait, ended, err := e.connect(ctx, client)
		if err != nil || ended {
			return err
		}
		select {
		case <-time.After(wait / e.haste):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (e *eventSource) connect(ctx context.Context, client *http.Client) (wait time.Duration, ended bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url, http.NoBody)
	if err != nil {
		return 0, false, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if len(e.events) > 0 {
		req.Header.Set("Last-Event-ID", strconv.Itoa(len(e.events)))
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, false, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	if e.opened != nil {
		e.opened()
		e.opened = nil
	}
	switch res.StatusCode {
	case http.StatusNoContent:
		return 0, true, nil
	case http.StatusOK:
	default:
		return 0, false, fmt.Errorf("status %d, which ends an EventSource for good", res.StatusCode)
	}
	_, err = messages(res.Body, func(m message) bool {
		if m.retry != "" {
			ms, _ := strconv.Atoi(m.retry)
			wait = time.Duration(ms) * time.Millisecond
		}
		if m.data != "" {
			if m.id != strconv.Itoa(len(e.events)+1) {
				wait = -1
				return true
			}
			e.events = append(e.events, m.data)
		}
		return false
	})
	if wait < 0 {
		return 0, false, errors.New("an event is missing or came twice")
	}
	return wait, false, err
}

// stoppedClock is a clock that stands until it is started, and then goes on from where it stood.
type stoppedClock struct {
	mu   sync.Mutex
	at   time.Time
	lost time.Duration // how far it is behind; negative while it stands
}

func newStoppedClock() *stoppedClock { return &stoppedClock{at: now(), lost: -1} }

func (c *stoppedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost < 0 {
		return c.at
	}
	return now().Add(-c.lost)
}

func (c *stoppedClock) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = now().Sub(c.at)
}

// TestAThousandViewersComeBackAtOnce lets them in by rate while the run goes on. Each sees every event once. The server's
// clock stands until all have knocked, so that they come at once on a slow machine too.
func TestAThousandViewersComeBackAtOnce(t *testing.T) {
	t.Parallel()
	const viewers = 1000
	clock := newStoppedClock()
	h := open(t, func(c *httpapi.Config) { c.OpenRate, c.ReplayRate, c.Now = 300, 8<<20, clock.now }).direct()
	id := h.create("")
	text := ""
	report := func(n int) {
		for range n {
			lines := make([]string, 10)
			for i := range lines {
				delta := fmt.Sprintf("%d ", len(text))
				text += delta
				lines[i] = token(delta)
			}
			h.report(id, lines...)
		}
	}
	report(20)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	sources := make([]eventSource, viewers)
	var all sync.WaitGroup
	var failed, knocked atomic.Int64
	for i := range sources {
		e := &sources[i]
		e.url, e.haste = h.URL+"/runs/"+id.String()+"/stream", 4
		e.opened = func() {
			if knocked.Add(1) == viewers {
				clock.start()
			}
		}
		all.Go(func() {
			if err := e.follow(ctx, client); err != nil && failed.Add(1) < 5 {
				t.Errorf("viewer %d: %v", i, err)
			}
		})
	}
	report(10)
	h.conclude(id, text)
	all.Wait()
	want := h.history(id)
	for i := range sources {
		if !slices.Equal(sources[i].events, want) {
			t.Fatalf("viewer %d saw %d events that are not the journal's %d", i, len(sources[i].events), len(want))
		}
	}
	metrics := h.do("GET", "/metrics", "").body
	for _, name := range []string{
		`axiom25_streams_admitted_total{kind="run"}`, `axiom25_streams_shed_total{reason="rate"}`, "axiom25_replayed_bytes_total",
		"axiom25_viewers 0", "axiom25_viewer_lag_events 0",
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("no %s in the metrics", name)
		}
	}
}

// TestBadViewers has one viewer that is stopped, one that takes 1 KB/s and one that resets its connection within a frame,
// while another one reads. None keeps him from anything; each can resume.
func TestBadViewers(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *httpapi.Config) { c.WriteTimeout = 2 * time.Second }).direct()
	id := h.create("")
	path := "/runs/" + id.String() + "/stream"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	// A process that the system stops.
	saved := filepath.Join(t.TempDir(), "saved")
	curl := exec.CommandContext(ctx, "curl", "-sN", "-o", saved, h.URL+path) //nolint:gosec // the test's own address
	if err := curl.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "curl has the first event", func() bool { b, _ := os.ReadFile(saved); return strings.Contains(string(b), "id: 1\n") }) //nolint:gosec // the test's own file
	if err := curl.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}

	var bad sync.WaitGroup
	slow, reset := dial(t, h, path), dial(t, h, path)
	stopSlow := make(chan struct{})
	bad.Go(func() {
		piece := make([]byte, 100)
		for {
			if _, err := slow.Read(piece); err != nil {
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-stopSlow:
				return
			}
		}
	})
	bad.Go(func() {
		_, _ = reset.Read(make([]byte, 700)) // the head, and a part of a frame
		tcp, _ := reset.(*net.TCPConn)
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	})

	var good []string
	var goodErr error
	var all sync.WaitGroup
	all.Go(func() { good, goodErr = h.view(ctx, id, 0, 0) })
	h.flood(id, 24<<20) // more than the sockets hold
	all.Wait()
	if goodErr != nil {
		t.Fatal(goodErr)
	}
	history := h.history(id)
	same(t, "the good viewer", good, history)

	until(t, "the others are cut off", func() bool { return h.hub.Stats().Viewers == 0 })
	h.log.wait(t, "/stream", "end=slow")
	h.log.wait(t, "/stream", "end=gone")
	close(stopSlow)
	bad.Wait()
	if err := curl.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_ = curl.Wait()              // it was cut off, or not: what it has says so
	b, err := os.ReadFile(saved) //nolint:gosec // the test's own file
	if err != nil {
		t.Fatal(err)
	}
	got, _ := messages(strings.NewReader(string(b)), nil)
	var seen []string
	for _, m := range got {
		if m.data != "" {
			seen = append(seen, m.data)
		}
	}
	if len(seen) == 0 || len(seen) >= len(history) {
		t.Fatalf("the stopped viewer has %d events of %d", len(seen), len(history))
	}
	rest, err := h.view(ctx, id, len(seen), 0)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the stopped viewer", append(seen, rest...), history)
}

// until waits for something.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 3000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it does not come about that %s", what)
}

// dial asks for a stream over a socket of the test's own.
func dial(t *testing.T, h *house, path string) net.Conn {
	t.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDrain sends the viewers away over time. Engines are answered meanwhile, new viewers are asked to come back.
func TestDrain(t *testing.T) {
	t.Parallel()
	const viewers, over = 20, time.Second
	h := open(t).direct()
	id := h.create("")
	path := "/runs/" + id.String() + "/stream"
	type parting struct {
		at    time.Time
		retry int
	}
	partings := make([]parting, viewers)
	var all sync.WaitGroup
	for i := range partings {
		c := dial(t, h, path)
		all.Go(func() {
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close() //nolint:errcheck // read to its end
			got, err := messages(res.Body, nil)
			if err != nil || len(got) < 2 {
				t.Errorf("viewer %d was cut off: %v after %+v", i, err, got)
				return
			}
			partings[i].at = now()
			partings[i].retry, _ = strconv.Atoi(got[len(got)-1].retry)
		})
	}
	until(t, "all watch", func() bool { return h.hub.Stats().Viewers == viewers })

	var drained sync.WaitGroup
	drained.Go(func() { h.api.Drain(t.Context(), over) })
	until(t, "the server is closing", func() bool { return h.do("GET", "/readyz", "").status == http.StatusServiceUnavailable })
	if stored := h.report(id, token("x")); stored.Seq < 2 {
		t.Errorf("an engine is answered %+v", stored)
	}
	wantProblem(t, h.do("GET", path, ""), contracts.ProblemOverloaded)
	if a := h.do("GET", path, "", "Accept: text/event-stream"); a.status != http.StatusOK || !strings.HasPrefix(a.body, "retry: ") {
		t.Errorf("a new viewer gets %d %s", a.status, a.body)
	}
	drained.Wait()
	h.api.Close()
	all.Wait()
	h.api.Wait(t.Context())

	slices.SortFunc(partings, func(a, b parting) int { return a.at.Compare(b.at) })
	if spread := partings[viewers-1].at.Sub(partings[0].at); spread < over/2 {
		t.Errorf("all were sent away within %s of %s", spread, over)
	}
	times := map[int]bool{}
	for _, p := range partings {
		times[p.retry] = true
		if p.retry < 3000 || p.retry > 10_000 {
			t.Errorf("a viewer is to come back after %d ms", p.retry)
		}
	}
	if len(times) < viewers/2 {
		t.Errorf("the viewers come back at %d different times only", len(times))
	}
}

// TestWaitCutsOffWhoStays has a viewer that does not read what would tell him to leave.
func TestWaitCutsOffWhoStays(t *testing.T) {
	t.Parallel()
	h := open(t).direct() // a write may take 10 s
	id := h.create("")
	dial(t, h, "/runs/"+id.String()+"/stream")
	until(t, "he watches", func() bool { return h.hub.Stats().Viewers == 1 })
	h.flood(id, 24<<20)
	h.api.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := now()
	h.api.Wait(ctx)
	if took := now().Sub(began); took > 5*time.Second || h.hub.Stats().Viewers != 0 {
		t.Errorf("after %s there are %d viewers", took, h.hub.Stats().Viewers)
	}
}
