package intake

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Claim gives an external engine the oldest run that waits for one, with a lease, and waits for a run for as long as the
// request says. It returns nil where none came. Problems: unavailable, where no engine of that name is external.
//
// A run that nobody had begun is running from then on. Of one that another engine lost, or gave back, the meter is read:
// that event is what keeps the one before out.
func (in *Intake) Claim(ctx context.Context, c contracts.ClaimRequest) (*contracts.Claimed, error) {
	if c.Backend != contracts.ExternalEngine {
		return nil, contracts.DocumentProblem(contracts.ProblemUnavailable, "ClaimRequest",
			contracts.FieldError{Pointer: "#/backend", Code: contracts.CodeEngineUnknown})
	}
	waiting, cancel := context.WithTimeout(ctx, time.Duration(c.WaitMS)*time.Millisecond)
	defer cancel()
	for {
		id, ok := in.openings.take(waiting)
		if !ok {
			return nil, ctx.Err()
		}
		claimed, err := in.claim(ctx, id, c)
		if errors.Is(err, errNotOpen) {
			continue
		}
		if err != nil {
			in.openings.offer(id)
			return nil, err
		}
		return claimed, nil
	}
}

// errNotOpen says that a run cannot be claimed, or no longer.
var errNotOpen = errors.New("the run cannot be claimed")

// claim takes the lease of one run, where it is open, and begins it.
func (in *Intake) claim(ctx context.Context, id contracts.RunID, c contracts.ClaimRequest) (*contracts.Claimed, error) {
	r, err := in.acquireLatest(ctx, id)
	if problem, ok := errors.AsType[*contracts.Problem](err); ok && problem.Has(contracts.ProblemNotFound) || errors.Is(err, journal.ErrPruned) {
		return nil, errNotOpen
	}
	if err != nil {
		return nil, err
	}
	defer in.release(r)
	if !r.open() {
		return nil, errNotOpen
	}
	secret := newSecret()
	holder := enginePrefix + c.Backend
	if c.Worker != "" {
		holder += "/" + c.Worker
	}
	l, err := in.take(ctx, r, holder+digestMark+digestOfSecret(secret), in.leaseTTL)
	if _, busy := errors.AsType[*journal.HeldError](err); busy {
		return nil, errNotOpen
	}
	if err != nil {
		return nil, err
	}
	token := newToken(l.Epoch, secret)
	_, err = in.turnOf(ctx, r, author{engine: true, token: token}, func(t *turn) error {
		if !r.open() {
			return errNotOpen
		}
		t.mark = contracts.LeaseHeld
		if r.state.Phase() == contracts.StateQueued {
			return t.claim()
		}
		return t.tick()
	})
	if err != nil {
		if dropErr := in.journal.DropLease(ctx, l); dropErr != nil {
			err = errors.Join(err, dropErr)
		}
		r.lease = held{}
		return nil, err
	}
	return in.claimed(r, token), nil
}

// claimed is a run as its new holder gets it.
func (in *Intake) claimed(r *run, token Token) *contracts.Claimed {
	tools := make(map[string]contracts.ToolSpec)
	for ref, spec := range r.pinnedTools(in.catalogue) {
		tools[string(ref)] = *spec
	}
	return &contracts.Claimed{
		RunID: r.id, Lease: r.lease.info(token), Task: r.doc, Limits: r.state.Limits(), Tools: tools,
		LastSeq: r.state.LastSeq(), EngineSeq: r.engineSeq, ForkedFrom: r.state.Header().ForkedFrom,
		Links: contracts.LinksOf(r.id),
	}
}

// external reports whether the run is carried out by a program outside of every server.
func (r *run) external() bool { return r.state.Header().Backend == contracts.ExternalEngine }

// open reports whether an external engine may claim the run, as far as the run itself knows: nobody has begun it, or
// whoever had is gone.
func (r *run) open() bool {
	phase := r.state.Phase()
	if !r.external() || phase.Terminal() {
		return false
	}
	return phase == contracts.StateQueued || r.summary.Lease == contracts.LeaseOpen
}

// announce keeps the list of runs that can be claimed up to date with a run that has changed. The caller holds the run.
func (in *Intake) announce(r *run) {
	switch {
	case !r.external():
	case r.open():
		in.openings.offer(r.id)
	default:
		in.openings.withdraw(r.id)
	}
}

// openings are the runs that external engines can claim, oldest first, and those who wait for one, in the order in which
// they came. An entry is a hint: whoever takes it finds out whether the run is still to be had.
type openings struct {
	mu sync.Mutex
	// runs are ids in ascending order, which is the order of creation.
	runs    []contracts.RunID
	waiting []chan contracts.RunID
}

// offer adds a run, or hands it to the one who has waited longest.
func (o *openings) offer(id contracts.RunID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, known := slices.BinarySearch(o.runs, id)
	if known {
		return
	}
	if len(o.waiting) > 0 { // then there is no other run
		o.waiting[0] <- id
		o.waiting = o.waiting[1:]
		return
	}
	o.runs = slices.Insert(o.runs, at, id)
}

// withdraw removes a run.
func (o *openings) withdraw(id contracts.RunID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	at, known := slices.BinarySearch(o.runs, id)
	switch {
	case !known:
	case at == 0: // the oldest goes first: it need not move the others
		o.runs = o.runs[1:]
	default:
		o.runs = slices.Delete(o.runs, at, at+1)
	}
}

// take removes and returns the oldest run, and waits for one until ctx ends. ok is false where none came.
func (o *openings) take(ctx context.Context) (id contracts.RunID, ok bool) {
	o.mu.Lock()
	if len(o.runs) > 0 {
		id = o.runs[0]
		o.runs = o.runs[1:]
		o.mu.Unlock()
		return id, true
	}
	given := make(chan contracts.RunID, 1)
	o.waiting = append(o.waiting, given)
	o.mu.Unlock()

	select {
	case id = <-given:
		return id, true
	case <-ctx.Done():
	}
	o.mu.Lock()
	at := slices.Index(o.waiting, given)
	if at >= 0 {
		o.waiting = slices.Delete(o.waiting, at, at+1)
	}
	o.mu.Unlock()
	if at >= 0 {
		return "", false
	}
	return <-given, true // it was handed over at the last moment
}
