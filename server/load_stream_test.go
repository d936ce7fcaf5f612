package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
)

// fanouts are how many viewers are served at which rate, in events a second: some 50 000 deliveries a second at most, of
// which the generator, on one core, can still tell the time.
var fanouts = []struct{ viewers, rate int }{{1, 100}, {200, 100}, {1000, 50}, {5000, 10}} //nolint:gochecknoglobals // a table

// BenchmarkLoadFanout measures the time from the making of an event to its arrival at a viewer; an operation is one event.
// For the server this includes the append, and so an fsync; its floor writes at once.
func BenchmarkLoadFanout(b *testing.B) {
	for _, f := range fanouts {
		name := fmt.Sprintf("viewers=%d/rate=%d", f.viewers, f.rate)
		b.Run(name+"/axiom25", func(b *testing.B) {
			apart(b)
			s := loadServer(b, b.TempDir())
			p := newProducer(b, s)
			if err := p.report(1, "first "); err != nil {
				b.Fatal(err)
			}
			viewers := make([]*viewer, f.viewers)
			for i := range viewers {
				viewers[i] = view(b, s.url, "/runs/"+p.run.String()+"/stream", p.after)
			}
			watch(b, s, viewers, func() error {
				return every(b.Context(), time.Second/time.Duration(f.rate), b.N, func() error { return p.report(1, "at ") })
			})
			p.stored(b)
		})
		b.Run(name+"/floor", func(b *testing.B) {
			apart(b)
			s := floorServer(b, floorFanout, strconv.Itoa(f.viewers), strconv.Itoa(f.rate), strconv.Itoa(b.N))
			viewers := make([]*viewer, f.viewers)
			for i := range viewers {
				viewers[i] = view(b, s.url, "/", 0)
			}
			watch(b, s, viewers, func() error { return nil })
		})
	}
}

// watch lets each viewer read b.N events while produce makes them.
func watch(b *testing.B, s *server, viewers []*viewer, produce func() error) {
	b.Helper()
	var took spread
	var failed firstError
	var all sync.WaitGroup
	before := s.cpu(b)
	b.ResetTimer()
	for _, v := range viewers {
		all.Go(func() {
			times := make([]time.Duration, 0, b.N)
			for len(times) < b.N {
				data, err := v.event()
				if err != nil {
					failed.set(err)
					return
				}
				if at, ok := sentAt(data, "at "); ok {
					times = append(times, time.Since(at))
				}
			}
			took.add(times...)
		})
	}
	if err := produce(); err != nil {
		b.Fatal(err)
	}
	all.Wait()
	b.StopTimer()
	failed.check(b)
	deliveries := float64(b.N * len(viewers))
	b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((s.cpu(b)-before).Microseconds())/deliveries, "server-µs/delivery")
	took.report(b)
}

// BenchmarkLoadIdleViewer reports what a viewer costs the server while nothing happens; an operation is 1000 viewers.
func BenchmarkLoadIdleViewer(b *testing.B) {
	apart(b)
	s := loadServer(b, b.TempDir())
	p := newProducer(b, s)
	if err := p.report(1, "at "); err != nil {
		b.Fatal(err)
	}
	const viewers = 1000
	view(b, s.url, "/runs/"+p.run.String()+"/stream", 0) // what the first one needs is there for all
	settle()
	before := s.memory(b)
	n := 0
	for b.Loop() {
		if n >= 5*viewers {
			continue // the descriptors of a process are limited
		}
		for range viewers {
			view(b, s.url, "/runs/"+p.run.String()+"/stream", 0)
		}
		n += viewers
	}
	settle()
	b.ReportMetric(float64(s.memory(b)-before)/float64(n)/1024, "KiB/viewer")
}

// settle gives a server the time to collect its garbage.
func settle() { time.Sleep(3 * time.Second) }

// shelves are the sizes at which growth is shown.
var shelves = []struct{ runs, events int }{{1_000, 10_000}, {10_000, 100_000}, {100_000, 1_000_000}} //nolint:gochecknoglobals // a table

// BenchmarkLoadReady measures the time from the start of the process to its first answer; an operation is one start.
func BenchmarkLoadReady(b *testing.B) {
	for _, shelf := range shelves {
		b.Run(fmt.Sprintf("runs=%d/events=%d", shelf.runs, shelf.events), func(b *testing.B) {
			data, _ := fillShelf(b, b.TempDir(), shelf.runs, shelf.events)
			apart(b)
			if _, err := plainBinary(); err != nil {
				b.Fatal(err)
			}
			var took spread
			for b.Loop() {
				began := time.Now() //nolint:forbidigo // what is measured
				s := loadServer(b, data)
				res, err := http.Get(s.url + "/runs") //nolint:noctx // a test's own server
				if err != nil {
					b.Fatal(err)
				}
				var list contracts.RunList
				if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list.Runs) == 0 {
					b.Fatalf("runs: %v, %v", list, err)
				}
				_ = res.Body.Close()
				took.add(time.Since(began))
				b.StopTimer()
				s.kill(b)
				b.StartTimer()
			}
			took.report(b)
		})
	}
}

// BenchmarkLoadResume lets 200 viewers come back at once to a run in a journal of many, each some hundred events behind,
// and measures how long each takes to have caught up; an operation is one such storm.
func BenchmarkLoadResume(b *testing.B) {
	const viewers, behind = 200, 500
	for _, shelf := range shelves {
		b.Run(fmt.Sprintf("events=%d", shelf.events), func(b *testing.B) {
			data, long := fillShelf(b, b.TempDir(), shelf.runs, shelf.events)
			apart(b)
			s := loadServer(b, data)
			var list contracts.EventPage
			res, err := http.Get(s.url + "/runs/" + long.String() + "/events?limit=1") //nolint:noctx // a test's own server
			if err != nil {
				b.Fatal(err)
			}
			if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
				b.Fatal(err)
			}
			_ = res.Body.Close()
			last := int64(list.LastSeq)
			var took spread
			var failed firstError
			for b.Loop() {
				var all sync.WaitGroup
				for i := range viewers {
					all.Go(func() {
						began := time.Now() //nolint:forbidigo // what is measured
						v := view(b, s.url, "/runs/"+long.String()+"/stream", max(0, last-int64(behind+i)))
						for v.next <= last {
							if _, err := v.event(); err != nil {
								failed.set(err)
								return
							}
						}
						took.add(time.Since(began))
						_ = v.conn.Close()
					})
				}
				all.Wait()
			}
			failed.check(b)
			took.report(b)
		})
	}
}

// BenchmarkLoadReplay measures how quickly one viewer reads a run of 100 000 events from its first; an operation is one
// such replay. Its floor copies the same bytes over the same kind of connection.
func BenchmarkLoadReplay(b *testing.B) {
	const events = 100_000
	data, long := fillShelf(b, b.TempDir(), 1, 10*events)
	saved := filepath.Join(b.TempDir(), "stream")
	path := "/runs/" + long.String() + "/stream"
	replay := func(b *testing.B, s *server, path string, to io.Writer) {
		b.Helper()
		v := dial(b, s.url)
		res, err := v.do(http.MethodGet, path, "Accept: text/event-stream\r\n", nil) //nolint:bodyclose // it ends with the connection
		if err != nil {
			b.Fatal(err)
		}
		in := bufio.NewReaderSize(res.Body, 256<<10)
		for n := 0; n < events; {
			line, err := in.ReadSlice('\n')
			if err != nil {
				b.Fatalf("after %d events: %v", n, err)
			}
			if to != nil {
				_, _ = to.Write(line)
			}
			if rest, ok := bytes.CutPrefix(line, []byte("id: ")); ok {
				if n++; strings.TrimSpace(string(rest)) != strconv.Itoa(n) {
					b.Fatalf("event %s came in the place of %d", rest, n)
				}
			}
		}
		_ = v.conn.Close()
	}
	rate := func(b *testing.B, s *server, path string) {
		b.Helper()
		for b.Loop() {
			replay(b, s, path, nil)
		}
		b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	}
	b.Run("axiom25", func(b *testing.B) {
		apart(b)
		s := loadServer(b, data)
		rate(b, s, path)
		s.kill(b)
	})
	b.Run("floor", func(b *testing.B) {
		file, err := os.Create(saved) //nolint:gosec // the test's own file
		if err != nil {
			b.Fatal(err)
		}
		s := loadServer(b, data)
		replay(b, s, path, file)
		s.kill(b)
		if err := file.Close(); err != nil {
			b.Fatal(err)
		}
		apart(b)
		rate(b, floorServer(b, floorReplay, saved), "/")
	})
	runtime.KeepAlive(data)
}
