package natsjournal_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/natsjournal"
	"axiom25/server/journal/natsjournal/natstest"
)

// How much `make soak` asks for; `make test` does with less.
var clusterRounds = flag.Int("rounds", 1, "how often each fault befalls the cluster") //nolint:gochecknoglobals // a flag of the test binary

// TestClusterLosesNothingAcknowledged writes through two journals at once to a cluster of three nodes, and watches every
// run on the journal that does not write it, while nodes are stopped and started again and cut off, and leaders change.
// Then it holds what the writers were told against what each journal reads and what each viewer saw.
func TestClusterLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64() //nolint:gosec // any seed will do
	t.Logf("seed %d", seed)
	c := natstest.StartCluster(t, 3, natstest.Options{})
	const stream = "axiom25_runs_0"
	journals := [2]*natsjournal.Journal{}
	for i := range journals {
		j := open(t, natsjournal.Options{URLs: c.URLs(i), Replicas: 3, Sweep: 2 * time.Second})
		t.Cleanup(func() {
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
		journals[i] = j
	}

	const runs = 6
	histories, viewers := make([]*history, runs), make([]*viewer, runs)
	stopWriting, stopViewing := make(chan struct{}), make(chan struct{})
	var writing, viewing sync.WaitGroup
	for i := range runs {
		h, v := &history{run: journaltest.RunID(i)}, &viewer{}
		histories[i], viewers[i] = h, v
		writer, reader := journals[i%2], journals[1-i%2]
		first := journaltest.NewBatch(h.run, 0, 1)
		if err := writer.Create(t.Context(), journaltest.NewRun(i), first); err != nil {
			t.Fatalf("create %s: %v", h.run, err)
		}
		h.acked = []string{string(first.Events[0])}
		random := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // a failure is looked at again by its seed
		writing.Go(func() { h.write(t, writer, random, stopWriting) })
		viewing.Go(func() { v.follow(t, reader, h.run, stopViewing) })
	}

	random := rand.New(rand.NewPCG(seed, runs)) //nolint:gosec // see above
	pause := func(most time.Duration) { time.Sleep(most/2 + time.Duration(random.Int64N(int64(most/2)))) }
	for range *clusterRounds {
		for range 5 {
			pause(300 * time.Millisecond)
			if err := c.StepDown(stream); err != nil {
				t.Logf("step down: %v", err)
			}
		}
		pause(300 * time.Millisecond)
		leader := max(c.Leader(stream), 0)
		t.Logf("stop node %d, which leads", leader)
		c.Stop(leader)
		pause(2 * time.Second)
		c.Start(t, leader)
		c.WaitReady(t)
		pause(time.Second)
		cut := random.IntN(3)
		t.Logf("cut off node %d; node %d leads", cut, c.Leader(stream))
		c.Isolate(cut)
		pause(8 * time.Second)
		c.Heal(cut)
		c.WaitReady(t)
		pause(time.Second)
	}
	close(stopWriting)
	writing.Wait()

	// What was acknowledged last has to reach the viewers by itself: nothing is written any more.
	for i, v := range viewers {
		for tries := 0; v.count() < len(histories[i].acked) && tries < 300; tries++ {
			time.Sleep(100 * time.Millisecond)
		}
	}
	close(stopViewing)
	viewing.Wait()
	attempts, unknown, settled := 0, 0, 0
	for i, h := range histories {
		h.check(t, "the journal that wrote", journals[i%2])
		h.check(t, "the other journal", journals[1-i%2])
		h.compare(t, "a viewer", viewers[i].seen)
		attempts, unknown, settled = attempts+h.made, unknown+h.unknown, settled+h.settled
	}
	if attempts < 10*runs {
		t.Errorf("%d appends were attempted: the test proves little", attempts)
	}
	size, err := journals[0].Verify(t.Context(), func(damage error) error {
		t.Errorf("verify: %v", damage)
		return nil
	})
	if err != nil || size.Runs != runs {
		t.Errorf("verify finds %d runs, %v, want %d", size.Runs, err, runs)
	}
	t.Logf("%d appends, %d of unknown outcome at first, %d of them stored; %d events", attempts, unknown, settled, size.Events)
}

// TestOneOfTwoServersWins appends to the same places through two journals at once.
func TestOneOfTwoServersWins(t *testing.T) {
	t.Parallel()
	s := natstest.Start(t, natstest.Options{})
	a, b := open(t, natsjournal.Options{URLs: []string{s.URL()}}), open(t, natsjournal.Options{URLs: []string{s.URL()}})
	defer closeAll(t, a, b)
	run := journaltest.NewRun(1)
	if err := a.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	const rounds = 100
	var won [2]int
	var racing sync.WaitGroup
	for i, j := range []journal.Journal{a, b} {
		racing.Go(func() {
			for last := journaltest.NewBatch(run.ID, 0, 1).After + 1; last < rounds; {
				err := j.Append(t.Context(), run.ID, journaltest.NewBatch(run.ID, last, 1))
				if err == nil {
					won[i]++
					last++
					continue
				}
				conflict, ok := asConflict(err)
				if !ok || conflict.Last <= last {
					t.Errorf("append after %d: %v", last, err)
					return
				}
				last = conflict.Last
			}
		})
	}
	racing.Wait()
	page, err := b.Read(t.Context(), run.ID, 0, 1000, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Events) != won[0]+won[1]+1 {
		t.Errorf("%d events, %d and %d appends won", len(page.Events), won[0], won[1])
	}
}

// TestUnknownOutcomeIsSettledByTheSameAppend takes the quorum away while an append is on its way: the leader has it and
// cannot say what becomes of it.
func TestUnknownOutcomeIsSettledByTheSameAppend(t *testing.T) {
	t.Parallel()
	c := natstest.StartCluster(t, 3, natstest.Options{})
	j := open(t, natsjournal.Options{URLs: c.URLs(0), Replicas: 3})
	defer closeAll(t, j)
	run := journaltest.NewRun(1)
	if err := j.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	leader := c.Leader("axiom25_runs_0")
	for node := range 3 {
		if node != leader {
			c.Stop(node)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	batch := journaltest.NewBatch(run.ID, 1, 2)
	err := j.Append(ctx, run.ID, batch)
	if !errors.Is(err, journal.ErrUnknown) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("an append without a quorum gives %v, want ErrUnknown", err)
	}
	t.Logf("without a quorum: %v", err)
	if _, err := j.Read(ctx, run.ID, 0, 10, 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a read without a quorum gives %v, want no answer", err)
	}
	for node := range 3 {
		c.Start(t, node)
	}
	err = j.Append(t.Context(), run.ID, batch)
	if conflict, ok := asConflict(err); err != nil && (!ok || conflict.Last != 3) {
		t.Errorf("the same append again gives %v, want nil or its own events as a conflict", err)
	}
	page, err := j.Read(t.Context(), run.ID, 0, 10, 1<<20)
	if err != nil || len(page.Events) != 3 {
		t.Errorf("the run has %d events, %v, want 3", len(page.Events), err)
	}
}
