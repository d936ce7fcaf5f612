package fanout

import "context"

// Bell wakes one viewer: it says that there is something, not what. Rings that nobody waited for are one ring, so that
// whoever rings never waits and a viewer that comes late misses none.
type Bell struct{ rung chan struct{} }

// NewBell returns a bell that is silent.
func NewBell() *Bell { return &Bell{rung: make(chan struct{}, 1)} }

// Ring wakes whoever waits, or who waits next.
func (b *Bell) Ring() {
	select {
	case b.rung <- struct{}{}:
	default: // it rings already
	}
}

// Wait returns when the bell was rung since the last Wait, or with the context's error.
func (b *Bell) Wait(ctx context.Context) error {
	select {
	case <-b.rung:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Rung is Wait for a select.
func (b *Bell) Rung() <-chan struct{} { return b.rung }
