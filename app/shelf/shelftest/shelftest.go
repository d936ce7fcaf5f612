// Package shelftest holds every implementation of shelf.Shelf to what it promises.
package shelftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"axiom25/app/shelf"
)

// Test holds a shelf to its promises. open returns another one each time, and empty.
func Test(t *testing.T, open func(t *testing.T) shelf.Shelf) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, shelf.Shelf){
		"gives what was put":                       gives,
		"lists in the order of the keys":           lists,
		"deletes a key, or a range":                deletes,
		"writes all or nothing":                    writesWhole,
		"keeps stores apart":                       apart,
		"keeps nothing that it is given":           copies,
		"refuses what has no order everywhere":     refuses,
		"is used by several at once":               together,
		"ends with its context":                    ends,
		"keeps what is large":                      large,
		"knows no store that nobody has named":     unknown,
		"changes in the order in which it is told": ordered,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// put keeps values that are their keys.
func put(t *testing.T, s shelf.Shelf, store shelf.Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := shelf.Put(t.Context(), s, store, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
}

// holds compares the keys of a store.
func holds(t *testing.T, s shelf.Shelf, store shelf.Store, r shelf.Range, want ...string) {
	t.Helper()
	keys, err := s.Keys(t.Context(), store, r)
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("%s holds %q in %+v, want %q; %v", store, keys, r, want, err)
	}
}

func gives(t *testing.T, s shelf.Shelf) {
	t.Helper()
	if _, err := s.Get(t.Context(), shelf.Drafts, "a"); !errors.Is(err, shelf.ErrAbsent) {
		t.Errorf("a key that is not there gives %v", err)
	}
	for _, value := range []string{"first", "\x00\xff second", ""} {
		if err := shelf.Put(t.Context(), s, shelf.Drafts, "a", []byte(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(t.Context(), shelf.Drafts, "a"); err != nil || string(got) != value {
			t.Errorf("gives %q, want %q; %v", got, value, err)
		}
	}
	if err := shelf.Put(t.Context(), s, shelf.Drafts, "nothing", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), shelf.Drafts, "nothing"); err != nil || len(got) != 0 {
		t.Errorf("an empty value gives %q, %v", got, err)
	}
}

func lists(t *testing.T, s shelf.Shelf) {
	t.Helper()
	holds(t, s, shelf.Events, shelf.Range{})
	put(t, s, shelf.Events, "b/2", "a/10", "b/1", "B/1", "c", "b~", "b/10")
	holds(t, s, shelf.Events, shelf.Range{}, "B/1", "a/10", "b/1", "b/10", "b/2", "b~", "c")
	holds(t, s, shelf.Events, shelf.Range{From: "b/10"}, "b/10", "b/2", "b~", "c")
	holds(t, s, shelf.Events, shelf.Range{Until: "b/1"}, "B/1", "a/10")
	holds(t, s, shelf.Events, shelf.Range{From: "b/1", Until: "b/2"}, "b/1", "b/10")
	holds(t, s, shelf.Events, shelf.Range{From: "b/1", Until: "b/1"})
	holds(t, s, shelf.Events, shelf.Range{Limit: 2}, "B/1", "a/10")
	holds(t, s, shelf.Events, shelf.Prefix("b/"), "b/1", "b/10", "b/2")
	entries, err := s.List(t.Context(), shelf.Events, shelf.Range{From: "a", Limit: 2})
	if err != nil || len(entries) != 2 || entries[0].Key != "a/10" || string(entries[0].Value) != "a/10" || entries[1].Key != "b/1" || string(entries[1].Value) != "b/1" {
		t.Errorf("lists %q, %v", entries, err)
	}
}

func deletes(t *testing.T, s shelf.Shelf) {
	t.Helper()
	put(t, s, shelf.Events, "a/1", "a/2", "a0", "b/1")
	if err := errors.Join(shelf.Delete(t.Context(), s, shelf.Events, "none"), shelf.Delete(t.Context(), s, shelf.Events, "b/1")); err != nil {
		t.Fatal(err)
	}
	holds(t, s, shelf.Events, shelf.Range{}, "a/1", "a/2", "a0")
	if err := s.Write(t.Context(), shelf.Change{Store: shelf.Events, Key: "a/", Until: shelf.Behind("a/")}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, shelf.Events, shelf.Range{}, "a0")
}

func writesWhole(t *testing.T, s shelf.Shelf) {
	t.Helper()
	if err := s.Write(t.Context()); err != nil {
		t.Errorf("no change gives %v", err)
	}
	err := s.Write(t.Context(),
		shelf.Change{Store: shelf.Runs, Key: "r", Value: []byte("1")}, shelf.Change{Store: shelf.Events, Key: "r/1", Value: []byte("2")})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s, shelf.Runs, shelf.Range{}, "r")
	holds(t, s, shelf.Events, shelf.Range{}, "r/1")
	if s.Write(t.Context(), shelf.Change{Store: shelf.Runs, Key: "r"}, shelf.Change{Store: shelf.Runs, Key: ""}) == nil {
		t.Error("took an empty key")
	}
	holds(t, s, shelf.Runs, shelf.Range{}, "r")
}

func apart(t *testing.T, s shelf.Shelf) {
	t.Helper()
	put(t, s, shelf.Drafts, "a")
	if _, err := s.Get(t.Context(), shelf.Queue, "a"); !errors.Is(err, shelf.ErrAbsent) {
		t.Errorf("another store gives %v", err)
	}
}

func copies(t *testing.T, s shelf.Shelf) {
	t.Helper()
	value := []byte("value")
	if err := shelf.Put(t.Context(), s, shelf.Drafts, "a", value); err != nil {
		t.Fatal(err)
	}
	value[0] = 'V'
	got, err := s.Get(t.Context(), shelf.Drafts, "a")
	if err != nil || string(got) != "value" {
		t.Fatalf("gives %q, %v", got, err)
	}
	got[0] = 'V'
	if again, err := s.Get(t.Context(), shelf.Drafts, "a"); err != nil || string(again) != "value" {
		t.Errorf("then gives %q, %v", again, err)
	}
}

func refuses(t *testing.T, s shelf.Shelf) {
	t.Helper()
	for _, key := range []string{"", "ä", "a\nb", "\x7f", strings.Repeat("k", 201)} {
		if shelf.Put(t.Context(), s, shelf.Drafts, key, []byte("v")) == nil {
			t.Errorf("took the key %q", key)
		}
	}
	for _, c := range []shelf.Change{
		{Store: shelf.Drafts, Key: "b", Until: "a"},
		{Store: shelf.Drafts, Key: "a", Until: "b", Value: []byte("v")},
	} {
		if s.Write(t.Context(), c) == nil {
			t.Errorf("took %+v", c)
		}
	}
	put(t, s, shelf.Drafts, strings.Repeat("k", 200))
}

func together(t *testing.T, s shelf.Shelf) {
	t.Helper()
	const writers, each = 8, 16
	var group sync.WaitGroup
	var want []string
	for w := range writers {
		for i := range each {
			want = append(want, fmt.Sprintf("%d/%02d", w, i))
		}
		group.Go(func() {
			for i := range each {
				if err := shelf.Put(t.Context(), s, shelf.Events, fmt.Sprintf("%d/%02d", w, i), []byte("v")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	holds(t, s, shelf.Events, shelf.Range{}, want...)
}

func large(t *testing.T, s shelf.Shelf) {
	t.Helper()
	value := []byte(strings.Repeat("0123456789abcdef", 1<<16))
	if err := shelf.Put(t.Context(), s, shelf.Events, "large", value); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), shelf.Events, "large"); err != nil || string(got) != string(value) {
		t.Errorf("gives %d bytes, want %d; %v", len(got), len(value), err)
	}
}

func unknown(t *testing.T, s shelf.Shelf) {
	t.Helper()
	if _, err := s.Get(t.Context(), "other", "a"); err == nil || errors.Is(err, shelf.ErrAbsent) {
		t.Errorf("reading gives %v", err)
	}
	if _, err := s.Keys(t.Context(), "other", shelf.Range{}); err == nil {
		t.Error("listed it")
	}
	if shelf.Put(t.Context(), s, "other", "a", []byte("v")) == nil {
		t.Error("wrote to it")
	}
}

func ordered(t *testing.T, s shelf.Shelf) {
	t.Helper()
	put(t, s, shelf.Events, "a/1", "a/2")
	err := s.Write(t.Context(),
		shelf.Change{Store: shelf.Events, Key: "a/", Until: shelf.Behind("a/")},
		shelf.Change{Store: shelf.Events, Key: "a/3", Value: []byte("old")},
		shelf.Change{Store: shelf.Events, Key: "a/3", Value: []byte("new")})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s, shelf.Events, shelf.Range{}, "a/3")
	if got, err := s.Get(t.Context(), shelf.Events, "a/3"); err != nil || string(got) != "new" {
		t.Errorf("gives %q, %v", got, err)
	}
}

func ends(t *testing.T, s shelf.Shelf) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, shelf.Drafts, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("reading gives %v", err)
	}
	if err := shelf.Put(ctx, s, shelf.Drafts, "a", []byte("v")); !errors.Is(err, context.Canceled) {
		t.Errorf("writing gives %v", err)
	}
	holds(t, s, shelf.Drafts, shelf.Range{})
}
