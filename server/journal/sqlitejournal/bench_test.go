package sqlitejournal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// BenchmarkAppend measures durable appends, each next to its floor: the same bytes, fsynced by group commit to
// a plain file. An operation is one append.
func BenchmarkAppend(b *testing.B) {
	for _, producers := range []int{1, 32, 256} {
		for _, size := range []int{1, 20} {
			name := fmt.Sprintf("%dx%d", producers, size)
			b.Run(name+"/journal", func(b *testing.B) { benchmarkJournal(b, producers, size) })
			b.Run(name+"/floor", func(b *testing.B) { benchmarkFloor(b, producers, size) })
		}
	}
}

func benchmarkJournal(b *testing.B, producers, size int) {
	b.Helper()
	j, err := sqlitejournal.Open(b.Context(), filepath.Join(b.TempDir(), "journal.db"), sqlitejournal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			b.Error(err)
		}
	}()
	batches := make([]journal.Batch, producers)
	for i := range batches {
		run := journaltest.NewRun(i)
		if err := j.Create(b.Context(), run, benchBatch(run.ID, 0, 1)); err != nil {
			b.Fatal(err)
		}
		batches[i] = benchBatch(run.ID, 1, size)
	}
	b.ResetTimer()
	produce(b, producers, size, func(i int) error {
		err := j.Append(context.Background(), journaltest.RunID(i), batches[i])
		batches[i].After += contracts.Seq(size)
		return err
	})
}

// benchBatch returns a batch whose events and summary have the sizes of real ones: some 200 and 600 bytes.
func benchBatch(id contracts.RunID, after contracts.Seq, size int) journal.Batch {
	batch := journaltest.NewBatch(id, after, size)
	for i := range batch.Events {
		batch.Events[i] = benchEvent(id)
	}
	return batch
}

// benchEvent returns an event of the size of a token.
func benchEvent(id contracts.RunID) []byte {
	return fmt.Appendf(nil, `{"schema_version":2,"run_id":%q,"seq":12345,"time":"2026-01-02T03:04:05.678Z","type":"token",`+
		`"data":{"id":"m1","delta":" and the planets","attempt":1,"channel":"answer"}}`, id)
}

// produce divides b.N appends of size events each between the producers.
func produce(b *testing.B, producers, size int, appendTo func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := appendTo(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "events/s")
}

// benchmarkFloor does with a plain file what a journal cannot do less than: write the events and fsync, all
// that wait together.
func benchmarkFloor(b *testing.B, producers, size int) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	type item struct {
		bytes []byte
		done  chan error
	}
	queue := make(chan item, producers)
	var syncer sync.WaitGroup
	syncer.Go(func() {
		for first := range queue {
			group := []item{first}
			for len(queue) > 0 {
				group = append(group, <-queue)
			}
			var bytes []byte
			for _, it := range group {
				bytes = append(bytes, it.bytes...)
			}
			_, err := file.Write(bytes)
			if err == nil {
				err = file.Sync()
			}
			for _, it := range group {
				it.done <- err
			}
		}
	})
	bodies := make([][]byte, producers)
	for i := range bodies {
		for range size {
			bodies[i] = append(bodies[i], benchEvent(journaltest.RunID(i))...)
		}
	}
	b.ResetTimer()
	produce(b, producers, size, func(i int) error {
		it := item{bodies[i], make(chan error, 1)}
		queue <- it
		return <-it.done
	})
	close(queue)
	syncer.Wait()
	if err := file.Close(); err != nil {
		b.Error(err)
	}
}
