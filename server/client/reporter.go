package client

import (
	"context"
	"sync"

	"axiom25/contracts"
)

// Reporter sends what an engine says while the request before is on its way: as many events a request as have gathered. So
// an engine that streams a word at a time costs no request a word. It is made by Job.Reporter and must be closed.
type Reporter struct {
	job  *Job
	ctx  context.Context //nolint:containedctx // of the goroutine that sends, which the Reporter owns
	bell chan struct{}   // capacity 1: there is something to send, or no more will come
	room chan struct{}   // capacity 1: something was sent
	sent sync.WaitGroup

	mu      sync.Mutex
	waiting []contracts.EngineEvent
	closed  bool
	err     error
}

// Reporter returns a Reporter that sends until ctx ends.
func (j *Job) Reporter(ctx context.Context) *Reporter {
	r := &Reporter{job: j, ctx: ctx, bell: make(chan struct{}, 1), room: make(chan struct{}, 1)}
	r.sent.Go(r.run)
	return r
}

// Add hands events over. It waits while a whole batch of others waits to be sent. The error is that of an earlier report,
// after which nothing more is sent.
func (r *Reporter) Add(branch contracts.Branch, data ...contracts.EventData) error {
	for _, d := range data {
		for {
			r.mu.Lock()
			err, full := r.err, len(r.waiting) >= contracts.MaxBatchEvents
			if err == nil && !full {
				r.waiting = append(r.waiting, contracts.EngineEvent{SchemaVersion: contracts.Version, Type: d.EventType(), Branch: branch, Data: d})
			}
			r.mu.Unlock()
			ring(r.bell)
			if err != nil {
				return err
			}
			if !full {
				break
			}
			select {
			case <-r.room:
			case <-r.ctx.Done():
				return context.Cause(r.ctx)
			}
		}
	}
	return nil
}

// Close sends what waits, and returns the error of the report that failed, if one did.
func (r *Reporter) Close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	ring(r.bell)
	r.sent.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// run sends until the Reporter is closed or a report fails.
func (r *Reporter) run() {
	for {
		r.mu.Lock()
		batch, closed := r.waiting, r.closed
		r.waiting = nil
		r.mu.Unlock()
		ring(r.room)
		if len(batch) == 0 {
			if closed {
				return
			}
			select {
			case <-r.bell:
				continue
			case <-r.ctx.Done():
				r.fail(context.Cause(r.ctx))
				return
			}
		}
		if _, err := r.job.report(r.ctx, batch); err != nil {
			r.fail(err)
			return
		}
	}
}

// fail ends the Reporter.
func (r *Reporter) fail(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	ring(r.room)
}

// ring says that something has changed, unless that was said already.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
