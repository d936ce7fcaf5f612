package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// reader is the pool of connections that only read. None holds a transaction between two methods.
type reader struct {
	db *sql.DB
	// tails hold what was appended and is not yet where the statements look.
	tails *tails

	runByID, taskOfRun        *sql.Stmt
	chunksFrom, chunkOfOrigin *sql.Stmt
	taskOfKey                 *sql.Stmt
	leaseOfRun, leases        *sql.Stmt
	finished                  *sql.Stmt
	tools, anyRun             *sql.Stmt
}

// openReader opens the pool and prepares the statements.
func openReader(ctx context.Context, path string, opts Options, tails *tails) (*reader, error) {
	db, err := openDatabase(path, opts.vfs,
		"mode=ro", "_query_only=1", "_busy_timeout=5000", "_defensive=1", "_dqs=0",
		"_pragma=cell_size_check(1)", "_pragma=temp_store(MEMORY)",
	)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(opts.Readers)
	db.SetMaxIdleConns(opts.Readers)
	r := &reader{db: db, tails: tails}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&r.runByID, selectRun},
		{&r.taskOfRun, selectTaskOfRun},
		{&r.taskOfKey, selectTaskOfKey},
		{&r.leaseOfRun, selectLease},
		{&r.leases, selectLeases},
		{&r.finished, selectFinished},
		// The first of them is the chunk that holds the seq in the second parameter.
		{&r.chunksFrom, `SELECT ` + chunkColumns + ` FROM chunks
			WHERE place >= ifnull((SELECT max(place) FROM chunks WHERE place BETWEEN ?1 AND ?2), ?2) AND place <= ?3
			ORDER BY place`},
		{&r.chunkOfOrigin, `SELECT ` + chunkColumns + ` FROM chunks
			WHERE place >> 32 = ? AND origin_after = ? ORDER BY place DESC LIMIT 1`},
		{&r.tools, `SELECT name, version, digest, spec, sum FROM tools ORDER BY name, version`},
		{&r.anyRun, `SELECT count(*) FROM (SELECT 1 FROM runs LIMIT 1)`},
	} {
		if *p.stmt, err = db.PrepareContext(ctx, p.text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %q: %w", p.text, err), db.Close())
		}
	}
	return r, nil
}

// close releases the connections, and with them the statements.
func (r *reader) close() error { return r.db.Close() }

// ping reads something.
func (r *reader) ping(ctx context.Context) error {
	var n int
	if err := r.anyRun.QueryRowContext(ctx).Scan(&n); err != nil {
		return fmt.Errorf("%w: %w", journal.ErrUnavailable, err)
	}
	return nil
}

// Run implements journal.Reader.
func (j *Journal) Run(ctx context.Context, id contracts.RunID) (run journal.Run, err error) {
	err = j.read(func() error {
		run, err = j.reader.run(ctx, id)
		return err
	})
	return run, err
}

func (r *reader) run(ctx context.Context, id contracts.RunID) (journal.Run, error) {
	recent := r.tails.of(id)
	h, text, err := readRun(ctx, r.runByID, r.taskOfRun, id)
	if err != nil && text == nil {
		return journal.Run{}, err
	}
	if h.pruned {
		return tombstone(id, text)
	}
	run, err := scanTask(r.taskOfRun.QueryRowContext(ctx, id.String()))
	if errors.Is(err, sql.ErrNoRows) {
		if h, text, err := readRun(ctx, r.runByID, r.taskOfRun, id); err == nil && h.pruned {
			return tombstone(id, text) // pruned between the two reads
		}
		return journal.Run{}, &journal.DamagedError{Run: id}
	}
	if err != nil {
		return journal.Run{}, readError(err, id, 0)
	}
	run.Summary, err = decodeSummary(id, recent.newer(h, text))
	return run, err
}

// tombstone returns what is left of a pruned run, and says that it was pruned.
func tombstone(id contracts.RunID, text []byte) (journal.Run, error) {
	summary, err := decodeSummary(id, text)
	if err != nil {
		return journal.Run{}, err
	}
	return journal.Run{ID: id, Summary: summary}, prunedRun(id)
}

// Read implements journal.Reader.
func (j *Journal) Read(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (page journal.Page, err error) {
	err = j.read(func() error {
		page, err = j.reader.page(ctx, id, after, maxEvents, maxBytes)
		return err
	})
	return page, err
}

func (r *reader) page(ctx context.Context, id contracts.RunID, after contracts.Seq, maxEvents, maxBytes int) (journal.Page, error) {
	after = max(after, 0)
	recent := r.tails.of(id)
	h, _, err := readRun(ctx, r.runByID, r.taskOfRun, id)
	var ending *journal.DamagedError // where the row and the chunks part, with From behind the row's end
	if errors.As(err, &ending) {
		if ending.From == 0 {
			return journal.Page{}, &journal.DamagedError{Run: id, From: after + 1}
		}
	} else if err != nil {
		return journal.Page{}, err
	}
	if h.pruned {
		return journal.Page{}, prunedRun(id)
	}
	page := journal.Page{Last: h.last, State: h.state}
	build := pageBuilder{due: after + 1, maxEvents: maxEvents, maxBytes: maxBytes}
	if after < h.last && maxEvents > 0 {
		err := r.events(ctx, id, h, &build)
		if page.Events = build.events; err != nil {
			if h, _, again := readRun(ctx, r.runByID, r.taskOfRun, id); again == nil && h.pruned {
				return journal.Page{}, prunedRun(id) // pruned between the two reads
			}
			return page, err
		}
	}
	if ending != nil {
		if build.due > h.last {
			return page, ending
		}
		return page, nil
	}
	if recent != nil && recent.head.last > h.last {
		page.Last = recent.head.last
		if err := build.addTail(recent); err != nil {
			return page, err
		}
		page.Events = build.events
	}
	return page, nil
}

// pageBuilder collects the events of a page.
type pageBuilder struct {
	events              []journal.Event
	due                 contracts.Seq // the next event
	size                int
	maxEvents, maxBytes int
}

// largeChunk is how long a chunk's body is, in bytes, that is better not read twice.
const largeChunk = 32 << 10

// add takes what is due of a chunk, and reports whether to go on. Behind a large chunk there must be room for as much again:
// the next one would likely be cut, and be read a second time for the next page.
func (b *pageBuilder) add(c chunk) (room bool, err error) {
	startsRight := c.first == b.due || len(b.events) == 0 && c.first < b.due
	if !startsRight || c.last < b.due {
		return false, &journal.DamagedError{Run: c.run, From: b.due}
	}
	before, sizeBefore := len(b.events), b.size
	b.events = slices.Grow(b.events, min(int(c.last-b.due)+1, b.maxEvents-before))
	body := c.body
	for seq := c.first; seq <= c.last; seq++ {
		event, rest, ok := nextFrame(body)
		if !ok {
			return false, &journal.DamagedError{Run: c.run, From: b.due}
		}
		body = rest
		if seq < b.due {
			continue
		}
		if len(b.events) >= b.maxEvents || len(b.events) > 0 && b.size+len(event) > b.maxBytes {
			return false, nil
		}
		b.events = append(b.events, journal.Event{Seq: seq, JSON: event})
		b.size += len(event)
		b.due++
	}
	if len(c.body) < largeChunk {
		return true, nil
	}
	return b.maxEvents-len(b.events) >= len(b.events)-before && b.maxBytes-b.size >= b.size-sizeBefore, nil
}

// addTail takes what is due of a tail.
func (b *pageBuilder) addTail(t *tail) error {
	for _, e := range t.entries {
		if e.last < b.due {
			continue
		}
		if e.first > b.due {
			return nil // the page was full before
		}
		if room, err := b.add(e.chunk); err != nil || !room {
			return err
		}
	}
	return nil
}

// events takes what is due up to the end that the run's row knows. The row was read before, in a transaction of its own:
// that does no harm, since a run only grows.
func (r *reader) events(ctx context.Context, id contracts.RunID, h head, build *pageBuilder) (err error) {
	rows, err := r.chunksFrom.QueryContext(ctx, placeOf(h.n, 0), placeOf(h.n, build.due), placeOf(h.n, h.last))
	if err != nil {
		return readError(err, id, build.due)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for build.due <= h.last {
		if !rows.Next() {
			if err := rows.Err(); err != nil {
				return readError(err, id, build.due)
			}
			return &journal.DamagedError{Run: id, From: build.due}
		}
		c, err := scanChunk(rows, id)
		if err != nil {
			return damagedFrom(readError(err, id, build.due), build.due)
		}
		if room, err := build.add(c); err != nil || !room {
			return err
		}
	}
	return nil
}

// damagedFrom returns err, and where it is a *journal.DamagedError, one that begins at due: the reader was
// given everything before.
func damagedFrom(err error, due contracts.Seq) error {
	if damaged, ok := errors.AsType[*journal.DamagedError](err); ok {
		return &journal.DamagedError{Run: damaged.Run, From: due}
	}
	return err
}

// Batch implements journal.Reader.
func (j *Journal) Batch(ctx context.Context, id contracts.RunID, after contracts.Seq) (stored journal.Stored, err error) {
	err = j.read(func() error {
		stored, err = j.reader.batch(ctx, id, after)
		return err
	})
	return stored, err
}

func (r *reader) batch(ctx context.Context, id contracts.RunID, after contracts.Seq) (journal.Stored, error) {
	if recent := r.tails.of(id); recent != nil {
		for _, e := range slices.Backward(recent.entries) {
			if e.origin != nil && e.origin.After == after {
				return journal.Stored{Origin: *e.origin, First: e.first, Last: e.last}, nil
			}
		}
	}
	h, _, err := readRun(ctx, r.runByID, r.taskOfRun, id)
	if err != nil {
		return journal.Stored{}, err
	}
	if h.pruned {
		return journal.Stored{}, prunedRun(id)
	}
	c, err := scanChunk(r.chunkOfOrigin.QueryRowContext(ctx, h.n, int64(after)), id)
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Stored{}, fmt.Errorf("batch of run %s after %d: %w", id, after, journal.ErrNotFound)
	}
	if err != nil {
		return journal.Stored{}, readError(err, id, 0)
	}
	if c.origin == nil {
		return journal.Stored{}, &journal.DamagedError{Run: id, From: c.first}
	}
	return journal.Stored{Origin: *c.origin, First: c.first, Last: c.last}, nil
}

// ByKey implements journal.Reader.
func (j *Journal) ByKey(ctx context.Context, key string) (id contracts.RunID, task contracts.Digest, err error) {
	err = j.read(func() error {
		id, task, err = j.reader.byKey(ctx, key)
		return err
	})
	return id, task, err
}

func (r *reader) byKey(ctx context.Context, key string) (contracts.RunID, contracts.Digest, error) {
	owner, err := scanTask(r.taskOfKey.QueryRowContext(ctx, key))
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", fmt.Errorf("run of an idempotency key: %w", journal.ErrNotFound)
	}
	if err != nil {
		return "", "", readError(err, "", 0)
	}
	return owner.ID, owner.TaskDigest, nil
}

// Tools implements journal.Reader.
func (j *Journal) Tools(ctx context.Context) (tools []journal.Tool, err error) {
	err = j.read(func() error {
		tools, err = j.reader.allTools(ctx)
		return err
	})
	return tools, err
}

func (r *reader) allTools(ctx context.Context) (tools []journal.Tool, err error) {
	rows, err := r.tools.QueryContext(ctx)
	if err != nil {
		return nil, toolsError(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		t, err := scanTool(rows)
		if err != nil {
			return nil, toolsError(err)
		}
		tools = append(tools, t)
	}
	if err := rows.Err(); err != nil {
		return nil, toolsError(err)
	}
	return tools, nil
}

// scanTool reads a row of tools and verifies its checksum.
func scanTool(row scanner) (journal.Tool, error) {
	var t journal.Tool
	var sum checksum
	if err := row.Scan(&t.Name, &t.Version, &t.Digest, &t.Spec, &sum); err != nil {
		return journal.Tool{}, err
	}
	if sum != sumTool(t) {
		return journal.Tool{}, fmt.Errorf("tool %s@%s: %w", t.Name, t.Version, &journal.DamagedError{})
	}
	return t, nil
}

// toolsError turns an error of the database into the journal's.
func toolsError(err error) error {
	if isDamage(err) {
		return errors.Join(&journal.DamagedError{}, err)
	}
	return fmt.Errorf("read tools: %w", err)
}
