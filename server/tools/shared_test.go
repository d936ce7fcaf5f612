package tools_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/server/journal"
	"axiom25/server/tools"
)

// shared is a journal's tools, for several catalogues.
type shared struct {
	journal.Live
	fail atomic.Bool

	mu       sync.Mutex
	stored   []journal.Tool
	watchers []func()
}

func (s *shared) Tools(context.Context) ([]journal.Tool, error) {
	if s.fail.Load() {
		return nil, journal.ErrUnavailable
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]journal.Tool(nil), s.stored...), nil
}

func (s *shared) PutTool(_ context.Context, t journal.Tool) error {
	s.change(func() { s.stored = append(s.stored, t) })
	return nil
}

func (s *shared) DeleteTool(context.Context, string, string) error {
	s.change(func() { s.stored = nil })
	return nil
}

// change changes what is stored and tells those who watch.
func (s *shared) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	for _, changed := range s.watchers {
		changed()
	}
}

func (s *shared) WatchTools(_ context.Context, changed func()) (func(), error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, changed)
	return func() {}, nil
}

func TestCatalogueFollowsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shared{}
		here, there := open(t, s, newFake()), open(t, s, newFake())
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- there.Run(ctx) }()
		synctest.Wait()

		knows := func(c *tools.Catalogue, ref contracts.ToolRef, want bool) {
			t.Helper()
			synctest.Wait()
			if _, ok := c.Entry(ref); ok != want {
				t.Errorf("%s is known: %v, want %v", ref, ok, want)
			}
		}
		if _, err := here.Put(t.Context(), contractstest.EngineTool("publish")); err != nil {
			t.Fatal(err)
		}
		knows(there, "publish", true)
		knows(there, "echo@1.2.0", true)

		s.fail.Store(true)
		if err := here.Delete(t.Context(), "publish"); err != nil {
			t.Fatal(err)
		}
		knows(there, "publish", true) // it cannot be read, so what was known stands
		s.fail.Store(false)
		time.Sleep(2 * time.Second)
		knows(there, "publish", false)
		knows(there, "echo@1.2.0", true)

		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want the context's error", err)
		}
	})
}

func TestCatalogueOfOneServerOnlyWaits(t *testing.T) {
	t.Parallel()
	c := open(t, openJournal(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want the context's error", err)
	}
}
