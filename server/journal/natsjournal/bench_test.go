package natsjournal_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/natsjournal"
	"axiom25/server/journal/natsjournal/natstest"
)

// BenchmarkAppend measures appends that are fsynced before they are acknowledged, on one server and on a cluster of
// three in this process; 32x20 are 32 producers with 20 events an append. Each stands next to its floor: the same
// bytes published to a stream by as many producers that wait for each acknowledgement.
func BenchmarkAppend(b *testing.B) {
	for _, replicas := range []int{1, 3} {
		var urls []string
		if replicas == 1 {
			urls = []string{natstest.Start(b, natstest.Options{SyncAlways: true}).URL()}
		} else {
			urls = natstest.StartCluster(b, replicas, natstest.Options{SyncAlways: true}).URLs(0)
		}
		store := 0
		for _, c := range []struct{ producers, size int }{{1, 1}, {32, 1}, {1, 20}, {32, 20}} {
			name := fmt.Sprintf("R%d_%dx%d", replicas, c.producers, c.size)
			b.Run(name+"/journal", func(b *testing.B) {
				store++
				o := natsjournal.Options{URLs: urls, Prefix: fmt.Sprintf("bench%d", store), Replicas: replicas}
				benchmarkJournal(b, o, c.producers, c.size)
			})
			b.Run(name+"/floor", func(b *testing.B) {
				store++
				benchmarkFloor(b, urls, fmt.Sprintf("floor%d", store), replicas, c.producers, c.size)
			})
		}
	}
}

func benchmarkJournal(b *testing.B, o natsjournal.Options, producers, size int) {
	b.Helper()
	j := open(b, o)
	defer closeAll(b, j)
	batches := make([]journal.Batch, producers)
	for i := range batches {
		run := journaltest.NewRun(i)
		if err := j.Create(b.Context(), run, benchBatch(run.ID, 0, 1)); err != nil {
			b.Fatal(err)
		}
		batches[i] = benchBatch(run.ID, 1, size)
	}
	produce(b, producers, size, func(i int) error {
		err := j.Append(context.Background(), journaltest.RunID(i), batches[i])
		batches[i].After += contracts.Seq(size)
		return err
	})
}

// benchmarkFloor publishes what the appends of benchmarkJournal hold.
func benchmarkFloor(b *testing.B, urls []string, name string, replicas, producers, size int) {
	b.Helper()
	nc, err := nats.Connect(urls[0])
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	config := jetstream.StreamConfig{Name: name, Subjects: []string{name + ".*"}, Replicas: replicas}
	if _, err := js.CreateStream(b.Context(), config); err != nil {
		b.Fatal(err)
	}
	bodies := make([][]byte, producers)
	for i := range bodies {
		batch := benchBatch(journaltest.RunID(i), 1, size)
		for _, event := range batch.Events {
			bodies[i] = append(bodies[i], event...)
		}
		bodies[i] = append(bodies[i], make([]byte, 700)...) // summary and frame
	}
	produce(b, producers, size, func(i int) error {
		_, err := js.Publish(context.Background(), fmt.Sprintf("%s.%d", name, i), bodies[i])
		return err
	})
}

// benchBatch returns a batch whose events have the size of tokens, some 200 bytes.
func benchBatch(id contracts.RunID, after contracts.Seq, size int) journal.Batch {
	batch := journaltest.NewBatch(id, after, size)
	for i := range batch.Events {
		batch.Events[i] = fmt.Appendf(nil, `{"schema_version":2,"run_id":%q,"seq":12345,"time":"2026-01-02T03:04:05.678Z",`+
			`"type":"token","data":{"id":"m1","delta":" and the planets","attempt":1,"channel":"answer"}}`, id)
	}
	return batch
}

// produce divides b.N appends of size events each between the producers.
func produce(b *testing.B, producers, size int, appendTo func(i int) error) {
	b.Helper()
	b.ResetTimer()
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

// BenchmarkRead measures reads of the end of a run, which are as fresh as the last acknowledgement: each stands behind a
// barrier that those who read at once share.
func BenchmarkRead(b *testing.B) {
	for _, replicas := range []int{1, 3} {
		var urls []string
		if replicas == 1 {
			urls = []string{natstest.Start(b, natstest.Options{SyncAlways: true}).URL()}
		} else {
			urls = natstest.StartCluster(b, replicas, natstest.Options{SyncAlways: true}).URLs(0)
		}
		j := open(b, natsjournal.Options{URLs: urls, Replicas: replicas})
		run := journaltest.NewRun(1)
		if err := j.Create(b.Context(), run, benchBatch(run.ID, 0, 1)); err != nil {
			b.Fatal(err)
		}
		for _, readers := range []int{1, 32} {
			b.Run(fmt.Sprintf("R%d_%d", replicas, readers), func(b *testing.B) {
				produce(b, readers, 1, func(int) error {
					_, err := j.Read(context.Background(), run.ID, 1, 10, 1<<20)
					return err
				})
			})
		}
		closeAll(b, j)
	}
}
