package shelf

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Memory is a Shelf for tests: it keeps everything as long as it lives itself.
type Memory struct {
	// Limit is how many bytes of values it holds before it is full; it is never full where 0.
	Limit int
	// Broken, where not nil, is what every method fails with.
	Broken error

	mu     sync.Mutex
	stores map[Store]map[string][]byte
}

// NewMemory returns an empty shelf.
func NewMemory() *Memory { return &Memory{} }

// Get implements Shelf.
func (m *Memory) Get(ctx context.Context, store Store, key string) ([]byte, error) {
	entries, err := m.List(ctx, store, Range{From: key, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 || entries[0].Key != key {
		return nil, fmt.Errorf("%s %q: %w", store, key, ErrAbsent)
	}
	return entries[0].Value, nil
}

// List implements Shelf.
func (m *Memory) List(ctx context.Context, store Store, r Range) ([]Entry, error) {
	if err := m.ready(ctx, store); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var entries []Entry
	for key, value := range m.stores[store] {
		if key >= r.From && (r.Until == "" || key < r.Until) {
			entries = append(entries, Entry{Key: key, Value: bytes.Clone(value)})
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	if r.Limit > 0 && len(entries) > r.Limit {
		entries = entries[:r.Limit]
	}
	return entries, nil
}

// Keys implements Shelf.
func (m *Memory) Keys(ctx context.Context, store Store, r Range) ([]string, error) {
	entries, err := m.List(ctx, store, r)
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	return keys, err
}

// Write implements Shelf.
func (m *Memory) Write(ctx context.Context, changes ...Change) error {
	if err := check(changes); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, size := make(map[Store]map[string][]byte), 0
	for _, name := range stores() {
		changed[name] = make(map[string][]byte)
		maps.Copy(changed[name], m.stores[name])
	}
	for _, c := range changes {
		if err := m.ready(ctx, c.Store); err != nil {
			return err
		}
		switch {
		case c.Until != "":
			for key := range changed[c.Store] {
				if key >= c.Key && key < c.Until {
					delete(changed[c.Store], key)
				}
			}
		case c.Value == nil:
			delete(changed[c.Store], c.Key)
		default:
			changed[c.Store][c.Key] = append([]byte{}, c.Value...)
		}
	}
	for _, entries := range changed {
		for _, value := range entries {
			size += len(value)
		}
	}
	if m.Limit > 0 && size > m.Limit {
		return ErrFull
	}
	m.stores = changed
	return nil
}

// ready says why a store cannot be used.
func (m *Memory) ready(ctx context.Context, store Store) error {
	switch {
	case m.Broken != nil:
		return m.Broken
	case !slices.Contains(stores(), store):
		return fmt.Errorf("there is no store %q", store)
	}
	return ctx.Err()
}
