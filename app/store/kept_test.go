package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"axiom25/app/shelf"
	"axiom25/app/store"
	"axiom25/contracts"
)

// keptID is the id of the nth run.
func keptID(n int) contracts.RunID {
	return contracts.RunID(fmt.Sprintf("run_01m81tqkhryw3vmma10cpw%04d", n))
}

// events are the lines from..to.
func events(from, to int) (lines [][]byte) {
	for i := from; i <= to; i++ {
		lines = append(lines, fmt.Appendf(nil, `{"seq":%d}`, i))
	}
	return lines
}

// loaded returns what another page finds of a run.
func loaded(t *testing.T, s shelf.Shelf, id contracts.RunID) (lines []string, at contracts.Time) {
	t.Helper()
	k := &store.Keeper{Shelf: s, Run: id}
	lines, at = k.Load(t.Context())
	if last, _ := k.Last(); int(last) != len(lines) {
		t.Errorf("%d lines up to event %d", len(lines), last)
	}
	return lines, at
}

func keep(t *testing.T, k *store.Keeper, lines [][]byte, now contracts.Time) {
	t.Helper()
	k.Keep(t.Context(), lines, contracts.Summary{RunID: k.Run, State: contracts.StateRunning}, now)
}

func TestKeeper(t *testing.T) {
	t.Parallel()

	t.Run("finds what it has kept, and goes on behind it", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		first := &store.Keeper{Shelf: s, Run: keptID(1)}
		keep(t, first, events(1, 3), 10)
		keep(t, first, events(4, 4), 20)
		if lines, at := loaded(t, s, keptID(1)); len(lines) != 4 || lines[3] != `{"seq":4}` || at != 20 {
			t.Errorf("finds %q at %d", lines, at)
		}
		second := &store.Keeper{Shelf: s, Run: keptID(1)}
		second.Load(t.Context())
		keep(t, second, events(5, 6), 30)
		if lines, at := loaded(t, s, keptID(1)); len(lines) != 6 || lines[5] != `{"seq":6}` || at != 30 {
			t.Errorf("then finds %q at %d", lines, at)
		}
		if lines, at := loaded(t, s, keptID(2)); lines != nil || at != 0 {
			t.Errorf("finds %q at %d of another run", lines, at)
		}
	})

	t.Run("lets two tabs keep one run", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		one, other := &store.Keeper{Shelf: s, Run: keptID(1)}, &store.Keeper{Shelf: s, Run: keptID(1)}
		large := []byte(`{"text":"` + strings.Repeat("x", 70_000) + `"}`)
		keep(t, one, [][]byte{large, large}, 10)
		keep(t, other, [][]byte{large}, 11)
		keep(t, other, [][]byte{large, large}, 12)
		keep(t, one, [][]byte{large}, 13)
		if lines, _ := loaded(t, s, keptID(1)); len(lines) != 3 {
			t.Errorf("finds %d lines", len(lines))
		}
	})

	t.Run("cuts a long run into pieces", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		k := &store.Keeper{Shelf: s, Run: keptID(1)}
		for i := range 30 {
			keep(t, k, events(1000*i+1, 1000*i+1000), contracts.Time(i))
		}
		keys, err := s.Keys(t.Context(), shelf.Events, shelf.Range{})
		if err != nil || len(keys) < 3 || len(keys) > 10 {
			t.Errorf("%q, %v", keys, err)
		}
		if lines, _ := loaded(t, s, keptID(1)); len(lines) != 30_000 || lines[29_999] != `{"seq":30000}` {
			t.Errorf("finds %d lines", len(lines))
		}
	})

	t.Run("stops at a gap", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		k := &store.Keeper{Shelf: s, Run: keptID(1)}
		for i := range 30 {
			keep(t, k, events(1000*i+1, 1000*i+1000), contracts.Time(i))
		}
		keys, err := s.Keys(t.Context(), shelf.Events, shelf.Range{})
		if err != nil {
			t.Fatal(err)
		}
		if err := shelf.Delete(t.Context(), s, shelf.Events, keys[1]); err != nil {
			t.Fatal(err)
		}
		lines, _ := loaded(t, s, keptID(1))
		if want := strings.TrimLeft(strings.TrimPrefix(keys[1], keptID(1).String()+"/"), "0"); want != fmt.Sprint(len(lines)+1) {
			t.Errorf("finds %d lines before the gap at %s", len(lines), want)
		}
	})

	t.Run("keeps the 20 that were opened last", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		for i := 1; i <= 20; i++ {
			keep(t, &store.Keeper{Shelf: s, Run: keptID(i)}, events(1, 2), contracts.Time(i))
		}
		again := &store.Keeper{Shelf: s, Run: keptID(1)}
		again.Load(t.Context())
		again.Opened(t.Context(), 21)
		keep(t, &store.Keeper{Shelf: s, Run: keptID(22)}, events(1, 2), 22)
		kept, err := store.Kept(t.Context(), s)
		if err != nil || len(kept) != 20 || kept[0].Summary.RunID != keptID(22) || kept[1].Summary.RunID != keptID(1) ||
			slices.ContainsFunc(kept, func(k store.KeptRun) bool { return k.Summary.RunID == keptID(2) }) {
			t.Errorf("%d runs are kept: %+v, %v", len(kept), kept, err)
		}
		if lines, _ := loaded(t, s, keptID(2)); lines != nil {
			t.Errorf("finds %q of the run that went", lines)
		}
		if keys, err := s.Keys(t.Context(), shelf.Events, shelf.Prefix(keptID(2).String()+"/")); err != nil || len(keys) > 0 {
			t.Errorf("%q are left of it, %v", keys, err)
		}
	})

	t.Run("keeps 50 MiB", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		large := []byte(strings.Repeat("x", 20<<20))
		for i := 1; i <= 3; i++ {
			keep(t, &store.Keeper{Shelf: s, Run: keptID(i)}, [][]byte{large}, contracts.Time(i))
		}
		kept, err := store.Kept(t.Context(), s)
		if err != nil || len(kept) != 2 || kept[1].Summary.RunID != keptID(2) {
			t.Errorf("%d runs are kept, %v", len(kept), err)
		}
	})

	t.Run("lets go of others where the browser is full, and then does nothing more", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		s.Limit = 100_000
		large := []byte(strings.Repeat("x", 60_000))
		keep(t, &store.Keeper{Shelf: s, Run: keptID(1)}, [][]byte{large}, 1)
		k := &store.Keeper{Shelf: s, Run: keptID(2)}
		keep(t, k, [][]byte{large}, 2)
		kept, err := store.Kept(t.Context(), s)
		if err != nil || len(kept) != 1 || kept[0].Summary.RunID != keptID(2) {
			t.Errorf("kept are %+v, %v", kept, err)
		}
		keep(t, k, [][]byte{large}, 3)
		if _, off := k.Last(); !off {
			t.Error("goes on where there is no space")
		}
		if lines, at := loaded(t, s, keptID(2)); len(lines) != 1 || at != 2 {
			t.Errorf("finds %d lines at %d", len(lines), at)
		}
	})

	t.Run("forgets a history that was another one", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		k := &store.Keeper{Shelf: s, Run: keptID(1)}
		keep(t, k, events(1, 3), 1)
		k.Forget(t.Context())
		if lines, _ := loaded(t, s, keptID(1)); lines != nil {
			t.Errorf("finds %q", lines)
		}
		keep(t, k, events(1, 1), 2)
		if lines, at := loaded(t, s, keptID(1)); len(lines) != 1 || at != 2 {
			t.Errorf("then finds %q at %d", lines, at)
		}
	})

	t.Run("does nothing in a browser that keeps nothing", func(t *testing.T) {
		t.Parallel()
		s := shelf.NewMemory()
		s.Broken = shelf.ErrUnavailable
		k := &store.Keeper{Shelf: s, Run: keptID(1)}
		lines, at := k.Load(t.Context())
		keep(t, k, events(1, 1), 1)
		if _, off := k.Last(); lines != nil || at != 0 || !off {
			t.Errorf("finds %q at %d; off: %v", lines, at, off)
		}
	})
}
