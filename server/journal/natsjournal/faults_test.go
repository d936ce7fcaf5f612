package natsjournal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"axiom25/contracts"
	"axiom25/server/journal"
	"axiom25/server/journal/journaltest"
	"axiom25/server/journal/natsjournal"
	"axiom25/server/journal/natsjournal/natstest"
)

// bench is a server with a journal on it, and the means to reach behind its back.
type bench struct {
	*natsjournal.Journal
	server *natstest.Server
	js     jetstream.JetStream
}

// newBench starts a server and opens a journal.
func newBench(t *testing.T, o natsjournal.Options) bench {
	t.Helper()
	s := natstest.Start(t, natstest.Options{})
	o.URLs = []string{s.URL()}
	j := open(t, o)
	t.Cleanup(func() { closeAll(t, j) })
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return bench{j, s, js}
}

// create stores run 1 with three chunks: events 1, 2..4 and 5..7.
func (b bench) create(t *testing.T) contracts.RunID {
	t.Helper()
	run := journaltest.NewRun(1)
	if err := b.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	for _, after := range []contracts.Seq{1, 4} {
		if err := b.Append(t.Context(), run.ID, journaltest.NewBatch(run.ID, after, 3)); err != nil {
			t.Fatal(err)
		}
	}
	return run.ID
}

// rewrite replaces the stored messages of a stream by what damage makes of them; nil leaves one out.
func (b bench) rewrite(t *testing.T, stream string, damage func(n int, m *jetstream.RawStreamMsg) []byte) {
	t.Helper()
	s, err := b.js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	var messages []*jetstream.RawStreamMsg
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains([]byte(m.Subject), []byte(".barrier.")) {
			messages = append(messages, m)
		}
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, m := range messages {
		data := damage(n, m)
		if data == nil {
			continue
		}
		if _, err := b.js.PublishMsg(t.Context(), &nats.Msg{Subject: m.Subject, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
}

// flip changes the last byte of message n of the stream, and leaves the others.
func flip(n int) func(int, *jetstream.RawStreamMsg) []byte {
	return func(i int, m *jetstream.RawStreamMsg) []byte {
		if i == n {
			m.Data[len(m.Data)-1] ^= 1
		}
		return m.Data
	}
}

// without leaves message n of the stream out.
func without(n int) func(int, *jetstream.RawStreamMsg) []byte {
	return func(i int, m *jetstream.RawStreamMsg) []byte {
		if i == n {
			return nil
		}
		return m.Data
	}
}

func TestDamageIsNeverAShorterHistory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(int, *jetstream.RawStreamMsg) []byte
		from   contracts.Seq
	}{
		"a flipped bit in the first chunk": {flip(0), 1},
		"a flipped bit in the middle":      {flip(1), 2},
		"a flipped bit in the last chunk":  {flip(2), 5},
		"a missing first chunk":            {without(0), 1},
		"a missing chunk in the middle":    {without(1), 2},
		"a last chunk of which nothing is right": {func(i int, m *jetstream.RawStreamMsg) []byte {
			return append([]byte("x"), m.Data[:len(m.Data)*(2-i)/2]...)
		}, 1},
		"another run's chunk in the middle's place": {func(i int, m *jetstream.RawStreamMsg) []byte {
			if i == 1 {
				return bytes.Replace(m.Data, []byte("0001"), []byte("0002"), 1)
			}
			return m.Data
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, natsjournal.Options{})
			id := b.create(t)
			b.rewrite(t, "axiom25_runs_0", c.damage)
			closeAll(t, b.Journal)
			j := open(t, natsjournal.Options{URLs: []string{b.server.URL()}})
			defer closeAll(t, j)
			for after := range contracts.Seq(7) {
				page, err := j.Read(t.Context(), id, after, 100, 1<<20)
				var damaged *journal.DamagedError
				if !errors.As(err, &damaged) {
					if after < c.from {
						t.Errorf("read after %d gives %d events and %v, want a DamagedError", after, len(page.Events), err)
					}
					continue
				}
				if damaged.Run != id || damaged.From != max(c.from, after+1) {
					t.Errorf("read after %d gives %v, want damage from %d on", after, err, max(c.from, after+1))
				}
				if got := contracts.Seq(len(page.Events)); after+got != max(c.from, after+1)-1 {
					t.Errorf("read after %d gives %d events before the damage from %d on", after, got, c.from)
				}
			}
			var found []error
			if _, err := j.Verify(t.Context(), func(damage error) error { found = append(found, damage); return nil }); err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 {
				t.Fatalf("verify finds %v, want one damage", found)
			}
			if damaged, ok := errors.AsType[*journal.DamagedError](found[0]); !ok || damaged.Run != id {
				t.Errorf("verify finds %v, want damage to %s", found[0], id)
			}
		})
	}
}

func TestVerifyFindsARunThatEndedAndIsShorter(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{})
	id := b.create(t)
	end := journaltest.NewBatch(id, 7, 1)
	end.Summary.State = contracts.StateSucceeded
	if err := b.Append(t.Context(), id, end); err != nil {
		t.Fatal(err)
	}
	closeAll(t, b.Journal) // which waits for the row
	b.rewrite(t, "axiom25_runs_0", without(3))
	j := open(t, natsjournal.Options{URLs: []string{b.server.URL()}})
	defer closeAll(t, j)
	var damaged *journal.DamagedError
	if _, err := j.Verify(t.Context(), func(damage error) error { return damage }); !errors.As(err, &damaged) || damaged.From != 8 {
		t.Errorf("verify gives %v, want damage from 8 on", err)
	}
}

// TestFinishedTellsOfARunWhoseRowIsBehind has a row that was not written since the run was created: whoever appended the run's
// end has crashed before it wrote the row, or is about to write it.
func TestFinishedTellsOfARunWhoseRowIsBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{})
	id := b.create(t)
	var created []byte
	b.rewrite(t, "axiom25_list", func(_ int, m *jetstream.RawStreamMsg) []byte {
		created = bytes.Clone(m.Data)
		return m.Data
	})
	end := journaltest.NewBatch(id, 7, 1)
	end.Summary.State = contracts.StateSucceeded
	if err := b.Append(t.Context(), id, end); err != nil {
		t.Fatal(err)
	}
	closeAll(t, b.Journal) // which waits for the row
	for range 3 {
		b.rewrite(t, "axiom25_list", func(int, *jetstream.RawStreamMsg) []byte { return created })
		j := open(t, natsjournal.Options{URLs: []string{b.server.URL()}})
		runs, err := j.Finished(t.Context(), end.Summary.UpdatedAt+1, 10)
		if err != nil || len(runs) != 1 || runs[0].State != contracts.StateSucceeded || runs[0].LastSeq != 8 {
			t.Errorf("finished are %+v, %v, want the run as it ended, at 8", runs, err)
		}
		closeAll(t, j)
	}
}

func TestDamagedRecordsAreTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{})
	run := journaltest.NewRun(1)
	run.Key = "key"
	if err := b.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := b.PutTool(t.Context(), journal.Tool{Name: "a", Version: "1.0.0", Spec: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.TakeLease(t.Context(), run.ID, "me", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{"axiom25_tools", "axiom25_keys", "axiom25_leases", "axiom25_list"} {
		b.rewrite(t, stream, flip(0))
	}
	ctx := t.Context()
	_, _, byKey := b.ByKey(ctx, "key")
	_, tools := b.Tools(ctx)
	_, lease := b.LeaseOf(ctx, run.ID)
	_, leases := b.ListLeases(ctx)
	for what, err := range map[string]error{"ByKey": byKey, "Tools": tools, "LeaseOf": lease, "ListLeases": leases} {
		if _, ok := errors.AsType[*journal.DamagedError](err); !ok {
			t.Errorf("%s gives %v, want a DamagedError", what, err)
		}
	}
	found := 0
	if _, err := b.Verify(ctx, func(error) error { found++; return nil }); err != nil || found < 4 {
		t.Errorf("verify finds %d damages, %v, want 4 and the run without a row", found, err)
	}
	runs, err := b.List(ctx, journal.Query{Limit: 10})
	if err != nil || len(runs) != 1 {
		t.Errorf("list gives %v, %v: the run is whole, its row is a projection", runs, err)
	}
}

func TestKeyOfACreateThatCrashedIsFreed(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{})
	crashed, run := journaltest.NewRun(1), journaltest.NewRun(2)
	crashed.Key, run.Key = "key", "key"
	first := journaltest.NewBatch(crashed.ID, 0, 1)
	if err := b.Create(t.Context(), crashed, first); err != nil {
		t.Fatal(err)
	}
	s, err := b.js.Stream(t.Context(), "axiom25_runs_0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(t.Context()); err != nil { // as if the server had crashed before it wrote the run
		t.Fatal(err)
	}
	if _, _, err := b.ByKey(t.Context(), "key"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the key belongs to a run that does not exist: %v", err)
	}
	if runs, err := b.List(t.Context(), journal.Query{Limit: 10}); err != nil || len(runs) != 0 {
		t.Errorf("list gives %v, %v, want nothing", runs, err)
	}
	other := open(t, natsjournal.Options{URLs: []string{b.server.URL()}})
	defer closeAll(t, other)
	if err := other.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatalf("create with the key: %v", err)
	}
	// Should the first create go on after all, it finds that it was given up.
	var taken *journal.KeyTakenError
	if err := b.Create(t.Context(), crashed, first); !errors.As(err, &taken) || taken.Run != run.ID {
		t.Errorf("the create that was given up gets %v, want the key taken by %s", err, run.ID)
	}
	if _, err := b.Run(t.Context(), crashed.ID); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("the run that was given up gives %v, want ErrNotFound", err)
	}
	if id, digest, err := b.ByKey(t.Context(), "key"); err != nil || id != run.ID || digest != run.TaskDigest {
		t.Errorf("the key belongs to %s, %s, %v, want %s", id, digest, err, run.ID)
	}
}

func TestQuotaLeavesRoomToPrune(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{Quota: 64 << 20})
	run := journaltest.NewRun(1)
	if err := b.Create(t.Context(), run, journaltest.NewBatch(run.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	last := contracts.Seq(1)
	var err error
	for range 20 {
		large := journaltest.NewBatch(run.ID, last, 1)
		large.Events[0] = make([]byte, 8<<20)
		large.Summary.State = contracts.StateSucceeded
		if err = b.Append(t.Context(), run.ID, large); err != nil {
			break
		}
		last++
	}
	if !errors.Is(err, journal.ErrFull) {
		t.Fatalf("160 MiB in a quota of 64 MiB give %v, want ErrFull", err)
	}
	if err := b.Ready(t.Context()); err != nil && !errors.Is(err, journal.ErrFull) {
		t.Errorf("ready: %v", err)
	}
	page, err := b.Read(t.Context(), run.ID, last-1, 1, 1)
	if err != nil || page.Last != last || len(page.Events) != 1 {
		t.Errorf("a full journal reads %d events, last %d, %v, want event %d", len(page.Events), page.Last, err, last)
	}
	for more := true; more; {
		if more, err = b.Prune(t.Context(), run.ID, 2); err != nil {
			t.Fatal(err)
		}
	}
	next := journaltest.NewRun(2)
	if err := b.Create(t.Context(), next, journaltest.NewBatch(next.ID, 0, 1)); err != nil {
		t.Errorf("create after pruning: %v", err)
	}
	if err := b.Ready(t.Context()); err != nil {
		t.Errorf("ready after pruning: %v", err)
	}
}

func TestWithoutAServerNothingIsStoredAndNothingClaimed(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{})
	id := b.create(t)
	b.server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := b.Append(ctx, id, journaltest.NewBatch(id, 7, 1))
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("append gives %v, want the context's error", err)
	}
	if _, err := b.Read(ctx, id, 0, 1, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read gives %v, want the context's error", err)
	}
	if err := b.Ready(t.Context()); !errors.Is(err, journal.ErrBusy) {
		t.Errorf("ready gives %v, want ErrBusy", err)
	}
	b.server.Start(t)
	if err := b.Append(t.Context(), id, journaltest.NewBatch(id, 7, 1)); err != nil {
		t.Errorf("append once the server is back: %v", err)
	}
	page, err := b.Read(t.Context(), id, 0, 100, 1<<20)
	if err != nil || len(page.Events) != 8 {
		t.Errorf("read gives %d events, %v, want 8", len(page.Events), err)
	}
}

func TestWatcherIsToldOfALostMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{Sweep: 200 * time.Millisecond})
	id := b.create(t)
	s, err := b.js.Stream(t.Context(), "axiom25_runs_0")
	if err != nil {
		t.Fatal(err)
	}
	config := s.CachedInfo().Config
	config.RePublish = nil // from here on every live message is lost
	if _, err := b.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	changes, rows := make(chan journal.Change, 100), make(chan contracts.Summary, 100)
	stop, err := b.WatchRun(t.Context(), id, func(c journal.Change) { changes <- c })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stopRows, err := b.WatchRuns(t.Context(), func(s contracts.Summary) { rows <- s })
	if err != nil {
		t.Fatal(err)
	}
	defer stopRows()
	if c := <-changes; c.Last != 7 {
		t.Errorf("the first call says %d, want 7", c.Last)
	}
	if err := b.Append(t.Context(), id, journaltest.NewBatch(id, 7, 2)); err != nil {
		t.Fatal(err)
	}
	if c := <-changes; c.Last != 9 || c.State != contracts.StateRunning {
		t.Errorf("the watcher is told of %d, %s, want 9, running", c.Last, c.State)
	}
	if s := <-rows; s.RunID != id || s.LastSeq != 9 {
		t.Errorf("the lists' watcher is told of %s at %d, want %s at 9", s.RunID, s.LastSeq, id)
	}
}

func TestOpenRefusesAnotherStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{Shards: 2})
	urls := []string{b.server.URL()}
	for name, o := range map[string]natsjournal.Options{
		"another number of shards":    {URLs: urls, Shards: 3},
		"another number of replicas":  {URLs: urls, Replicas: 3},
		"a quota where there is none": {URLs: urls, Quota: 1 << 30},
		"no server":                   {},
		"a prefix with a dot":         {URLs: urls, Prefix: "a.b"},
		"too many shards":             {URLs: urls, Shards: 65},
		"too many replicas":           {URLs: urls, Replicas: 6},
		"a quota too small":           {URLs: urls, Quota: 1},
	} {
		if j, err := natsjournal.Open(t.Context(), o); !errors.Is(err, natsjournal.ErrOptions) {
			t.Errorf("%s: open gives %v, want ErrOptions", name, err)
			if err == nil {
				closeAll(t, j)
			}
		}
	}
	s, err := b.js.Stream(t.Context(), "axiom25_runs_1")
	if err != nil {
		t.Fatal(err)
	}
	config := s.CachedInfo().Config
	config.Discard = jetstream.DiscardOld
	if _, err := b.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if _, err := natsjournal.Open(t.Context(), natsjournal.Options{URLs: urls}); !errors.Is(err, natsjournal.ErrOptions) {
		t.Errorf("a stream that drops old events gives %v, want ErrOptions", err)
	}
	small := natstest.Start(t, natstest.Options{MaxPayload: 1 << 20})
	if _, err := natsjournal.Open(t.Context(), natsjournal.Options{URLs: []string{small.URL()}}); !errors.Is(err, natsjournal.ErrOptions) {
		t.Errorf("a max_payload of 1 MiB gives %v, want ErrOptions", err)
	}
}

// TestOpenOfWhoOnlyReadsMakesNothing mistypes a prefix: what reads must not call an empty store whole, nor leave one behind.
func TestOpenOfWhoOnlyReadsMakesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, natsjournal.Options{Shards: 2})
	existing := natsjournal.Options{URLs: []string{b.server.URL()}, Existing: true}
	j, err := natsjournal.Open(t.Context(), existing)
	if err != nil {
		t.Fatalf("the store that is there: %v", err)
	}
	closeAll(t, j)

	mistyped := existing
	mistyped.Prefix = "axiom52"
	if _, err := natsjournal.Open(t.Context(), mistyped); !errors.Is(err, natsjournal.ErrNoStore) {
		t.Errorf("another prefix gives %v, want ErrNoStore", err)
	}
	for name := range b.js.StreamNames(t.Context()).Name() {
		if strings.HasPrefix(name, mistyped.Prefix) {
			t.Errorf("stream %s was made", name)
		}
	}

	if err := b.js.DeleteStream(t.Context(), "axiom25_runs_1"); err != nil {
		t.Fatal(err)
	}
	if _, err := natsjournal.Open(t.Context(), existing); !errors.Is(err, natsjournal.ErrNoStore) {
		t.Errorf("a store without one of its streams gives %v, want ErrNoStore", err)
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	o, err := natsjournal.ParseURL("nats://a:4222,tls://b:4222/?shards=2&replicas=3&quota=100GiB&prefix=other&creds=/c")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal([]any{o.URLs, o.Shards, o.Replicas, o.Quota, o.Prefix, o.Credentials})
	if want := fmt.Sprintf(`[["nats://a:4222","tls://b:4222"],2,3,%d,"other","/c"]`, int64(100)<<30); string(got) != want {
		t.Errorf("options are %s, want %s", got, want)
	}
	for _, text := range []string{
		"", "a:4222", "http://a", "nats://a,b", "nats://a?shards=x", "nats://a?quota=1EiB", "nats://a?quota=99999999TiB",
		"nats://a?color=red", "nats://a?%zz", "nats://a?shards=65", "nats://a?ca=/does/not/exist", "nats://a?cert=/does/not/exist",
	} {
		if o, err := natsjournal.ParseURL(text); !errors.Is(err, natsjournal.ErrOptions) {
			t.Errorf("%q gives %+v, %v, want ErrOptions", text, o, err)
		}
	}
}
