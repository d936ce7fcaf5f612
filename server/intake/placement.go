package intake

import (
	"axiom25/contracts"
	"axiom25/server/journal"
)

// placements are the batches of a run that came with an origin, as far as memory knows them: of those whose cursor is
// from or more it knows all, so that an engine whose cursor is up to date costs no look into the journal.
type placements struct {
	from contracts.Seq
	// last is the one with the greatest cursor; some says that there is one.
	last journal.Stored
	some bool
}

// add takes in a batch that was stored with origin, which may be nil.
func (p *placements) add(origin *journal.Origin, first, last contracts.Seq) {
	switch {
	case origin == nil:
	case p.some && origin.After < p.last.Origin.After:
		// Out of order: what lies between is the journal's to say.
		*p = placements{from: last}
	default:
		*p = placements{from: origin.After, last: journal.Stored{Origin: *origin, First: first, Last: last}, some: true}
	}
}

// find returns the batch with a cursor. known says whether memory can tell, found whether there is one.
func (p *placements) find(after contracts.Seq) (b journal.Stored, found, known bool) {
	if after < p.from {
		return journal.Stored{}, false, false
	}
	if p.some && p.last.Origin.After == after {
		return p.last, true, true
	}
	return journal.Stored{}, false, true
}
