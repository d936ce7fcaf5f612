package store

import (
	"context"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"
)

// KeyQueue is the state under which a page finds its Queued.
const KeyQueue = "queue"

// Queued is the queue as a page shows it.
type Queued struct {
	// List are the submissions, the oldest first.
	List []Submission
	// Problem is why the browser does not keep them, or nil.
	Problem error
}

// Find returns the submission of a key, or nil.
func (q Queued) Find(key string) *Submission {
	for i := range q.List {
		if q.List[i].Key == key {
			return &q.List[i]
		}
	}
	return nil
}

// QueueWatch keeps one page's view of the queue up to date.
type QueueWatch struct {
	ctx   goapp.Context
	queue *Queue
}

// WatchQueue publishes the queue under KeyQueue until Close. ctx is the page's.
func WatchQueue(ctx goapp.Context, q *Queue) *QueueWatch {
	w := &QueueWatch{ctx: ctx, queue: q}
	q.mu.Lock()
	q.heard[w] = true
	q.mu.Unlock()
	w.read()
	return w
}

// Close ends the watch.
func (w *QueueWatch) Close() {
	w.queue.mu.Lock()
	delete(w.queue.heard, w)
	w.queue.mu.Unlock()
}

// read publishes the queue as it stands now.
func (w *QueueWatch) read() {
	w.ctx.Async(func() {
		list, err := w.queue.List(context.Background())
		w.ctx.Dispatch(func(ctx goapp.Context) { ctx.SetState(KeyQueue, Queued{List: list, Problem: err}) })
	})
}

// Add keeps and sends a submission.
func (w *QueueWatch) Add(s Submission) {
	w.ctx.Async(func() { w.queue.Add(context.Background(), s) })
}

// Remove takes a submission out.
func (w *QueueWatch) Remove(key string) {
	w.ctx.Async(func() {
		_ = w.queue.Remove(context.Background(), key) // it stays in the list
	})
}

// Ring tries to send now.
func (w *QueueWatch) Ring() { w.queue.Ring() }
