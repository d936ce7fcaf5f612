package store

import (
	"slices"

	"axiom25/contracts"
)

// Checkpoints are a run at some of its moments, the oldest first, so that any other is folded from near by. They grow
// sparser as the run grows longer. The zero value has none.
type Checkpoints struct {
	every contracts.Seq
	kept  []*Folder
}

// How dense checkpoints are: one every checkEvery events, and where there would be more than checkMost, half as many.
const (
	checkEvery = 2048
	checkMost  = 32
)

// Pass keeps the moment at which a folder stands, where it is due.
func (c *Checkpoints) Pass(f *Folder) {
	if c.every == 0 {
		c.every = checkEvery
	}
	if f.LastSeq()%c.every != 0 {
		return
	}
	c.kept = append(c.kept, f.Clone())
	if len(c.kept) <= checkMost {
		return
	}
	c.every *= 2
	sparse := c.kept[:0]
	for _, k := range c.kept {
		if k.LastSeq()%c.every == 0 {
			sparse = append(sparse, k)
		}
	}
	clear(c.kept[len(sparse):])
	c.kept = sparse
}

// Before returns the newest moment up to seq, to be cloned before it goes on; the beginning where there is none.
func (c *Checkpoints) Before(seq contracts.Seq) *Folder {
	for _, k := range slices.Backward(c.kept) {
		if k.LastSeq() <= seq {
			return k
		}
	}
	return &Folder{}
}

// Past is a run at a moment that its reader has gone back to: a fold on its way there.
type Past struct {
	folder *Folder
	target contracts.Seq
	// near is a moment shortly before the target: one step back is then a short way.
	near *Folder
}

// nearBy is how far before its target a Past keeps a moment.
const nearBy = 128

// Seek sets out for the moment of an event, from where the way is shortest.
func (p *Past) Seek(seq contracts.Seq, checks *Checkpoints) {
	p.target = seq
	from := checks.Before(seq)
	if p.near != nil && p.near.LastSeq() <= seq && p.near.LastSeq() >= from.LastSeq() {
		from = p.near
	}
	if p.folder != nil && p.folder.LastSeq() <= seq && p.folder.LastSeq() >= from.LastSeq() {
		return // it stands on the way
	}
	p.folder = from.Clone()
}

// There reports whether it stands at its target.
func (p *Past) There() bool { return p.folder.LastSeq() >= p.target }

// Missing is the next event on the way.
func (p *Past) Missing() contracts.Seq { return p.folder.LastSeq() + 1 }

// Advance folds on until it is there or enough reports that others are to have their turn. line returns an event as it was
// sent; where it has none Advance returns, and Missing tells which.
func (p *Past) Advance(line func(contracts.Seq) ([]byte, bool), enough func() bool) error {
	for n := 1; !p.There(); n++ {
		text, ok := line(p.Missing())
		if !ok {
			return nil
		}
		if _, _, err := p.folder.Add(text); err != nil {
			return err
		}
		if p.folder.LastSeq()+nearBy == p.target {
			p.near = p.folder.Clone()
		}
		if n%32 == 0 && enough() {
			return nil
		}
	}
	return nil
}

// Fold is the run where it stands.
func (p *Past) Fold() Fold { return p.folder.Fold() }
