package httpapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"axiom25/server/fanout"
	"axiom25/server/httpapi"
	"axiom25/server/intake"
	"axiom25/server/journal/sqlitejournal"
	"axiom25/server/tools"
)

// BenchmarkReport reports over loopback, durable, with many producers that have a run each. The floor is the same body sent
// to a server that throws it away.
func BenchmarkReport(b *testing.B) {
	for _, c := range []struct{ producers, events int }{{1, 1}, {32, 1}, {1, 20}, {32, 20}} {
		name := fmt.Sprintf("producers=%d/events=%d", c.producers, c.events)
		b.Run(name, func(b *testing.B) {
			h := openBench(b)
			benchReport(b, c.producers, c.events, h.events)
		})
		b.Run(name+"/floor", func(b *testing.B) {
			sink := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, `{"seq":1}`)
			})
			url := "http://" + serveBench(b, sink, func() {})
			benchReport(b, c.producers, c.events, func(int) string { return url })
		})
	}
}

// benchHouse is a door with its edge on a real socket.
type benchHouse struct {
	b    *testing.B
	url  string
	door *intake.Intake
}

// openBench starts one over a new journal.
func openBench(b *testing.B) *benchHouse {
	b.Helper()
	store, err := sqlitejournal.Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), sqlitejournal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	hub := fanout.New(store)
	catalogue, err := tools.Open(b.Context(), store, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	door, err := intake.New(intake.Config{Journal: store, Hub: hub, Catalogue: catalogue, Engines: engines{}, Log: log, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	api, err := httpapi.New(httpapi.Config{Intake: door, Journal: store, Hub: hub, Catalogue: catalogue, Engines: engines{}, Log: log, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	return &benchHouse{b: b, door: door, url: "http://" + serveBench(b, api, api.Close)}
}

// events makes a run and returns where its engine reports.
func (h *benchHouse) events(int) string {
	h.b.Helper()
	created, _, err := h.door.Create(h.b.Context(), []byte(task("")), intake.CreateOptions{})
	if err != nil {
		h.b.Fatal(err)
	}
	return h.url + "/runs/" + created.RunID.String() + "/events"
}

// benchReport sends b.N batches by as many producers.
func benchReport(b *testing.B, producers, events int, url func(run int) string) {
	b.Helper()
	body := []byte(strings.Repeat(line("token", `{"id":"m","delta":"a few words of an answer"}`)+"\n", events))
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: producers}}
	defer client.CloseIdleConnections()
	work := make(chan struct{})
	var all sync.WaitGroup
	for run := range producers {
		address := url(run)
		all.Go(func() {
			for range work {
				res, err := client.Post(address, "application/x-ndjson", bytes.NewReader(body)) //nolint:noctx // of a benchmark
				if err != nil {
					b.Error(err)
					continue
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
					b.Errorf("status %d, %v", res.StatusCode, err)
				}
				_ = res.Body.Close()
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		work <- struct{}{}
	}
	close(work)
	all.Wait()
	b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkIngest sends lines of one event by open requests, pipelined.
func BenchmarkIngest(b *testing.B) {
	for _, producers := range []int{1, 32} {
		b.Run(fmt.Sprintf("producers=%d", producers), func(b *testing.B) {
			h := openBench(b)
			text := []byte(line("token", `{"id":"m","delta":"a few words of an answer"}`) + "\n")
			var all sync.WaitGroup
			per := b.N/producers + 1
			b.ResetTimer()
			for run := range producers {
				all.Go(func() { ingestMany(b, h.events(run), text, per) })
			}
			all.Wait()
			b.ReportMetric(float64(per*producers)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// ingestMany sends n lines, and reads as many acknowledgements.
func ingestMany(b *testing.B, url string, text []byte, n int) {
	b.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, r)
	if err != nil {
		b.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Accept", "application/x-ndjson")
	go func() {
		out := bufio.NewWriterSize(w, 16<<10)
		for range n {
			_, _ = out.Write(text)
		}
		_ = out.Flush()
		_ = w.Close()
	}()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	acks := 0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); acks++ {
		if !bytes.HasPrefix(lines.Bytes(), []byte(`{"seq"`)) {
			b.Errorf("refused: %s", lines.Bytes())
			return
		}
	}
	if acks != n {
		b.Errorf("%d of %d lines acknowledged", acks, n)
	}
}
