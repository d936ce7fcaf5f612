package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// How much is read at once.
const (
	pageRuns   = 500
	pageEvents = contracts.MaxBatchEvents
	pageBytes  = contracts.MaxBatchBytes
)

// Selection says what to export. The zero value is everything.
type Selection struct {
	// Runs are the runs to export, in this order; empty means those that Query selects.
	Runs []contracts.RunID
	// Query selects runs, newest first; its Before and Limit are not looked at.
	Query journal.Query
	// WithoutTools leaves the catalogue out.
	WithoutTools bool
}

// Export writes what is selected to w. A run that goes on while it is read is in the file up to an event that it had when
// its turn came. Errors are those of the journal and of w; damage to a run is none, it is left out and counted.
func Export(ctx context.Context, from journal.Reader, s Selection, w io.Writer) (Total, error) {
	e := exporter{from: from, out: bufio.NewWriterSize(w, 64<<10)}
	if err := e.all(ctx, s); err != nil {
		return e.total, err
	}
	return e.total, e.out.Flush()
}

// exporter is one export under way.
type exporter struct {
	from  journal.Reader
	out   *bufio.Writer
	total Total
}

func (e *exporter) all(ctx context.Context, s Selection) error {
	if err := e.write(line{Export: &header{Format: Format}}); err != nil {
		return err
	}
	if !s.WithoutTools {
		if err := e.tools(ctx); err != nil {
			return err
		}
	}
	if err := eachRun(ctx, e.from, s, e.run); err != nil {
		return err
	}
	return e.write(line{Total: &e.total})
}

// eachRun visits the selected runs.
func eachRun(ctx context.Context, from journal.Reader, s Selection, visit func(context.Context, contracts.RunID) error) error {
	for _, id := range s.Runs {
		if err := visit(ctx, id); err != nil {
			return err
		}
	}
	if len(s.Runs) > 0 {
		return nil
	}
	q := s.Query
	q.Before, q.Limit = "", pageRuns
	for {
		rows, err := from.List(ctx, q)
		damage, damaged := errors.AsType[*journal.DamagedError](err)
		if err != nil && !damaged {
			return fmt.Errorf("list the runs: %w", err)
		}
		for i := range rows {
			if err := visit(ctx, rows[i].RunID); err != nil {
				return err
			}
		}
		switch {
		case damaged && damage.Run == "":
			return fmt.Errorf("list the runs: %w", err)
		case damaged:
			if err := visit(ctx, damage.Run); err != nil {
				return err
			}
			q.Before = damage.Run
		case len(rows) < pageRuns:
			return nil
		default:
			q.Before = rows[len(rows)-1].RunID
		}
	}
}

func (e *exporter) tools(ctx context.Context) error {
	tools, err := e.from.Tools(ctx)
	if err != nil {
		return fmt.Errorf("read the tools: %w", err)
	}
	for _, t := range tools {
		if err := e.write(line{Tool: &toolLine{Name: t.Name, Version: t.Version, Digest: t.Digest, Spec: string(t.Spec)}}); err != nil {
			return err
		}
		e.total.Tools++
	}
	return nil
}

// run writes one run, once it is known to be whole: what was written cannot be taken back.
func (e *exporter) run(ctx context.Context, id contracts.RunID) error {
	stored, last, err := e.whole(ctx, id)
	if reason := reasonOf(err); reason != "" {
		e.total.LeftOut++
		return e.write(line{LeftOut: &leftOutLine{RunID: id, Reason: reason}})
	}
	if err != nil {
		return fmt.Errorf("export run %s: %w", id, err)
	}
	err = e.write(line{Run: &runLine{
		RunID: id, TaskDigest: stored.TaskDigest, Key: stored.Key, Task: string(stored.Task),
		Goal: stored.Summary.Goal, Labels: stored.Summary.Labels,
	}})
	if err != nil {
		return err
	}
	digest := sha256.New()
	err = eachEvent(ctx, e.from, id, last, func(ev journal.Event) error {
		writeEvent(digest, ev.JSON)
		_, _ = e.out.WriteString(`{"event":`)
		_, _ = e.out.Write(ev.JSON)
		_, err := e.out.WriteString("}\n") // a bufio.Writer keeps its first error
		return err
	})
	if err != nil {
		return fmt.Errorf("export run %s: %w", id, err)
	}
	e.total.Runs++
	e.total.Events += int64(last)
	return e.write(line{End: &endLine{RunID: id, Events: int64(last), Digest: sum(digest)}})
}

// whole reads a run through and returns it with its last event.
func (e *exporter) whole(ctx context.Context, id contracts.RunID) (journal.Run, contracts.Seq, error) {
	stored, err := e.from.Run(ctx, id)
	if err != nil {
		return journal.Run{}, 0, err
	}
	last := contracts.Seq(0)
	err = eachEvent(ctx, e.from, id, 0, func(ev journal.Event) error {
		last = ev.Seq
		return nil
	})
	return stored, last, err
}

// reasonOf says why a run with this error is left out; empty where that is no reason.
func reasonOf(err error) string {
	if errors.Is(err, journal.ErrPruned) {
		return leftOutPruned
	}
	if _, ok := errors.AsType[*journal.DamagedError](err); ok {
		return leftOutDamaged
	}
	return ""
}

// eachEvent visits a run's events up to last; 0 means to the end.
func eachEvent(ctx context.Context, from journal.Reader, id contracts.RunID, last contracts.Seq, visit func(journal.Event) error) error {
	var after contracts.Seq
	for {
		page, err := from.Read(ctx, id, after, pageEvents, pageBytes)
		if err != nil {
			return err
		}
		for _, ev := range page.Events {
			if err := visit(ev); err != nil {
				return err
			}
			if after = ev.Seq; after == last {
				return nil
			}
		}
		if after >= page.Last {
			return nil
		}
	}
}

// write writes one line.
func (e *exporter) write(l line) error {
	b, err := contracts.Encode(l)
	if err != nil {
		return err
	}
	_, err = e.out.Write(append(b, '\n'))
	return err
}

// writeEvent adds an event to the digest of a run.
func writeEvent(digest hash.Hash, event []byte) {
	digest.Write(event)
	digest.Write([]byte{'\n'})
}

// sum returns a digest as contracts spell it.
func sum(digest hash.Hash) contracts.Digest {
	return contracts.Digest("sha256:" + hex.EncodeToString(digest.Sum(nil)))
}
