package shelf_test

import (
	"errors"
	"testing"

	"axiom25/app/shelf"
	"axiom25/app/shelf/shelftest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	shelftest.Test(t, func(*testing.T) shelf.Shelf { return shelf.NewMemory() })
}

func TestMemoryFails(t *testing.T) {
	t.Parallel()

	t.Run("when it is full, and keeps what it has", func(t *testing.T) {
		t.Parallel()
		m := shelf.NewMemory()
		m.Limit = 8
		if err := shelf.Put(t.Context(), m, shelf.Runs, "a", []byte("12345678")); err != nil {
			t.Fatal(err)
		}
		if err := shelf.Put(t.Context(), m, shelf.Events, "b", []byte("9")); !errors.Is(err, shelf.ErrFull) {
			t.Errorf("one byte more gives %v", err)
		}
		if got, err := m.Get(t.Context(), shelf.Runs, "a"); err != nil || string(got) != "12345678" {
			t.Errorf("gives %q, %v", got, err)
		}
	})

	t.Run("as it is told to", func(t *testing.T) {
		t.Parallel()
		m := shelf.NewMemory()
		m.Broken = shelf.ErrUnavailable
		_, getErr := m.Get(t.Context(), shelf.Runs, "a")
		_, keysErr := m.Keys(t.Context(), shelf.Runs, shelf.Range{})
		for _, err := range []error{getErr, keysErr, shelf.Put(t.Context(), m, shelf.Runs, "a", nil)} {
			if !errors.Is(err, shelf.ErrUnavailable) {
				t.Errorf("gives %v", err)
			}
		}
	})
}
