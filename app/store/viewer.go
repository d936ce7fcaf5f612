package store

import (
	"slices"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/feed"
)

// MaxFrames is how many frames a Viewer keeps.
const MaxFrames = 200

// Viewer shows the frames of an event stream as they come.
type Viewer struct {
	// Address is the stream's, empty where none was opened.
	Address string
	// Phase is opening, open, lost while the browser comes back by itself, or closed.
	Phase string
	// Frames are the last that came, the oldest first, and Seen counts all.
	Frames []feed.ViewedFrame
	Seen   int

	source feed.Source
}

// Open connects to a stream of this server. changed is called with each change; ctx is the page's.
func (v *Viewer) Open(ctx goapp.Context, address string, changed func(goapp.Context)) {
	v.Close()
	*v = Viewer{Address: address, Phase: "opening"}
	var source feed.Source
	mine := func() bool { return v.source == source } // and not one that was opened since
	var waiting []feed.ViewedFrame                    // for the one Dispatch that is on its way
	source = feed.View(address, func(f feed.ViewedFrame) {
		waiting = append(waiting, f)
		if len(waiting) > 1 {
			return
		}
		ctx.Dispatch(func(ctx goapp.Context) {
			if mine() {
				v.take(waiting)
				changed(ctx)
			}
			waiting = nil
		})
	}, func(phase string) {
		ctx.Dispatch(func(ctx goapp.Context) {
			if mine() {
				v.Phase = phase
				changed(ctx)
			}
		})
	})
	v.source = source
}

// take adds what came since the last time, and lets go of the oldest.
func (v *Viewer) take(frames []feed.ViewedFrame) {
	v.Seen += len(frames)
	all := slices.Concat(v.Frames, frames)
	v.Frames = slices.Clone(all[max(0, len(all)-MaxFrames):]) // so that what was let go of is freed
}

// Close ends the connection; what came stays.
func (v *Viewer) Close() {
	if v.source != nil {
		v.source.Close()
		v.source = nil
		v.Phase = "closed"
	}
}
