package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/httpapi"
	"axiom25/server/journal"
	"axiom25/server/journal/sqlitejournal"
)

// benchRun is the run that benchmarks watch.
const benchRun contracts.RunID = "run_01m81tqkhryw3vmma10cpw1nqk"

// edge is the HTTP edge on a real socket over a hub, without a door: what is published is the benchmark's.
type edge struct {
	api     *httpapi.API
	hub     *fanout.Hub
	address string
}

// newEdge serves streams over a journal until the benchmark ends.
func newEdge(b *testing.B, store journal.Reader) edge {
	b.Helper()
	hub := fanout.New(store)
	reader, _ := store.(httpapi.Journal)
	api, err := httpapi.New(httpapi.Config{
		Journal: reader, Hub: hub, Log: slog.New(slog.DiscardHandler), Now: now, MaxViewers: 1 << 20, OpenRate: 1 << 20, ReplayRate: 1 << 40,
	})
	if err != nil {
		b.Fatal(err)
	}
	e := edge{api: api, hub: hub}
	e.address = serveBench(b, api, api.Close)
	return e
}

// serveBench serves a handler on a free port until the benchmark ends.
func serveBench(b *testing.B, h http.Handler, stop func()) string {
	b.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	b.Cleanup(func() {
		stop()
		_ = server.Close()
		served.Wait()
	})
	return listener.Addr().String()
}

// connect asks for a path over a socket of its own and reads the first words of the answer.
func connect(b *testing.B, address, path string) net.Conn {
	b.Helper()
	var dialer net.Dialer
	c, err := dialer.DialContext(b.Context(), "tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", path); err != nil {
		b.Fatal(err)
	}
	var got []byte
	for buffer := make([]byte, 4096); !bytes.Contains(got, []byte("axiom25")); {
		n, err := c.Read(buffer)
		if err != nil {
			b.Fatalf("%v in %q", err, got)
		}
		got = append(got, buffer[:n]...)
	}
	return c
}

// recent is a journal of one run whose events are all alike and that goes on for ever.
type recent struct {
	journal.Reader
	last atomic.Int64
}

// benchEvent is an event as engines report them most: a piece of an answer.
func benchEvent(seq contracts.Seq) []byte {
	return fmt.Appendf(nil, `{"schema_version":2,"run_id":%q,"seq":%d,"time":"2026-01-02T03:04:05.678Z","type":"token","data":{"id":"m1","delta":" and then some words","attempt":1,"final":false,"channel":"answer"}}`, benchRun, seq)
}

func (j *recent) Read(_ context.Context, _ contracts.RunID, after contracts.Seq, maxEvents, _ int) (journal.Page, error) {
	page := journal.Page{Last: contracts.Seq(j.last.Load()), State: contracts.StateRunning}
	for seq := after + 1; seq <= page.Last && len(page.Events) < maxEvents; seq++ {
		page.Events = append(page.Events, journal.Event{Seq: seq, JSON: benchEvent(seq)})
	}
	return page, nil
}

func (j *recent) Ready(context.Context) error { return nil }

// memoryInUse is the heap and the stacks that are in use after a collection, in bytes.
func memoryInUse() float64 {
	for range 3 { // stacks shrink by half in each collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) + float64(m.StackInuse)
}

// BenchmarkIdleViewer measures what a viewer costs that waits, the sockets of both ends included. Its floor is a bare
// handler of net/http that waits.
func BenchmarkIdleViewer(b *testing.B) {
	const viewers = 1000
	measure := func(b *testing.B, open func() net.Conn) {
		b.Helper()
		for b.Loop() {
			open() // what is made once is there
			before := memoryInUse()
			for range viewers {
				open()
			}
			b.ReportMetric((memoryInUse()-before)/viewers/1024, "KiB/viewer")
		}
	}
	b.Run("floor", func(b *testing.B) {
		release := make(chan struct{})
		address := serveBench(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, ": axiom25\n\n")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}), func() { close(release) })
		measure(b, func() net.Conn { return connect(b, address, "/") })
	})
	store := &recent{}
	store.last.Store(1)
	e := newEdge(b, store)
	b.Run("run", func(b *testing.B) {
		measure(b, func() net.Conn {
			return connect(b, e.address, "/runs/"+benchRun.String()+"/stream?after=1")
		})
	})
}

// delivered collects how long deliveries took.
type delivered struct {
	mu    sync.Mutex
	times []time.Duration
}

func (d *delivered) add(times []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times = append(d.times, times...)
}

func (d *delivered) report(b *testing.B) {
	b.Helper()
	slices.Sort(d.times)
	for name, share := range map[string]float64{"p50-ms": .5, "p99-ms": .99, "p99.9-ms": .999} {
		b.ReportMetric(float64(d.times[int(share*float64(len(d.times)-1))].Microseconds())/1000, name)
	}
}

// processTime is the processor time that this process has used.
func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// watch reads a stream until it has n frames, checks that none is missing or comes twice, and takes the time of each
// since it was sent.
func watch(c net.Conn, first, n int, sent []atomic.Int64, times *delivered) error {
	took := make([]time.Duration, 0, n)
	lines := bufio.NewReaderSize(c, 4096)
	for want := first; want < first+n; {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return err
		}
		text, ok := bytes.CutPrefix(line, []byte("id: "))
		if !ok {
			continue
		}
		seq, err := strconv.Atoi(string(bytes.TrimSpace(text)))
		if err != nil || seq != want {
			return fmt.Errorf("event %q, want %d", text, want)
		}
		took = append(took, time.Duration(now().UnixNano()-sent[want-first].Load()))
		want++
	}
	times.add(took)
	return nil
}

// BenchmarkFanout delivers events at a fixed rate to viewers over loopback. Its floor is a bare loop that writes the same
// frames to as many connections. cpu-us/delivery is the whole process's, the readers' included; both have the same.
func BenchmarkFanout(b *testing.B) {
	for _, load := range []struct{ viewers, perSecond, events int }{
		{1, 1000, 2000}, {200, 50, 150}, {1000, 20, 60}, {5000, 4, 12},
	} {
		if load.viewers > 1000 && testing.Short() {
			continue
		}
		name := fmt.Sprintf("viewers=%d/rate=%d", load.viewers, load.perSecond)
		b.Run(name+"/floor", func(b *testing.B) {
			conns := make(chan net.Conn, load.viewers)
			var lc net.ListenConfig
			listener, err := lc.Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer listener.Close() //nolint:errcheck // a benchmark's
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = io.WriteString(c, "axiom25\n")
					conns <- c
				}
			}()
			var all []net.Conn
			fan(b, load.viewers, load.perSecond, load.events, func() net.Conn {
				c := connect(b, listener.Addr().String(), "/")
				all = append(all, <-conns)
				return c
			}, func(seq contracts.Seq) {
				frame := fmt.Appendf(nil, "id: %d\ndata: %s\n\n", seq, benchEvent(seq))
				for _, c := range all {
					_, _ = c.Write(frame)
				}
			})
			for _, c := range all {
				_ = c.Close()
			}
		})
		b.Run(name+"/stream", func(b *testing.B) {
			store := &recent{}
			e := newEdge(b, store)
			fan(b, load.viewers, load.perSecond, load.events, func() net.Conn {
				return connect(b, e.address, "/runs/"+benchRun.String()+"/stream?after="+strconv.FormatInt(store.last.Load(), 10))
			}, func(seq contracts.Seq) {
				store.last.Store(int64(seq))
				e.hub.Publish(benchRun, seq, [][]byte{benchEvent(seq)}, false)
			})
		})
	}
}

// fan opens viewers, sends events at a rate and reports how long they took to arrive and what they cost.
func fan(b *testing.B, viewers, perSecond, events int, open func() net.Conn, send func(contracts.Seq)) {
	b.Helper()
	conns := make([]net.Conn, viewers)
	for i := range conns {
		conns[i] = open()
	}
	var times delivered
	seq := 0
	cpu := processTime(b)
	for b.Loop() {
		sent := make([]atomic.Int64, events)
		var all sync.WaitGroup
		for _, c := range conns {
			first := seq + 1
			all.Go(func() {
				if err := watch(c, first, events, sent, &times); err != nil {
					b.Error(err)
				}
			})
		}
		began := now()
		for i := range events {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))))
			seq++
			sent[i].Store(now().UnixNano())
			send(contracts.Seq(seq))
		}
		all.Wait()
	}
	cost := processTime(b) - cpu
	b.ReportMetric(float64(cost.Nanoseconds())/1000/float64(seq*viewers), "cpu-us/delivery")
	b.ReportMetric(0, "ns/op")
	times.report(b)
}

// BenchmarkReplay reads a run of 100 000 events over one connection, out of a real journal. Its floor is the same bytes
// copied over an HTTP connection.
func BenchmarkReplay(b *testing.B) {
	const events, batch = 100_000, 1000
	store, err := sqlitejournal.Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), sqlitejournal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	summary := contracts.Summary{RunID: benchRun, State: contracts.StateRunning, Goal: "replay", CreatedAt: 1, UpdatedAt: 1}
	var wire bytes.Buffer
	for seq := contracts.Seq(1); seq <= events; {
		lines := make([][]byte, 0, batch)
		after := seq - 1
		for ; len(lines) < batch; seq++ {
			lines = append(lines, benchEvent(seq))
			fmt.Fprintf(&wire, "id: %d\ndata: %s\n\n", seq, lines[len(lines)-1])
		}
		if seq > events {
			summary.State = contracts.StateFailed
		}
		part := journal.Batch{After: after, Events: lines, Summary: summary}
		if after == 0 {
			err = store.Create(b.Context(), journal.Run{ID: benchRun, Task: []byte("{}"), TaskDigest: contracts.DigestText("{}"), Summary: summary}, part)
		} else {
			err = store.Append(b.Context(), benchRun, part)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	fetch := func(b *testing.B, url string) {
		b.Helper()
		b.SetBytes(int64(wire.Len()))
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if err != nil || n < int64(wire.Len()) {
				b.Fatalf("%d bytes of %d, %v", n, wire.Len(), err)
			}
		}
	}
	b.Run("floor", func(b *testing.B) {
		address := serveBench(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for piece := range slices.Chunk(wire.Bytes(), 64<<10) {
				_, _ = w.Write(piece)
			}
		}), func() {})
		fetch(b, "http://"+address+"/")
	})
	b.Run("stream", func(b *testing.B) {
		e := newEdge(b, store)
		fetch(b, "http://"+e.address+"/runs/"+benchRun.String()+"/stream")
	})
}
