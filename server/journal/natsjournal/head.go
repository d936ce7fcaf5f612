package natsjournal

import (
	"context"
	"errors"
	"sync"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// headsMax is how many ends of runs are remembered.
const headsMax = 16384

// head is the end of a run, as of some moment. It may be behind what other servers appended meanwhile, which an append
// finds out by its expectation.
type head struct {
	place uint64 // of the last chunk; 0 where there is no run
	kind  chunkKind
	last  contracts.Seq
	epoch int64
	link  uint64 // as chunk.link of the next chunk
}

// headOf returns the end of a run whose last chunk this is.
func headOf(s stored) head {
	return head{place: s.place, kind: s.kind, last: s.last, epoch: s.epoch, link: s.lastOrigin()}
}

// heads remembers ends of runs, and lets one write of a run pass at a time.
type heads struct {
	mu   sync.Mutex
	runs map[contracts.RunID]*headSlot
}

// headSlot is what heads knows of a run.
type headSlot struct {
	turn  chan struct{} // holds a token while nobody writes
	users int           // who hold or wait for the turn

	// Only who has the turn reads and writes these.
	known bool
	head  head
}

func newHeads() *heads { return &heads{runs: map[contracts.RunID]*headSlot{}} }

// lock waits until no other write of the run is on its way.
func (h *heads) lock(ctx context.Context, id contracts.RunID) (slot *headSlot, unlock func(), err error) {
	h.mu.Lock()
	slot = h.runs[id]
	if slot == nil {
		if len(h.runs) >= headsMax {
			h.forget()
		}
		slot = &headSlot{turn: make(chan struct{}, 1)}
		slot.turn <- struct{}{}
		h.runs[id] = slot
	}
	slot.users++
	h.mu.Unlock()
	select {
	case <-slot.turn:
		return slot, func() {
			slot.turn <- struct{}{}
			h.release(slot)
		}, nil
	case <-ctx.Done():
		h.release(slot)
		return nil, nil, ctx.Err()
	}
}

// release counts one user less.
func (h *heads) release(slot *headSlot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	slot.users--
}

// forget drops the runs that nobody writes to.
func (h *heads) forget() {
	for id, slot := range h.runs {
		if slot.users == 0 {
			delete(h.runs, id)
		}
	}
}

// load asks the store for the end of the run.
func (j *Journal) load(ctx context.Context, id contracts.RunID, slot *headSlot) error {
	slot.known = false
	tail, err := j.tail(ctx, id)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		slot.head = head{}
	case err != nil:
		return err
	default:
		slot.head = headOf(tail)
	}
	slot.known = true
	return nil
}
