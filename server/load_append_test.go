package main_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLoadAppend reports durable events over HTTP; an operation is one request. Each producer has a run and a
// connection of its own, and names its cursor in each request; or, where it is open, keeps one request open and sends each
// append as a line of it. Either waits for one answer before it sends the next. When the time is up every run is read back whole.
func BenchmarkLoadAppend(b *testing.B) {
	for _, producers := range []int{1, 32, 256} {
		for _, events := range []int{1, 20} {
			name := fmt.Sprintf("producers=%d/events=%d", producers, events)
			b.Run(name+"/axiom25", func(b *testing.B) {
				apart(b)
				s := loadServer(b, b.TempDir())
				all := make([]*producer, producers)
				for i := range all {
					all[i] = newProducer(b, s)
					if err := all[i].report(1, "a"); err != nil { // the server adds `running` before the first
						b.Fatal(err)
					}
				}
				load(b, s, producers, events, func(i int) error { return all[i].report(events, "at ") })
				for _, p := range all {
					p.stored(b)
				}
			})
			b.Run(name+"/open", func(b *testing.B) {
				apart(b)
				s := loadServer(b, b.TempDir())
				all := make([]*producer, producers)
				for i := range all {
					all[i] = newProducer(b, s)
					if err := errors.Join(all[i].report(1, "a"), all[i].openFeed()); err != nil {
						b.Fatal(err)
					}
				}
				load(b, s, producers, events, func(i int) error { return all[i].reportOpen(events, "at ") })
				for _, p := range all {
					p.wire = dial(b, s.url) // the other one's request is still open
					p.stored(b)
				}
			})
			b.Run(name+"/floor", func(b *testing.B) {
				apart(b)
				s := floorServer(b, floorAppend, filepath.Join(b.TempDir(), "floor"))
				all := make([]*producer, producers)
				for i := range all {
					all[i] = &producer{wire: dial(b, s.url)}
				}
				load(b, s, producers, events, func(i int) error { return all[i].floor(events) })
			})
		}
	}
}

// floor is report for a server that gives no cursor.
func (p *producer) floor(events int) error {
	p.body = p.body[:0]
	for range events {
		p.sent++
		p.body = fmt.Appendf(p.body, floorEvent+"\n", p.sent, time.Now().UnixNano()) //nolint:forbidigo // as report does
	}
	res, err := p.do("POST", "/", "", p.body)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// load divides b.N requests of so many events each between the producers.
func load(b *testing.B, s *server, producers, events int, request func(i int) error) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var took spread
	var failed firstError
	var all sync.WaitGroup
	before := s.cpu(b)
	b.ResetTimer()
	for i := range producers {
		all.Go(func() {
			var times []time.Duration
			for left.Add(-1) >= 0 {
				began := time.Now() //nolint:forbidigo // what is measured
				if err := request(i); err != nil {
					failed.set(err)
					return
				}
				times = append(times, time.Since(began))
			}
			took.add(times...)
		})
	}
	all.Wait()
	b.StopTimer()
	failed.check(b)
	total := float64(b.N * events)
	b.ReportMetric(total/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((s.cpu(b)-before).Microseconds())/total, "server-µs/event")
	took.report(b)
}
