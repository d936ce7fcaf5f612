package sqlitejournal_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/sqlitejournal"
)

// The store that the benchmarks of growth begin with: 100 000 runs of 10 events each, of which 100 go on.
const (
	grownRuns, grownEvents, grownLive = 100_000, 10, 100
)

// grow makes that store and returns its path.
func grow(b *testing.B) (path string) {
	b.Helper()
	return growTo(b, grownRuns)
}

// growTo makes such a store of another number of runs.
func growTo(b *testing.B, runs int) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "journal.db")
	j := openBench(b, path)
	var next atomic.Int64
	var producers sync.WaitGroup
	for range 128 {
		producers.Go(func() {
			for i := int(next.Add(1)) - 1; i < runs; i = int(next.Add(1)) - 1 {
				run := journaltest.NewRun(i)
				first := benchBatch(run.ID, 0, grownEvents)
				first.Summary.Labels = map[string]string{"team": fmt.Sprintf("team%d", i%1000)}
				first.Summary.CreatedAt, first.Summary.UpdatedAt = contracts.Time(i), contracts.Time(i)
				if i < runs-grownLive {
					first.Summary.State = contracts.StateSucceeded
				}
				if err := j.Create(context.Background(), run, first); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	producers.Wait()
	closeBench(b, j)
	return path
}

func openBench(b *testing.B, path string) *sqlitejournal.Journal {
	b.Helper()
	j, err := sqlitejournal.Open(context.Background(), path, sqlitejournal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return j
}

func closeBench(b *testing.B, j *sqlitejournal.Journal) {
	b.Helper()
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}

// liveStates are those of runs that go on.
func liveStates() []contracts.State {
	return []contracts.State{contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining}
}

// BenchmarkOpen measures what a server does with its journal before it is ready: it opens it, and lists the live runs and
// the first page.
func BenchmarkOpen(b *testing.B) {
	b.Run("1M_events_100k_runs", func(b *testing.B) {
		path := grow(b)
		for b.Loop() {
			j := openBench(b, path)
			for _, q := range []journal.Query{{States: liveStates(), Limit: 500}, {Limit: 50}} {
				if _, err := j.List(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			closeBench(b, j)
			b.StartTimer()
		}
	})
}

// BenchmarkList measures pages of 50 in the same store, and what reads beside them.
func BenchmarkList(b *testing.B) {
	path := grow(b)
	j := openBench(b, path)
	defer closeBench(b, j)
	for _, c := range []struct {
		name  string
		query journal.Query
	}{
		{"first", journal.Query{}},
		{"middle", journal.Query{Before: journaltest.RunID(grownRuns / 2)}},
		{"live", journal.Query{States: liveStates()}},
		{"label", journal.Query{Labels: map[string]string{"team": "team7"}}},
		{"since_until", journal.Query{Since: 500, Until: 600}},
		{"text_found", journal.Query{Text: "planets"}},
		{"text_nowhere", journal.Query{Text: "comets"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.query.Limit = 50
			for b.Loop() {
				if _, err := j.List(context.Background(), c.query); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("size", func(b *testing.B) {
		for b.Loop() {
			if _, err := j.Size(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("finished", func(b *testing.B) {
		for b.Loop() {
			if _, err := j.Finished(context.Background(), 1<<50, 500); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReadTail reads the last 20 events of a run of 100 000.
func BenchmarkReadTail(b *testing.B) {
	j := openBench(b, filepath.Join(b.TempDir(), "journal.db"))
	defer closeBench(b, j)
	run := journaltest.NewRun(1)
	if err := j.Create(context.Background(), run, benchBatch(run.ID, 0, 20)); err != nil {
		b.Fatal(err)
	}
	last := contracts.Seq(20)
	for ; last < 100_000; last += 20 {
		if err := j.Append(context.Background(), run.ID, benchBatch(run.ID, last, 20)); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if page, err := j.Read(context.Background(), run.ID, last-20, 20, 1<<20); err != nil || len(page.Events) != 20 {
			b.Fatal(len(page.Events), err)
		}
	}
}

// BenchmarkAppendWhilePruning measures how long an append of one event takes with 32 producers, while runs are pruned and
// while none are, in the same store and the same run of the benchmark.
func BenchmarkAppendWhilePruning(b *testing.B) {
	j := openBench(b, filepath.Join(b.TempDir(), "journal.db"))
	defer closeBench(b, j)
	const producers = 32
	batches := make([]journal.Batch, producers)
	for i := range batches {
		run := journaltest.NewRun(i)
		if err := j.Create(context.Background(), run, benchBatch(run.ID, 0, 1)); err != nil {
			b.Fatal(err)
		}
		batches[i] = benchBatch(run.ID, 1, 1)
	}
	old := producers
	for _, pruning := range []bool{false, true} {
		b.Run(fmt.Sprintf("pruning=%t", pruning), func(b *testing.B) {
			b.StopTimer()
			first := old
			if pruning {
				for ; old < first+20+b.N/500; old++ {
					growOne(b, j, old)
				}
			}
			ctx, stop := context.WithCancel(context.Background())
			var pruner sync.WaitGroup
			if pruning {
				pruner.Go(func() { pruneAll(ctx, b, j, first, old) })
			}
			took := make([]time.Duration, b.N)
			var n atomic.Int64
			b.StartTimer()
			produce(b, producers, 1, func(i int) error {
				began := time.Now() //nolint:forbidigo // what is measured
				err := j.Append(context.Background(), journaltest.RunID(i), batches[i])
				took[n.Add(1)-1] = time.Since(began)
				batches[i].After++
				return err
			})
			b.StopTimer()
			stop()
			pruner.Wait()
			slices.Sort(took)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(took[min(len(took)*p/100, len(took)-1)].Microseconds()), fmt.Sprintf("p%d-us", p))
			}
		})
	}
}

// growOne makes a run of 200 batches that has ended.
func growOne(b *testing.B, j journal.Journal, i int) {
	b.Helper()
	run := journaltest.NewRun(i)
	if err := j.Create(context.Background(), run, benchBatch(run.ID, 0, 20)); err != nil {
		b.Fatal(err)
	}
	for k := range contracts.Seq(200) {
		batch := benchBatch(run.ID, 20*(k+1), 20)
		if k == 199 {
			batch.Summary.State = contracts.StateSucceeded
		}
		if err := j.Append(context.Background(), run.ID, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// pruneAll prunes runs from first to last until its context ends.
func pruneAll(ctx context.Context, b *testing.B, j journal.Journal, first, last int) {
	b.Helper()
	slices := 0
	for i := first; i < last && ctx.Err() == nil; i++ {
		for more := true; more && ctx.Err() == nil; slices++ {
			var err error
			if more, err = j.Prune(ctx, journaltest.RunID(i), journal.MaxPruneRows); err != nil && ctx.Err() == nil {
				b.Error(err)
				return
			}
		}
	}
	b.ReportMetric(float64(slices), "slices")
}

// BenchmarkVerify reads a store of 20 000 runs whole. An operation is a verification.
func BenchmarkVerify(b *testing.B) {
	j := openBench(b, growTo(b, grownRuns/5))
	defer closeBench(b, j)
	for b.Loop() {
		size, err := j.Verify(context.Background(), func(damage error) error { return damage })
		if err != nil || size.Events != grownRuns/5*grownEvents {
			b.Fatalf("%+v, %v", size, err)
		}
	}
}
