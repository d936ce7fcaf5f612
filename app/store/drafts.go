package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/shelf"
	"axiom25/contracts"
)

// DraftsOf says what drafts are of.
type DraftsOf string

// What drafts are kept of.
const (
	TaskDrafts DraftsOf = "task"
	ToolDrafts DraftsOf = "tool"
)

// Key is the state under which a page finds its Drafts.
func (of DraftsOf) Key() string { return "drafts of " + string(of) }

// prefix is that of the keys on the shelf.
func (of DraftsOf) prefix() string { return string(of) + "/" }

// Draft is a document that was typed and not sent.
type Draft struct {
	// ID tells drafts apart.
	ID string `json:"id"`
	// Text is the document, whatever it is.
	Text string `json:"text"`
	// Goal, a task's or the reference of a tool, tells drafts apart in a list.
	Goal string `json:"goal,omitempty"`
	// Parent and Seq are where the run that it is for is to leave its parent; empty and 0 for a run of its own.
	Parent contracts.RunID `json:"parent,omitempty"`
	Seq    contracts.Seq   `json:"seq,omitempty"`
	// Origin is the text that the draft began with, as the server showed it.
	Origin string `json:"origin,omitempty"`
	// Changed is when it was last typed in.
	Changed time.Time `json:"changed"`
}

// Drafts are the drafts of this browser as a page shows them.
type Drafts struct {
	// Loaded says that they were read.
	Loaded bool
	// List are all, the last changed first.
	List []Draft
	// Kept is the id of the draft that was kept last, and its time; empty before.
	Kept   string
	KeptAt time.Time
	// Problem is why the browser does not keep them, or nil.
	Problem error
}

// Find returns the draft of an id, or nil.
func (d Drafts) Find(id string) *Draft {
	for i := range d.List {
		if d.List[i].ID == id {
			return &d.List[i]
		}
	}
	return nil
}

// maxDrafts is how many are kept of a kind.
const maxDrafts = 50

// keepAfter is how long a reader pauses before what was typed is kept.
const keepAfter = 250 * time.Millisecond

// DraftsWatch keeps one page's drafts.
type DraftsWatch struct {
	ctx    goapp.Context
	shelf  shelf.Shelf
	of     DraftsOf
	drafts Drafts
	next   *Draft // to be kept
	timed  bool   // it will be
}

// NewDraftID returns an id.
func NewDraftID() string { return rand.Text() }

// WatchDrafts publishes the drafts of a kind under its Key. ctx is the page's.
func WatchDrafts(ctx goapp.Context, s shelf.Shelf, of DraftsOf) *DraftsWatch {
	w := &DraftsWatch{ctx: ctx, shelf: s, of: of}
	w.read()
	return w
}

// read publishes the drafts as they stand now.
func (w *DraftsWatch) read() {
	w.ctx.Async(func() {
		list, err := ListDrafts(context.Background(), w.shelf, w.of)
		w.ctx.Dispatch(func(goapp.Context) {
			w.drafts.Loaded, w.drafts.List, w.drafts.Problem = true, list, err
			w.publish()
		})
	})
}

func (w *DraftsWatch) publish() { w.ctx.SetState(w.of.Key(), w.drafts) }

// Keep keeps a draft in a moment, or what follows until then.
func (w *DraftsWatch) Keep(d Draft) {
	w.next = &d
	if w.timed {
		return
	}
	w.timed = true
	w.ctx.After(keepAfter, func(goapp.Context) {
		w.timed = false
		w.Flush()
	})
}

// Flush keeps now what is to be kept.
func (w *DraftsWatch) Flush() {
	if w.next == nil {
		return
	}
	d := *w.next
	w.next = nil
	w.ctx.Async(func() {
		err := KeepDraft(context.Background(), w.shelf, w.of, d)
		w.ctx.Dispatch(func(goapp.Context) {
			w.drafts.Problem = err
			if err == nil {
				w.drafts.Kept, w.drafts.KeptAt = d.ID, d.Changed
			}
			w.read()
		})
	})
}

// Delete deletes a draft.
func (w *DraftsWatch) Delete(id string) {
	if w.next != nil && w.next.ID == id {
		w.next = nil
	}
	w.ctx.Async(func() {
		_ = shelf.Delete(context.Background(), w.shelf, shelf.Drafts, w.of.prefix()+id) // it stays in the list
		w.ctx.Dispatch(func(goapp.Context) { w.read() })
	})
}

// ListDrafts returns the drafts of a kind, the last changed first.
func ListDrafts(ctx context.Context, s shelf.Shelf, of DraftsOf) ([]Draft, error) {
	entries, err := s.List(ctx, shelf.Drafts, shelf.Prefix(of.prefix()))
	var list []Draft
	for _, e := range entries {
		var d Draft
		if json.Unmarshal(e.Value, &d) == nil && of.prefix()+d.ID == e.Key {
			list = append(list, d)
		}
	}
	slices.SortStableFunc(list, func(a, b Draft) int { return b.Changed.Compare(a.Changed) })
	return list, err
}

// KeepDraft keeps a draft, and forgets the oldest where there are too many.
func KeepDraft(ctx context.Context, s shelf.Shelf, of DraftsOf, d Draft) error {
	value, err := json.Marshal(d)
	if err != nil {
		return err
	}
	if err := shelf.Put(ctx, s, shelf.Drafts, of.prefix()+d.ID, value); err != nil {
		return err
	}
	list, err := ListDrafts(ctx, s, of)
	for len(list) > maxDrafts && err == nil {
		oldest := list[len(list)-1]
		list = list[:len(list)-1]
		err = shelf.Delete(ctx, s, shelf.Drafts, of.prefix()+oldest.ID)
	}
	return err
}
