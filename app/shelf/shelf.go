// Package shelf keeps what the console shall find again in this browser: drafts, what waits to be sent, the last runs.
//
// It promises that a Write is kept whole or not at all, also where the tab is closed in its midst, and that every tab of the
// console reads what any of them has written. It does not promise to keep anything: the reader, or the browser when it
// is short of space, may clear all of it, and a private window may refuse it. Each of these is an error, and the console goes
// on without its shelf.
//
// Methods block until the browser has answered, and are therefore called from a goroutine of their own, never from the one
// that draws.
package shelf

import (
	"context"
	"errors"
	"fmt"
)

// ErrAbsent says that there is no such key.
var ErrAbsent = errors.New("nothing is kept under this key")

// ErrFull says that the browser gives no more space. Nothing of the Write was kept.
var ErrFull = errors.New("the browser has no space left for the console")

// ErrUnavailable says that this browser keeps nothing, or does not now: a private window, a setting of the reader's, a
// damaged profile, or another tab that stands in the way of a change to the stores.
var ErrUnavailable = errors.New("the browser keeps nothing for the console")

// Store names one of the stores: a set of keys of its own.
type Store string

// The console's stores. A store, once shipped, keeps its name and the meaning of its values, since tabs of different
// versions may share them; who needs another shape adds a store, and adds one to schemaVersion.
const (
	// Drafts are texts that a reader has typed and not sent, by the page and field.
	Drafts Store = "drafts"
	// Queue is what waits to be sent, by its idempotency key.
	Queue Store = "queue"
	// Runs are the runs that were opened here, by their id, and Events the events of those as they were sent, in pieces.
	Runs   Store = "runs"
	Events Store = "events"
	// Answers are what the server said last, by the path that was asked for.
	Answers Store = "answers"
)

// stores are all of the console's.
func stores() []Store { return []Store{Drafts, Queue, Runs, Events, Answers} }

// Entry is a value under its key.
type Entry struct {
	Key   string
	Value []byte
}

// Change is one step of a Write.
type Change struct {
	Store Store
	Key   string
	// Value is what is kept from now on under Key; nil takes Key out, whether or not it was there.
	Value []byte
	// Until, where it is not empty, takes out every key from Key on and before Until; Value is then nil.
	Until string
}

// Range is a stretch of keys, in the order of their bytes. The zero value holds all.
type Range struct {
	// From is the first key, Until the first one behind; no bound where empty.
	From, Until string
	// Limit is the most entries wanted; all where 0.
	Limit int
}

// Prefix is the range of all keys that begin with prefix, which must not be empty.
func Prefix(prefix string) Range { return Range{From: prefix, Until: Behind(prefix)} }

// Behind is the first key behind all those that begin with prefix.
func Behind(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(prefix[last]+1)
}

// Shelf keeps entries in stores. Its methods may be called from several goroutines at once; none changes or keeps what it is
// given, and what it returns is the caller's. Every error but ErrAbsent says that nothing was done, or that it is not known;
// the error is the context's where that ends first. A key is 1 to 200 characters of printable ASCII, for which all browsers
// and Go have one order.
type Shelf interface {
	// Get returns the value under a key, or ErrAbsent.
	Get(ctx context.Context, store Store, key string) ([]byte, error)
	// List returns the entries of a range in the order of their keys, and Keys their keys alone.
	List(ctx context.Context, store Store, r Range) ([]Entry, error)
	Keys(ctx context.Context, store Store, r Range) ([]string, error)
	// Write carries out all changes, in their order, or none.
	Write(ctx context.Context, changes ...Change) error
}

// Put keeps a value under a key, in place of what was there.
func Put(ctx context.Context, s Shelf, store Store, key string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return s.Write(ctx, Change{Store: store, Key: key, Value: value})
}

// Delete takes a key out; one that is not there is not missed.
func Delete(ctx context.Context, s Shelf, store Store, key string) error {
	return s.Write(ctx, Change{Store: store, Key: key})
}

// maxKey is how long a key may be, in bytes.
const maxKey = 200

// check refuses changes that not every shelf could carry out alike.
func check(changes []Change) error {
	for _, c := range changes {
		if err := checkKey(c.Key); err != nil {
			return err
		}
		if c.Until != "" && (c.Value != nil || c.Until <= c.Key) {
			return fmt.Errorf("%q until %q is no range to delete", c.Key, c.Until)
		}
	}
	return nil
}

func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("a key has 1 to %d bytes, not %d", maxKey, len(key))
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("the key %q is not of printable ASCII", key)
		}
	}
	return nil
}
