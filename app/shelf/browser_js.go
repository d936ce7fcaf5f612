//go:build js && wasm

package shelf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"time"

	"axiom25/app/promise"
)

// schemaVersion grows whenever a store is added to stores.
const schemaVersion = 2

// Browser returns the console's shelf in this browser, one for all of the page.
var Browser = sync.OnceValue(func() Shelf { //nolint:gochecknoglobals // a function that remembers
	return Open("axiom25", schemaVersion, stores())
})

// openTimeout is how long other tabs may take to let go of the stores before they are changed.
const openTimeout = 5 * time.Second

// IndexedDB is a Shelf in the browser's database of a name (Indexed Database API 3.0, W3C).
type IndexedDB struct {
	name    string
	version int
	stores  []Store

	mu sync.Mutex
	db js.Value // undefined while closed
	// closing are the database's handlers of events that may end it at any time.
	closing js.Func
}

// Open returns the shelf in the database of a name, which is opened when it is first needed. A greater version than the
// database's adds the stores that it lacks. A smaller one takes the database as it is: a console that is older than
// another tab's works with what that one has added.
func Open(name string, version int, stores []Store) *IndexedDB {
	return &IndexedDB{name: name, version: version, stores: stores}
}

// Close lets go of the database, for others to change it. The next use opens it again.
func (s *IndexedDB) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *IndexedDB) drop() {
	if s.db.IsUndefined() {
		return
	}
	s.db.Set("onversionchange", nil)
	s.db.Set("onclose", nil)
	s.db.Call("close")
	s.closing.Release()
	s.db = js.Undefined()
}

// opened returns the database.
func (s *IndexedDB) opened(ctx context.Context) (js.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.db.IsUndefined() {
		return s.db, nil
	}
	db, err := s.open(ctx, s.version)
	var refused *promise.Error
	if errors.As(err, &refused) && refused.Name == "VersionError" {
		db, err = s.open(ctx, 0)
	}
	switch {
	case ctx.Err() != nil:
		return db, ctx.Err()
	case err != nil:
		return db, errors.Join(ErrUnavailable, err)
	}
	s.db = db
	// Another tab is about to change the stores, or the browser has closed the database: both end this connection.
	s.closing = js.FuncOf(func(js.Value, []js.Value) any {
		go s.closed(db)
		return nil
	})
	db.Set("onversionchange", s.closing)
	db.Set("onclose", s.closing)
	return db, nil
}

// closed lets go of a database, unless another one was opened since.
func (s *IndexedDB) closed(db js.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db.Equal(db) {
		s.drop()
	}
}

// open opens the database at a version, or at the one that it has where that is 0.
func (s *IndexedDB) open(ctx context.Context, version int) (js.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	request, err := promise.Try(func() js.Value {
		// By a call, since what a property throws would end the program.
		factory := js.Global().Get("Reflect").Call("get", js.Global(), "indexedDB")
		if !factory.Truthy() {
			return js.Undefined()
		}
		if version == 0 {
			return factory.Call("open", s.name)
		}
		return factory.Call("open", s.name, version)
	})
	if err != nil {
		return request, err
	}
	if request.IsUndefined() {
		return request, errors.New("it has no IndexedDB")
	}
	upgrade := js.FuncOf(func(js.Value, []js.Value) any {
		db := request.Get("result")
		for _, name := range s.stores {
			if !db.Get("objectStoreNames").Call("contains", string(name)).Bool() {
				db.Call("createObjectStore", string(name))
			}
		}
		return nil
	})
	request.Set("onupgradeneeded", upgrade)
	event, err := promise.Event(ctx, request, "success", "error")
	if err != nil {
		s.abandon(request, upgrade) //nolint:contextcheck // it goes on after the context that has ended
		return js.Undefined(), fmt.Errorf("another tab holds the stores: %w", err)
	}
	upgrade.Release()
	if event == "error" {
		return js.Undefined(), promise.ErrorOf(request.Get("error"))
	}
	return request.Get("result"), nil
}

// abandon closes the database when it is opened after all, since nobody waits for it any more.
func (s *IndexedDB) abandon(request js.Value, upgrade js.Func) {
	go func() {
		defer upgrade.Release()
		if event, _ := promise.Event(context.Background(), request, "success", "error"); event == "success" {
			request.Get("result").Call("close")
		}
	}()
}

// begin begins a transaction over these stores. What it is for has to be asked of it before the goroutine waits for anything:
// the browser ends a transaction of which nothing is asked.
func (s *IndexedDB) begin(ctx context.Context, mode string, stores ...any) (js.Value, error) {
	for again := true; ; again = false {
		if err := ctx.Err(); err != nil {
			return js.Undefined(), err
		}
		db, err := s.opened(ctx)
		if err != nil {
			return db, err
		}
		transaction, err := promise.Try(func() js.Value { return db.Call("transaction", stores, mode) })
		var refused *promise.Error
		if errors.As(err, &refused) && refused.Name == "InvalidStateError" && again {
			s.closed(db) // it was closed since
			continue
		}
		return transaction, err
	}
}

// Get implements Shelf.
func (s *IndexedDB) Get(ctx context.Context, store Store, key string) ([]byte, error) {
	transaction, err := s.begin(ctx, "readonly", string(store))
	if err != nil {
		return nil, err
	}
	request := transaction.Call("objectStore", string(store)).Call("get", key)
	if err := finish(ctx, transaction); err != nil {
		return nil, fmt.Errorf("read %s %q: %w", store, key, err)
	}
	value := request.Get("result")
	if value.IsUndefined() {
		return nil, fmt.Errorf("%s %q: %w", store, key, ErrAbsent)
	}
	return bytesOf(value), nil
}

// List implements Shelf.
func (s *IndexedDB) List(ctx context.Context, store Store, r Range) ([]Entry, error) {
	keys, values, err := s.read(ctx, store, r, true)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(keys))
	for i, key := range keys {
		entries[i] = Entry{Key: key, Value: bytesOf(values.Index(i))}
	}
	return entries, nil
}

// Keys implements Shelf.
func (s *IndexedDB) Keys(ctx context.Context, store Store, r Range) ([]string, error) {
	keys, _, err := s.read(ctx, store, r, false)
	return keys, err
}

// read returns the keys of a range, and its values in the browser where they are wanted.
func (s *IndexedDB) read(ctx context.Context, store Store, r Range, valued bool) (keys []string, values js.Value, err error) {
	transaction, err := s.begin(ctx, "readonly", string(store))
	if err != nil {
		return nil, values, err
	}
	if r.Until != "" && r.Until <= r.From {
		return nil, values, nil
	}
	args := []any{r.bound(), js.Undefined()}
	if r.Limit > 0 {
		args[1] = r.Limit
	}
	in := transaction.Call("objectStore", string(store))
	keyed := in.Call("getAllKeys", args...)
	if valued {
		values = in.Call("getAll", args...)
	}
	if err := finish(ctx, transaction); err != nil {
		return nil, values, fmt.Errorf("list %s: %w", store, err)
	}
	list := keyed.Get("result")
	keys = make([]string, list.Length())
	for i := range keys {
		keys[i] = list.Index(i).String()
	}
	if valued {
		values = values.Get("result")
	}
	return keys, values, nil
}

// bound is the range as the browser writes it.
func (r Range) bound() js.Value {
	keyRange := js.Global().Get("IDBKeyRange")
	switch {
	case r.Until != "":
		return keyRange.Call("bound", r.From, r.Until, false, true)
	case r.From != "":
		return keyRange.Call("lowerBound", r.From)
	}
	return js.Undefined()
}

// Write implements Shelf.
func (s *IndexedDB) Write(ctx context.Context, changes ...Change) error {
	if err := check(changes); err != nil || len(changes) == 0 {
		return err
	}
	var stores []any
	seen := make(map[Store]bool)
	for _, c := range changes {
		if !seen[c.Store] {
			seen[c.Store] = true
			stores = append(stores, string(c.Store))
		}
	}
	transaction, err := s.begin(ctx, "readwrite", stores...)
	if err != nil {
		return err
	}
	for _, c := range changes {
		store := transaction.Call("objectStore", string(c.Store))
		switch {
		case c.Until != "":
			store.Call("delete", Range{From: c.Key, Until: c.Until}.bound())
		case c.Value == nil:
			store.Call("delete", c.Key)
		default:
			value := js.Global().Get("Uint8Array").New(len(c.Value))
			js.CopyBytesToJS(value, c.Value)
			if _, err := promise.Try(func() js.Value { return store.Call("put", value, c.Key) }); err != nil {
				transaction.Call("abort")
				return fmt.Errorf("write %s %q: %w", c.Store, c.Key, err)
			}
		}
	}
	if err := finish(ctx, transaction); err != nil {
		return fmt.Errorf("write %s %q: %w", changes[0].Store, changes[0].Key, err)
	}
	return nil
}

// finish waits until a transaction is kept, or undone: then it returns why.
func finish(ctx context.Context, transaction js.Value) error {
	event, err := promise.Event(ctx, transaction, "complete", "abort")
	if err != nil || event == "complete" {
		return err
	}
	err = promise.ErrorOf(transaction.Get("error"))
	var refused *promise.Error
	switch {
	case err == nil:
		return errors.New("the browser has undone it")
	case errors.As(err, &refused) && refused.Name == "QuotaExceededError":
		return errors.Join(ErrFull, err)
	}
	return err
}

// bytesOf copies a Uint8Array, and takes anything else for empty: the console writes nothing else.
func bytesOf(value js.Value) []byte {
	if !value.InstanceOf(js.Global().Get("Uint8Array")) {
		return []byte{}
	}
	b := make([]byte, value.Length())
	js.CopyBytesToGo(b, value)
	return b
}
