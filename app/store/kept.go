package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"axiom25/app/shelf"
	"axiom25/contracts"
)

// KeptRun is what is kept of a run beside its events and its task.
type KeptRun struct {
	// Summary is its row in the list of runs, as it was when the last of the events was kept.
	Summary contracts.Summary `json:"summary"`
	// OpenedAt is when a reader opened it, and KeptAt when its last event was kept, by the browser's clock.
	OpenedAt contracts.Time `json:"opened_at"`
	KeptAt   contracts.Time `json:"kept_at"`
	// Bytes is how much its events take.
	Bytes int `json:"bytes"`
}

// What is kept: the runs that were opened last, as long as their events are few enough.
const (
	keptRuns  = 20
	keptBytes = 50 << 20
	// keptPiece is how many bytes of events are kept together: a piece that is smaller grows with the run.
	keptPiece = 64 << 10
)

// Keeper keeps the events of one run behind its reader's back, and finds them again. What the browser does not keep is not
// an error for the reader: the keeper then does nothing. Its methods may be called from any goroutine but the one that draws: they wait for
// each other.
type Keeper struct {
	Shelf shelf.Shelf
	// Run is whose events are kept.
	Run contracts.RunID

	mu    sync.Mutex
	last  contracts.Seq // the last event that is kept
	first contracts.Seq // the first of the piece that grows
	piece []byte
	row   KeptRun
	off   bool // the browser keeps no more
}

// pieceKey orders the pieces of a run by their first events.
func (k *Keeper) pieceKey(first contracts.Seq) string { return fmt.Sprintf("%s/%010d", k.Run, first) }

// taskKey is behind all pieces.
func taskKey(run contracts.RunID) string { return run.String() + "/task" }

// Load returns what is kept: the events as they were sent, from the first one on without a gap, and when the last was kept. What
// is added later is kept behind them.
func (k *Keeper) Load(ctx context.Context) (lines []string, at contracts.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	record, err := k.Shelf.Get(ctx, shelf.Runs, k.Run.String())
	if err != nil {
		k.off = !errors.Is(err, shelf.ErrAbsent)
		return nil, 0
	}
	pieces, err := k.Shelf.List(ctx, shelf.Events, shelf.Range{From: k.Run.String() + "/0", Until: k.Run.String() + "/:"})
	if err != nil || json.Unmarshal(record, &k.row) != nil {
		return nil, 0
	}
	k.row.Bytes = 0
	for _, p := range pieces {
		first, err := strconv.ParseUint(strings.TrimPrefix(p.Key, k.Run.String()+"/"), 10, 53)
		if err != nil || contracts.Seq(first) > k.last+1 {
			break
		}
		seq := contracts.Seq(first)
		for line := range bytes.Lines(p.Value) {
			// Tabs that keep one run at the same time cut it at different places.
			if seq == k.last+1 {
				lines = append(lines, string(bytes.TrimSuffix(line, []byte("\n"))))
				k.last++
				k.row.Bytes += len(line)
			}
			seq++
		}
	}
	return lines, k.row.KeptAt
}

// Last is the last event that is kept, and off says that nothing is kept any more, since the browser will not. It may be called
// from any goroutine while no other method runs.
func (k *Keeper) Last() (seq contracts.Seq, off bool) { return k.last, k.off }

// Keep adds the events behind Last, each a line, and what the run is now.
func (k *Keeper) Keep(ctx context.Context, lines [][]byte, row contracts.Summary, now contracts.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.off || len(lines) == 0 {
		return
	}
	if k.row.OpenedAt == 0 {
		k.row.OpenedAt = now
	}
	cut := len(k.piece) == 0 || len(k.piece) >= keptPiece
	if cut {
		k.piece, k.first = nil, k.last+1
	}
	for _, line := range lines {
		k.piece = append(append(k.piece, line...), '\n')
		k.row.Bytes += len(line) + 1
	}
	k.last += contracts.Seq(len(lines))
	k.row.Summary, k.row.KeptAt = row, now
	record, err := json.Marshal(k.row)
	if err != nil {
		k.off = true
		return
	}
	changes := []shelf.Change{
		{Store: shelf.Events, Key: k.pieceKey(k.first), Value: k.piece},
		{Store: shelf.Runs, Key: k.Run.String(), Value: record},
	}
	err = k.Shelf.Write(ctx, changes...)
	if errors.Is(err, shelf.ErrFull) && k.trim(ctx, 0) {
		err = k.Shelf.Write(ctx, changes...)
	}
	k.off = err != nil
	if !k.off && cut {
		k.trim(ctx, keptRuns)
	}
}

// Opened notes that a reader has opened the run again.
func (k *Keeper) Opened(ctx context.Context, now contracts.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.off || k.row.OpenedAt == 0 {
		return
	}
	k.row.OpenedAt = now
	if record, err := json.Marshal(k.row); err == nil {
		_ = shelf.Put(ctx, k.Shelf, shelf.Runs, k.Run.String(), record) // the run only counts as older
	}
}

// Forget lets go of the run: its history was another one.
func (k *Keeper) Forget(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last, k.first, k.piece, k.row = 0, 0, nil, KeptRun{}
	if !k.off {
		k.off = k.Shelf.Write(ctx, forgotten(k.Run)...) != nil
	}
}

func forgotten(run contracts.RunID) []shelf.Change {
	prefix := run.String() + "/"
	return []shelf.Change{
		{Store: shelf.Runs, Key: run.String()},
		{Store: shelf.Events, Key: prefix, Until: shelf.Behind(prefix)},
	}
}

// trim lets go of the runs that were opened longest ago until at most so many are left, and these are small enough. It
// reports whether there were any; the keeper's own stays.
func (k *Keeper) trim(ctx context.Context, most int) bool {
	kept, err := Kept(ctx, k.Shelf)
	if err != nil {
		return false
	}
	count, size, trimmed := 1, k.row.Bytes, false
	for i := range kept {
		id := kept[i].Summary.RunID
		if id == k.Run {
			continue
		}
		count, size = count+1, size+kept[i].Bytes
		if count > most || size > keptBytes {
			trimmed = k.Shelf.Write(ctx, forgotten(id)...) == nil || trimmed
		}
	}
	return trimmed
}

// Kept lists the runs that are kept, the one that was opened last first.
func Kept(ctx context.Context, s shelf.Shelf) ([]KeptRun, error) {
	entries, err := s.List(ctx, shelf.Runs, shelf.Range{})
	if err != nil {
		return nil, err
	}
	var kept []KeptRun
	for _, e := range entries {
		var k KeptRun
		if json.Unmarshal(e.Value, &k) == nil && k.Summary.RunID.String() == e.Key {
			kept = append(kept, k)
		}
	}
	slices.SortStableFunc(kept, func(a, b KeptRun) int { return int(b.OpenedAt - a.OpenedAt) })
	return kept, nil
}

// summaryOf is the row of a run in the list.
func summaryOf(run *Run) contracts.Summary {
	f := &run.Head
	row := contracts.Summary{
		RunID: run.ID, State: f.State, Goal: run.Goal, Backend: f.Header.Backend, Profile: f.Header.Profile, CreatedAt: f.CreatedAt,
		UpdatedAt: f.LastTime, LastSeq: f.LastSeq, Used: f.Used, Limits: f.Limits, Approvals: len(f.Pending()),
	}
	if goal := []rune(row.Goal); len(goal) > 200 { // as the server cuts it
		row.Goal = string(goal[:200])
	}
	return row
}
