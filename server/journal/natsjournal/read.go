package natsjournal

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"axiom25/contracts"
	"axiom25/server/journal"
)

const (
	// pageChunks and pageBytes bound what is read at once of a run.
	pageChunks = 256
	pageBytes  = 1 << 20
	// damageTries is how many times a damaged message is read, of replicas taken at random, before it is believed.
	damageTries = 4
)

// tail returns the last chunk of a run. Errors: journal.ErrNotFound; *journal.DamagedError with From 0, with the chunk's
// place alone; that of ctx; journal.ErrBusy, journal.ErrUnavailable.
func (j *Journal) tail(ctx context.Context, id contracts.RunID) (s stored, err error) {
	if !validRun(id) {
		return stored{}, fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
	}
	for range damageTries {
		var m message
		if m, err = j.runStream(id).look(ctx, j.layout.run(id)); err != nil {
			return stored{}, fmt.Errorf("read run %s: %w", id, err)
		}
		if m.seq == 0 {
			return stored{}, fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
		}
		if s, err = decodeChunk(id, m); err == nil {
			return s, nil
		}
	}
	return s, &journal.DamagedError{Run: id}
}

// living is tail, for a run that can be read: also journal.ErrPruned, with the tombstone.
func (j *Journal) living(ctx context.Context, id contracts.RunID) (stored, error) {
	s, err := j.tail(ctx, id)
	switch {
	case err != nil:
		return s, err
	case s.kind == chunkVoid:
		return s, fmt.Errorf("run %s: %w", id, journal.ErrNotFound)
	case s.kind == chunkTombstone:
		return s, fmt.Errorf("run %s: %w", id, journal.ErrPruned)
	}
	return s, nil
}

// Run implements journal.Reader.
func (j *Journal) Run(ctx context.Context, id contracts.RunID) (journal.Run, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return journal.Run{}, err
	}
	defer leave()
	tail, err := j.living(ctx, id)
	if errors.Is(err, journal.ErrPruned) {
		summary, damage := tail.decodeSummary()
		if damage != nil {
			return journal.Run{}, damage
		}
		return journal.Run{ID: id, Summary: summary}, err
	}
	if err != nil {
		return journal.Run{}, err
	}
	first := tail
	if tail.first > 1 {
		if first, err = j.chunkFrom(ctx, id, 1, tail.place); err != nil {
			return journal.Run{}, err
		}
	}
	if first.first != 1 {
		return journal.Run{}, &journal.DamagedError{Run: id}
	}
	run, err := first.decodeTask()
	if err != nil {
		return journal.Run{}, err
	}
	run.Summary, err = tail.decodeSummary()
	return run, err
}

// chunkFrom returns the first chunk of a run at or behind a place that is at most that of the run's last chunk, end.
// Errors: *journal.DamagedError with From 0, that of ctx, journal.ErrBusy, journal.ErrUnavailable.
func (j *Journal) chunkFrom(ctx context.Context, id contracts.RunID, place, end uint64) (s stored, err error) {
	for range damageTries {
		var got []message
		err = retry(ctx, func(ctx context.Context) error {
			got, _, err = j.wire.get(ctx, j.runStream(id).name, getRequest{Seq: place, NextBySubj: j.layout.run(id)})
			if errors.Is(err, errNoMessage) {
				return errStale // the last chunk is there
			}
			return err
		})
		if err != nil {
			return stored{}, fmt.Errorf("read run %s: %w", id, readError(ctx, err))
		}
		if s, err = decodeChunk(id, got[0]); err == nil && got[0].seq <= end {
			return s, nil
		}
	}
	return stored{place: s.place, chunk: chunk{run: id}}, &journal.DamagedError{Run: id}
}

// Read implements journal.Reader.
func (j *Journal) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return journal.Page{}, err
	}
	defer leave()
	tail, err := j.living(ctx, id)
	damage, damaged := errors.AsType[*journal.DamagedError](err)
	if err != nil && (!damaged || damage.Run != id) {
		return journal.Page{}, err
	}
	r := reader{journal: j, run: id, due: max(after, 0) + 1, end: tail, maxEvents: maxEvents, maxBytes: maxBytes}
	switch {
	case damaged: // what lies before the end can be read
		err = r.read(ctx)
	case r.due > tail.last || maxEvents <= 0:
	case r.due >= tail.first:
		err = r.take(tail)
	default:
		err = r.read(ctx)
	}
	page := journal.Page{Events: r.events, Last: tail.last, State: tail.state}
	if damaged {
		page.Last = r.due - 1
	}
	return page, err
}

// reader reads a page of a run.
type reader struct {
	journal             *Journal
	run                 contracts.RunID
	due                 contracts.Seq // the next event
	end                 stored        // the run's last chunk, or its place alone
	maxEvents, maxBytes int

	events []journal.Event
	size   int
	full   bool
}

// read reads events until the page is full or the run ends.
func (r *reader) read(ctx context.Context) error {
	place, err := r.find(ctx)
	if err != nil {
		return err
	}
	for place <= r.end.place && !r.full {
		chunks, err := r.chunks(ctx, place)
		if err != nil {
			return err
		}
		if len(chunks) == 0 {
			return r.damaged()
		}
		for _, c := range chunks {
			if err := r.take(c); err != nil {
				return err
			}
			place = c.place + 1
			if r.full {
				place = c.place
				break
			}
		}
	}
	r.journal.places.keep(r.run, r.due, place)
	return nil
}

// damaged is the error of a read that cannot go on.
func (r *reader) damaged() error { return &journal.DamagedError{Run: r.run, From: r.due} }

// chunks returns chunks from a place on that hold the event due and those behind it; none where what is there is damaged
// or has a hole, of whichever replica it is read.
func (r *reader) chunks(ctx context.Context, place uint64) (chunks []stored, err error) {
	j := r.journal
	request := getRequest{
		Seq: place, NextBySubj: j.layout.run(r.run),
		Batch: min(pageChunks, max(r.maxEvents, 1)), MaxBytes: min(pageBytes, max(r.maxBytes-r.size, 1)),
	}
	for range damageTries {
		var got []message
		err = retry(ctx, func(ctx context.Context) error {
			got, _, err = j.wire.get(ctx, j.runStream(r.run).name, request)
			if errors.Is(err, errNoMessage) {
				return errStale // the last chunk is there
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read run %s: %w", r.run, readError(ctx, err))
		}
		due := r.due
		for _, m := range got {
			c, err := decodeChunk(r.run, m)
			follows := c.first == due || len(chunks) == 0 && c.first < due
			if err != nil || !c.body || !follows || c.last < due || m.seq > r.end.place {
				break
			}
			chunks, due = append(chunks, c), c.last+1
		}
		if len(chunks) > 0 {
			return chunks, nil
		}
	}
	return nil, nil
}

// take adds the events of a chunk to the page.
func (r *reader) take(c stored) error {
	rest := c.events
	if !c.body {
		return r.damaged()
	}
	for seq := c.first; seq <= c.last; seq++ {
		event, behind, ok := journal.NextFrame(rest)
		if !ok {
			return r.damaged()
		}
		rest = behind
		if seq < r.due {
			continue
		}
		if len(r.events) >= r.maxEvents || len(r.events) > 0 && r.size+len(event) > r.maxBytes {
			r.full = true
			return nil
		}
		r.events = append(r.events, journal.Event{Seq: seq, JSON: event})
		r.size += len(event)
		r.due++
	}
	return nil
}

// find returns the place of the chunk that holds the event due, or one from which it is the next. It halves the places
// that the chunk can have: there is no index.
func (r *reader) find(ctx context.Context) (uint64, error) {
	if place, known := r.journal.places.find(r.run, r.due); known || r.due == 1 {
		return max(place, 1), nil
	}
	low, high := uint64(1), r.end.place // the chunk lies in [low, high]
	for low < high {
		middle := low + (high-low)/2
		c, err := r.journal.chunkFrom(ctx, r.run, middle, r.end.place)
		if damage, ok := errors.AsType[*journal.DamagedError](err); ok && damage.Run == r.run {
			high = middle // what cannot be read is met on the way from below
			continue
		}
		if err != nil {
			return 0, err
		}
		switch {
		case c.first <= r.due && r.due <= c.last:
			return c.place, nil
		case c.last < r.due:
			low = c.place + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// Batch implements journal.Reader. The chunks with an origin are linked backwards.
func (j *Journal) Batch(ctx context.Context, id contracts.RunID, after contracts.Seq) (journal.Stored, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return journal.Stored{}, err
	}
	defer leave()
	c, err := j.living(ctx, id)
	if err != nil {
		return journal.Stored{}, err
	}
	for place := c.lastOrigin(); place != 0; place = c.link {
		if place != c.place {
			if c, err = j.chunkFrom(ctx, id, place, place); err != nil {
				return journal.Stored{}, err
			}
		}
		if c.origin == nil {
			return journal.Stored{}, &journal.DamagedError{Run: id, From: c.first}
		}
		if c.first <= after {
			break // an engine names what was there before its batch
		}
		if c.origin.After == after {
			return journal.Stored{Origin: *c.origin, First: c.first, Last: c.last}, nil
		}
	}
	return journal.Stored{}, fmt.Errorf("batch of run %s after %d: %w", id, after, journal.ErrNotFound)
}

// ByKey implements journal.Reader.
func (j *Journal) ByKey(ctx context.Context, key string) (contracts.RunID, contracts.Digest, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return "", "", err
	}
	defer leave()
	return j.byKey(ctx, key)
}

// byKey is ByKey within a call. A key whose run does not exist, or not any more, belongs to nobody.
func (j *Journal) byKey(ctx context.Context, key string) (contracts.RunID, contracts.Digest, error) {
	m, err := j.keys.look(ctx, j.layout.key(key))
	if err != nil {
		return "", "", fmt.Errorf("look for an idempotency key: %w", err)
	}
	if m.seq == 0 {
		return "", "", fmt.Errorf("idempotency key: %w", journal.ErrNotFound)
	}
	record, err := readKey(m)
	if err != nil {
		return "", "", err
	}
	if _, err := j.living(ctx, record.Run); errors.Is(err, journal.ErrPruned) || errors.Is(err, journal.ErrNotFound) {
		return "", "", fmt.Errorf("idempotency key: %w", journal.ErrNotFound)
	} else if _, damaged := errors.AsType[*journal.DamagedError](err); err != nil && !damaged {
		return "", "", err
	}
	return record.Run, record.Digest, nil
}

// placesMax is how many places are remembered.
const placesMax = 8192

// places remembers where readers stopped, so that the next page is found at once.
type places struct {
	mu    sync.Mutex
	known map[placeKey]uint64
}

// placeKey is an event.
type placeKey struct {
	run contracts.RunID
	seq contracts.Seq
}

// keep notes that an event lies at a place, or is the next behind it.
func (p *places) keep(run contracts.RunID, seq contracts.Seq, place uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= placesMax {
		p.known = make(map[placeKey]uint64)
	}
	p.known[placeKey{run, seq}] = place
}

// find returns what keep noted.
func (p *places) find(run contracts.RunID, seq contracts.Seq) (place uint64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	place, known = p.known[placeKey{run, seq}]
	return place, known
}
