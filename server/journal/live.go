package journal

import (
	"context"

	"axiom25/contracts"
)

// Change says that a run has grown.
type Change struct {
	Run contracts.RunID
	// Last is the run's last seq, as far as the sender knew.
	Last contracts.Seq
	// First and Events are what was appended, where the change carries it: the first seq and the encoded events. The
	// receiver may keep the bytes and must not change them.
	First  contracts.Seq
	Events [][]byte
	// State is the run's state at Last.
	State contracts.State
}

// Live is a journal that several processes write to. Without it a process is the only writer: what it did not append
// itself does not change.
//
// Changes are hints. They come after what they tell of is durable, from every process, this one included; they may
// come twice or out of order, and one may be lost, but for a run that is watched a change with its true Last comes
// within seconds all the same. A receiver reads the journal for what is missing.
type Live interface {
	Journal
	// WatchRun calls changed for each change of a run until stop is called, one call at a time and never after stop has
	// returned. changed must not block. One call comes soon after WatchRun whatever happens, so that what was appended
	// before is noticed too.
	WatchRun(ctx context.Context, id contracts.RunID, changed func(Change)) (stop func(), err error)
	// WatchRuns calls changed with the summary of each run that is created or whose row in lists has changed, until stop
	// is called, as WatchRun does.
	WatchRuns(ctx context.Context, changed func(contracts.Summary)) (stop func(), err error)
	// WatchTools calls changed after a tool was put or deleted, until stop is called, as WatchRun does.
	WatchTools(ctx context.Context, changed func()) (stop func(), err error)
}
