package fanout_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"axiom25/server/fanout"
)

// TestPollSSE follows a run from history to its end, and waits only where Drained says that the bell will ring.
func TestPollSSE(t *testing.T) {
	t.Parallel()
	store := &memory{}
	store.store(7)
	hub := fanout.NewWith(store, fanout.Options{BatchFrames: 3})
	bell := fanout.NewBell()
	c := hub.FollowBy(bell, runID, 0)
	defer c.Close()
	var got []byte
	poll := func(wantDrained bool) error {
		t.Helper()
		chunk, err := c.PollSSE(t.Context(), new(bytes.Buffer))
		got = append(got, chunk...)
		if c.Drained() != wantDrained {
			t.Fatalf("Drained() is %t at %d", !wantDrained, c.After())
		}
		return err
	}
	for _, want := range []int64{3, 6, 7, 7} { // pages of the journal, behind which another may follow
		if err := poll(false); err != nil || int64(c.After()) != want {
			t.Fatalf("history: at %d, %v; want %d", c.After(), err, want)
		}
	}
	if want := int64(len(store.wire(0))); c.Replayed() != want {
		t.Errorf("%d bytes of history, want %d", c.Replayed(), want)
	}
	for _, n := range []int{1, 2, 3} {
		publishNew(hub, store, n)
		if err := poll(true); err != nil {
			t.Fatal(err)
		}
		if err := bell.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	publishNew(hub, store, 4) // more than one batch
	if err := errors.Join(poll(false), poll(true)); err != nil {
		t.Fatal(err)
	}
	first, events := store.finish()
	hub.Publish(runID, first, events, true)
	if err := poll(false); err != nil { // the end is still to be told
		t.Fatal(err)
	}
	if err := poll(false); !errors.Is(err, io.EOF) {
		t.Fatalf("behind the end: %v", err)
	}
	if want := store.wire(0); string(got) != want {
		t.Errorf("the stream was %q, want %q", got, want)
	}
}

// publishNew stores n events and tells the hub.
func publishNew(h *fanout.Hub, m *memory, n int) {
	first, events := m.store(n)
	publish(h, first, events)
}
