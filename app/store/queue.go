package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"axiom25/app/command"
	"axiom25/app/shelf"
	"axiom25/contracts"
)

// Submission is a task on its way to the server.
type Submission struct {
	// Key is its idempotency key: the server makes one run of it, however often it is sent.
	Key string `json:"key"`
	// Task is the TaskSpec's text; empty for a fork that takes its parent's.
	Task string `json:"task,omitempty"`
	// Parent and Seq are where a fork leaves its parent; empty and 0 for a run of its own.
	Parent contracts.RunID `json:"parent,omitempty"`
	Seq    contracts.Seq   `json:"seq,omitempty"`
	// Goal tells submissions apart in a list.
	Goal string `json:"goal,omitempty"`
	// At is when the reader sent it.
	At time.Time `json:"at"`
	// Delayed says that a try to send it has failed.
	Delayed bool `json:"delayed,omitzero"`
	// Refused is why the server does not take it, or nil.
	Refused *contracts.Problem `json:"refused,omitempty"`
	// Created is the run that it has become; empty before.
	Created contracts.RunID `json:"created,omitempty"`
}

// Waiting reports whether it is still to be sent.
func (s *Submission) Waiting() bool { return s.Refused == nil && s.Created == "" }

// NewKey returns an idempotency key.
func NewKey() string { return rand.Text() }

// sentFor is how long the queue remembers what became a run.
const sentFor = 24 * time.Hour

// Queue is what the reader has sent and the server has not taken yet. It stands in the browser, for all tabs and until it is
// sent: a submission is kept before the first request goes out, and forgotten only when its answer is known.
type Queue struct {
	// Shelf keeps it, and Client sends it.
	Shelf  shelf.Shelf
	Client command.Client
	// Alone runs do while no other tab does.
	Alone func(do func())
	// Tell lets other tabs know that the queue has changed.
	Tell func()

	mu sync.Mutex
	// loose are submissions that the browser would not keep. They are sent from here, and lost with the tab.
	loose []Submission
	heard map[*QueueWatch]bool
	bell  chan struct{}
}

// NewQueue returns a queue.
func NewQueue(s shelf.Shelf, client command.Client, alone func(do func()), tell func()) *Queue {
	return &Queue{Shelf: s, Client: client, Alone: alone, Tell: tell, heard: make(map[*QueueWatch]bool), bell: make(chan struct{}, 1)}
}

// Add keeps a submission and sees to it that it is sent.
func (q *Queue) Add(ctx context.Context, s Submission) {
	if q.keep(ctx, s) != nil {
		q.mu.Lock()
		q.loose = append(q.loose, s)
		q.mu.Unlock()
	}
	q.changed() //nolint:contextcheck // who watches reads for itself, and longer than this
	q.Ring()
}

// Remove takes a submission out. One that is under way may have arrived.
func (q *Queue) Remove(ctx context.Context, key string) error {
	q.mu.Lock()
	q.loose = slices.DeleteFunc(q.loose, func(s Submission) bool { return s.Key == key })
	q.mu.Unlock()
	err := shelf.Delete(ctx, q.Shelf, shelf.Queue, key)
	q.changed() //nolint:contextcheck // as in Add
	return err
}

// List returns all submissions, the oldest first.
func (q *Queue) List(ctx context.Context) ([]Submission, error) {
	entries, err := q.Shelf.List(ctx, shelf.Queue, shelf.Range{})
	var list []Submission
	for _, e := range entries {
		var s Submission
		if json.Unmarshal(e.Value, &s) == nil && s.Key == e.Key {
			list = append(list, s)
		}
	}
	q.mu.Lock()
	list = append(list, q.loose...)
	q.mu.Unlock()
	slices.SortStableFunc(list, func(a, b Submission) int { return a.At.Compare(b.At) })
	return list, err
}

func (q *Queue) keep(ctx context.Context, s Submission) error {
	value, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return shelf.Put(ctx, q.Shelf, shelf.Queue, s.Key, value)
}

// settle keeps what became of a submission, unless it was removed meanwhile.
func (q *Queue) settle(ctx context.Context, s Submission) {
	q.mu.Lock()
	for i := range q.loose {
		if q.loose[i].Key == s.Key {
			q.loose[i] = s
			q.mu.Unlock()
			return
		}
	}
	q.mu.Unlock()
	if _, err := q.Shelf.Get(ctx, shelf.Queue, s.Key); err != nil {
		return
	}
	_ = q.keep(ctx, s) // where that fails it is sent again, under the same key
}

// Drain sends what waits, one after the other, and returns how many wait still: those that no server has answered. It keeps
// other tabs from doing the same, and reads the queue again behind each one.
func (q *Queue) Drain(ctx context.Context) (waiting int) {
	q.Alone(func() {
		tried := make(map[string]bool)
		for {
			list, _ := q.List(ctx) // what cannot be read now is read the next time
			waiting = 0
			next := -1
			for i := range list {
				switch s := &list[i]; {
				case !s.Waiting():
					if s.Created != "" && time.Since(s.At) > sentFor {
						_ = shelf.Delete(ctx, q.Shelf, shelf.Queue, s.Key) // it is tried again with the next drain
					}
				case tried[s.Key]:
					waiting++
				case next < 0:
					next = i
				}
			}
			if next < 0 {
				return
			}
			tried[list[next].Key] = true
			was := list[next]
			if s := q.send(ctx, was); !s.Waiting() || s.Delayed != was.Delayed {
				q.settle(ctx, s)
				q.changed() //nolint:contextcheck // as in Add
			}
		}
	})
	return waiting
}

// send sends one submission and returns it with what came of it.
func (q *Queue) send(ctx context.Context, s Submission) Submission {
	var created contracts.Created
	var err error
	if s.Parent == "" {
		created, err = q.Client.Create(ctx, []byte(s.Task), s.Key)
	} else {
		created, err = q.Client.Fork(ctx, s.Parent, s.Seq, []byte(s.Task), s.Key)
	}
	problem, refused := errors.AsType[*contracts.Problem](err)
	switch {
	case err == nil && created.RunID != "":
		s.Created = created.RunID
	case refused && problem.Status < 500 && problem.Status != 429:
		s.Refused = problem
	default:
		s.Delayed = true
	}
	return s
}

// Ring makes Serve look at the queue now.
func (q *Queue) Ring() {
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

// The pauses between two tries to reach the server.
const (
	firstPause = time.Second
	lastPause  = 15 * time.Second
)

// Serve sends what waits whenever the bell rings, and again and again while the server does not answer, until ctx ends.
func (q *Queue) Serve(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		var again <-chan time.Time
		if q.Drain(ctx) > 0 {
			again = time.After(pause)
			pause = min(2*pause, lastPause)
		}
		select {
		case <-q.bell:
			pause = firstPause
		case <-again:
		case <-ctx.Done():
		}
	}
}

// changed tells all who watch the queue.
func (q *Queue) changed() {
	q.Tell()
	q.Hear()
}

// Hear tells those who watch the queue in this tab that it has changed.
func (q *Queue) Hear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for w := range q.heard {
		w.read()
	}
}
