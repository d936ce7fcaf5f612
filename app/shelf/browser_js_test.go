//go:build js && wasm

// These tests need a browser: TestConsoleShelf of package server runs them in one.

package shelf_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"axiom25/app/promise"
	"axiom25/app/shelf"
	"axiom25/app/shelf/shelftest"
)

// inBrowser skips a test that runs elsewhere, such as under node.
func inBrowser(t *testing.T) {
	t.Helper()
	if js.Global().Get("indexedDB").IsUndefined() {
		t.Skip("there is no IndexedDB here")
	}
}

// all are the stores that the tests use.
var all = []shelf.Store{shelf.Drafts, shelf.Queue, shelf.Runs, shelf.Events} //nolint:gochecknoglobals // a list that is only read

// databases counts the databases of the tests, each of which has its own.
var databases int //nolint:gochecknoglobals // the tests of a browser run one by one

// database names a new database, which is removed when the test ends.
func database(t *testing.T) string {
	t.Helper()
	databases++
	name := fmt.Sprintf("test-%d", databases)
	t.Cleanup(func() { js.Global().Get("indexedDB").Call("deleteDatabase", name) })
	return name
}

// opened returns a shelf that is closed when the test ends.
func opened(t *testing.T, name string, version int, stores ...shelf.Store) *shelf.IndexedDB {
	t.Helper()
	s := shelf.Open(name, version, stores)
	t.Cleanup(s.Close)
	return s
}

func TestIndexedDB(t *testing.T) {
	inBrowser(t)
	shelftest.Test(t, func(t *testing.T) shelf.Shelf { t.Helper(); return opened(t, database(t), 1, all...) })
}

func TestBrowserIsTheConsolesShelf(t *testing.T) {
	inBrowser(t)
	if shelf.Browser() != shelf.Browser() {
		t.Fatal("each call opens another one")
	}
	for _, store := range all {
		if err := shelf.Put(t.Context(), shelf.Browser(), store, "a", []byte("v")); err != nil {
			t.Error(err)
		}
	}
}

// TestTabs opens one database several times, as the tabs of a reader do.
func TestTabs(t *testing.T) {
	inBrowser(t)

	t.Run("read what another has written", func(t *testing.T) {
		name := database(t)
		one, other := opened(t, name, 1, all...), opened(t, name, 1, all...)
		if _, err := other.Get(t.Context(), shelf.Drafts, "a"); !errors.Is(err, shelf.ErrAbsent) {
			t.Fatal(err)
		}
		if err := shelf.Put(t.Context(), one, shelf.Drafts, "a", []byte("v")); err != nil {
			t.Fatal(err)
		}
		if got, err := other.Get(t.Context(), shelf.Drafts, "a"); err != nil || string(got) != "v" {
			t.Errorf("gives %q, %v", got, err)
		}
	})

	t.Run("let a newer one add a store, and work on", func(t *testing.T) {
		name := database(t)
		old := opened(t, name, 1, shelf.Drafts)
		if err := shelf.Put(t.Context(), old, shelf.Drafts, "a", []byte("old")); err != nil {
			t.Fatal(err)
		}
		newer := opened(t, name, 2, shelf.Drafts, shelf.Queue)
		if err := shelf.Put(t.Context(), newer, shelf.Queue, "b", []byte("new")); err != nil {
			t.Fatal(err)
		}
		if got, err := newer.Get(t.Context(), shelf.Drafts, "a"); err != nil || string(got) != "old" {
			t.Errorf("the newer one finds %q, %v", got, err)
		}
		if err := shelf.Put(t.Context(), old, shelf.Drafts, "a", []byte("still")); err != nil {
			t.Fatal(err)
		}
		if got, err := newer.Get(t.Context(), shelf.Drafts, "a"); err != nil || string(got) != "still" {
			t.Errorf("the newer one then finds %q, %v", got, err)
		}
		if _, err := opened(t, name, 1, shelf.Drafts).Get(t.Context(), shelf.Drafts, "a"); err != nil {
			t.Errorf("an old one that is opened later: %v", err)
		}
	})

	t.Run("that do not let go are waited for in vain, and then no more", func(t *testing.T) {
		name := database(t)
		request := js.Global().Get("indexedDB").Call("open", name, 1)
		if event, err := promise.Event(t.Context(), request, "success", "error"); event != "success" {
			t.Fatal(event, err)
		}
		s := opened(t, name, 2, all...)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := shelf.Put(ctx, s, shelf.Drafts, "a", []byte("v")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("gives %v", err)
		}
		request.Get("result").Call("close")
		if err := shelf.Put(t.Context(), s, shelf.Drafts, "a", []byte("v")); err != nil {
			t.Errorf("then gives %v", err)
		}
	})

	t.Run("open again what was closed", func(t *testing.T) {
		s := opened(t, database(t), 1, all...)
		for range 2 {
			if err := shelf.Put(t.Context(), s, shelf.Drafts, "a", []byte("v")); err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
	})
}

// TestNoStorage takes the browser's database away in each of the ways that browsers do.
func TestNoStorage(t *testing.T) {
	inBrowser(t)
	object, global := js.Global().Get("Object"), js.Global()
	had := object.Call("getOwnPropertyDescriptor", global, "indexedDB")
	t.Cleanup(func() { object.Call("defineProperty", global, "indexedDB", had) })
	thrower := global.Call("eval", `() => { throw new DOMException("The operation is insecure.", "SecurityError"); }`)
	for name, descriptor := range map[string]map[string]any{
		"by having none":        {"value": js.Undefined()},
		"by an error to see it": {"get": thrower},
		"by an error to use it": {"value": map[string]any{"open": thrower}},
	} {
		t.Run(name, func(t *testing.T) {
			descriptor["configurable"] = true
			object.Call("defineProperty", global, "indexedDB", descriptor)
			s := shelf.Open("none", 1, all)
			_, getErr := s.Get(t.Context(), shelf.Drafts, "a")
			for _, err := range []error{getErr, shelf.Put(t.Context(), s, shelf.Drafts, "a", []byte("v"))} {
				if !errors.Is(err, shelf.ErrUnavailable) {
					t.Errorf("gives %v", err)
				}
			}
		})
	}
}

// TestQuota fills the browser's space, which whoever runs it has to make small first.
func TestQuota(t *testing.T) {
	inBrowser(t)
	if os.Getenv("SMALL_QUOTA") == "" {
		t.Skip("the browser's space is not bounded")
	}
	s := opened(t, database(t), 1, all...)
	if err := shelf.Put(t.Context(), s, shelf.Drafts, "a", []byte("v")); err != nil {
		t.Fatal(err)
	}
	// Of 4 MiB each, up to 64 MiB. Text that repeats itself would be compressed.
	random := js.Global().Get("Uint8Array").New(1 << 16)
	var err error
	for i := 0; i < 16 && err == nil; i++ {
		var value []byte
		for range 64 {
			part := make([]byte, 1<<16)
			js.CopyBytesToGo(part, js.Global().Get("crypto").Call("getRandomValues", random))
			value = append(value, part...)
		}
		err = s.Write(t.Context(), shelf.Change{Store: shelf.Drafts, Key: "a"}, shelf.Change{Store: shelf.Events, Key: fmt.Sprint(i), Value: value},
			shelf.Change{Store: shelf.Drafts, Key: "a", Value: []byte(strings.Repeat("v", i+1))})
	}
	if !errors.Is(err, shelf.ErrFull) {
		t.Fatalf("64 MiB give %v", err)
	}
	keys, err := s.Keys(t.Context(), shelf.Events, shelf.Range{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(t.Context(), shelf.Drafts, "a"); err != nil || len(got) != max(len(keys), 1) {
		t.Errorf("beside %d values that were kept stands %q, %v", len(keys), got, err)
	}
}
