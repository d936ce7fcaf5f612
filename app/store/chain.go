package store

import (
	"slices"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// Chain is what came of checking a run's receipts, each against its call as the stream shows it and against the one before.
type Chain struct {
	// Start is the task's digest, at which the chain begins, and Head its last hash: that of the last receipt.
	Start, Head contracts.Digest
	// Receipts counts them.
	Receipts int64
	// Broken are those that do not fit, in their order.
	Broken []Link
}

// Link is a receipt in its chain.
type Link struct {
	// Place counts the receipts of the run from 1; Seq is the event that the receipt stands in.
	Place int64
	Seq   contracts.Seq
	// CallID and Attempt name the call.
	CallID  string
	Attempt int64
	// Faults are what does not fit.
	Faults []runstate.ReceiptFault
}

// Ends reports whether the chain is the one whose end done states.
func (c *Chain) Ends(done *contracts.DoneData) bool {
	return done.Receipts == c.Receipts && done.ReceiptsHead == c.Head
}

// faultsAt are the faults of the receipt in an event.
func (c *Chain) faultsAt(seq contracts.Seq) []runstate.ReceiptFault {
	for i := range c.Broken {
		if c.Broken[i].Seq == seq {
			return c.Broken[i].Faults
		}
	}
	return nil
}

// brokenShown is how many receipts that do not fit are kept: one fault is enough to mistrust a stream.
const brokenShown = 100

// shown returns a copy that stays as it is.
func (c *Chain) shown() Chain {
	shown := *c
	shown.Broken = slices.Clone(c.Broken)
	return shown
}

// link takes in the receipt of a call's end. fits says that the event keeps the invariants, the one on receipts among them;
// behind the first that breaks one each receipt is looked at by itself, and followed from whatever hash it states.
func (f *Folder) link(ev *contracts.RunEvent, fits bool) {
	if header, ok := ev.Data.(*contracts.StatusData); ok && header.TaskDigest != "" {
		f.chain.Start, f.chain.Head = header.TaskDigest, header.TaskDigest
	}
	end, ok := ev.Data.(*contracts.ToolEndData)
	if !ok {
		return
	}
	f.chain.Receipts++
	if !fits && len(f.chain.Broken) < brokenShown {
		broken := Link{Place: f.chain.Receipts, Seq: ev.Seq, CallID: end.CallID, Faults: []runstate.ReceiptFault{runstate.FaultCall}}
		if c := f.transcript.Call(end.CallID); c != nil {
			broken.Attempt, broken.Faults = c.Attempt, c.JudgeReceipt(f.chain.Head)
		}
		if len(broken.Faults) > 0 {
			f.chain.Broken = append(f.chain.Broken, broken)
		}
	}
	if end.Receipt != nil {
		f.chain.Head = end.Receipt.Hash
	}
}
