package sqlitejournal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// What a step of Verify reads at most, so that its transaction is short.
const (
	verifyRows   = 200
	verifyEvents = 4096
	verifyBytes  = 1 << 20
)

// Verify implements journal.Retention. Beside checksums and chains it holds each row against the indexes that lead to it,
// so that a lost entry, which hides a run from lists or frees a key, is told of too. A run that is pruned meanwhile counts
// as what it was when it was met.
func (j *Journal) Verify(ctx context.Context, visit func(damage error) error) (journal.Size, error) {
	v := &verification{j: j, visit: visit, stmts: map[string]*sql.Stmt{}}
	defer v.close()
	for _, part := range []func(context.Context) error{v.runs, v.strays, v.labels, v.tools, v.leases, v.log} {
		if err := part(ctx); err != nil {
			return v.size, err
		}
	}
	err := j.read(func() (err error) {
		v.size.Bytes, err = j.reader.bytes(ctx)
		return err
	})
	return v.size, err
}

// verification is one walk through a journal.
type verification struct {
	j     *Journal
	visit func(damage error) error
	size  journal.Size
	stmts map[string]*sql.Stmt // those that were prepared, by their texts
}

// prepared returns a statement. To prepare one takes as long as to run it, and most run once for each run.
func (v *verification) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := v.stmts[text]; ok {
		return stmt, nil
	}
	stmt, err := v.j.reader.db.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	v.stmts[text] = stmt
	return stmt, nil
}

// close releases the statements. An error would be that of a read, which was told before.
func (v *verification) close() {
	for _, stmt := range v.stmts {
		_ = stmt.Close()
	}
}

// report tells of err where it is damage, and returns what ends the verification.
func (v *verification) report(err error) error {
	if damage, ok := errors.AsType[*journal.DamagedError](err); ok {
		if damage.Run == "" {
			return v.visit(err)
		}
		return v.visit(damage)
	}
	if isDamage(err) {
		return v.visit(errors.Join(&journal.DamagedError{}, err))
	}
	return err
}

// query reads rows in one statement, and so in one short transaction.
func (v *verification) query(ctx context.Context, each func(row scanner) error, text string, args ...any) error {
	return v.j.read(func() (err error) {
		stmt, err := v.prepared(ctx, text)
		if err != nil {
			return readError(err, "", 0)
		}
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return readError(err, "", 0)
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return readError(err, "", 0)
		}
		return nil
	})
}

// runs walks the runs in the order of their numbers.
func (v *verification) runs(ctx context.Context) error {
	var end int64
	err := v.query(ctx, func(row scanner) error { return row.Scan(&end) }, `SELECT ifnull(max(n), 0) FROM (SELECT max(n) AS n FROM runs UNION ALL SELECT max(n) FROM tasks)`)
	if err != nil {
		if err := v.report(err); err != nil {
			return err
		}
		end = 1<<31 - 1
	}
	for after, stride := int64(0), int64(1); after < end; {
		var found []foundRun
		err := v.query(ctx, func(row scanner) error {
			id, h, text, err := scanRun(row)
			if h.n == 0 {
				return err
			}
			found = append(found, foundRun{id, h, text, err})
			return nil
		}, `SELECT `+runColumns+` FROM runs WHERE n > ? ORDER BY n LIMIT ?`, after, verifyRows)
		for _, run := range found {
			if err := v.run(ctx, run); err != nil {
				return err
			}
			after = run.head.n
		}
		switch {
		case err != nil:
			// A page that cannot be read. Those behind it are found by trying further and further.
			if err := v.report(err); err != nil {
				return err
			}
			after, stride = after+stride, 2*stride
		case len(found) < verifyRows:
			return nil
		default:
			stride = 1
		}
	}
	return nil
}

// foundRun is a row of runs as the table itself gives it, without an index.
type foundRun struct {
	id      contracts.RunID
	head    head
	summary []byte
	err     error
}

// run verifies one run.
func (v *verification) run(ctx context.Context, run foundRun) error {
	if run.err != nil {
		return v.report(run.err)
	}
	if run.head.pruned {
		v.size.Tombstones++
	} else {
		v.size.Runs++
		if err := v.history(ctx, run); err != nil {
			return err
		}
	}
	return v.entries(ctx, run)
}

// history reads the task and the events of a run in the way that readers do.
func (v *verification) history(ctx context.Context, run foundRun) error {
	stored, err := v.j.Run(ctx, run.id)
	switch {
	case errors.Is(err, journal.ErrPruned):
		return nil
	case err != nil:
		if err := v.report(err); err != nil {
			return err
		}
	case stored.Key != "":
		owner, _, err := v.j.ByKey(ctx, stored.Key)
		if (err != nil || owner != run.id) && !v.isPruned(ctx, run.id) {
			if err := v.visit(fmt.Errorf("the idempotency key does not lead to its run: %w", &journal.DamagedError{Run: run.id})); err != nil {
				return err
			}
		}
	}
	for after := contracts.Seq(0); ; {
		page, err := v.j.Read(ctx, run.id, after, verifyEvents, verifyBytes)
		v.size.Events += int64(len(page.Events))
		if errors.Is(err, journal.ErrPruned) {
			return nil
		}
		if err != nil {
			return v.report(err)
		}
		if len(page.Events) == 0 {
			return nil
		}
		end := after + contracts.Seq(len(page.Events))
		if err := v.origins(ctx, run, after+1, end); err != nil {
			return err
		}
		if after = end; after >= page.Last {
			return nil // what is appended meanwhile is verified by its own readers
		}
	}
}

// isPruned reports whether a run was pruned since it was found.
func (v *verification) isPruned(ctx context.Context, id contracts.RunID) bool {
	_, err := v.j.Run(ctx, id)
	return errors.Is(err, journal.ErrPruned)
}

// origins looks each batch of a piece of a run up by its origin.
func (v *verification) origins(ctx context.Context, run foundRun, first, last contracts.Seq) error {
	lost := contracts.Seq(-1)
	err := v.query(ctx, func(row scanner) error { return row.Scan(&lost) }, `
		SELECT place & 0xffffffff FROM chunks AS c WHERE place BETWEEN ? AND ? AND origin_after IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM chunks AS found INDEXED BY chunks_by_origin
			WHERE found.place >> 32 = ? AND found.origin_after = c.origin_after AND found.place = c.place)
		LIMIT 1`, placeOf(run.head.n, first), placeOf(run.head.n, last), run.head.n)
	if err != nil {
		return v.report(err)
	}
	if lost < 0 {
		return nil
	}
	return v.visit(fmt.Errorf("a batch cannot be found by its origin: %w", &journal.DamagedError{Run: run.id, From: lost}))
}

// selectEntries asks in one statement, which sees one state of the file, whether each index leads to a run's row.
const selectEntries = `SELECT
	EXISTS (SELECT 1 FROM runs AS f WHERE f.id = r.id AND f.n = r.n),
	EXISTS (SELECT 1 FROM runs AS f INDEXED BY runs_by_state WHERE f.state = r.state AND f.id = r.id AND f.n = r.n),
	EXISTS (SELECT 1 FROM runs AS f INDEXED BY runs_by_created WHERE f.created = r.created AND f.n = r.n),
	r.ended IS NULL OR EXISTS (SELECT 1 FROM runs AS f INDEXED BY runs_by_end WHERE f.ended = r.ended AND f.n = r.n),
	r.pruned OR EXISTS (SELECT 1 FROM tasks AS f WHERE f.run = r.id AND f.n = r.n),
	r.ended, ` + runColumns + ` FROM runs AS r WHERE n = ?`

// entries holds a run's row against the indexes and labels that lead to it.
func (v *verification) entries(ctx context.Context, run foundRun) error {
	var byID, byState, byCreated, byEnd, task, ends bool
	var summary contracts.Summary
	err := v.query(ctx, func(row scanner) error {
		var ended sql.Null[contracts.Time]
		id, h, text, err := scanRun(prefixed{row, []any{&byID, &byState, &byCreated, &byEnd, &task, &ended}})
		if err != nil {
			return err
		}
		if summary, err = decodeSummary(id, text); err != nil {
			return err
		}
		if summary.RunID != id || summary.State != h.state || summary.LastSeq != h.last || summary.Pruned != h.pruned {
			return &journal.DamagedError{Run: id}
		}
		switch {
		case h.state.Terminal() && ended.Valid:
			ends = ended.V == summary.UpdatedAt
		case h.state.Terminal():
			ends = h.pruned
		default:
			ends = !ended.Valid
		}
		return nil
	}, selectEntries, run.head.n)
	if err != nil {
		return v.report(err)
	}
	for _, entry := range []struct {
		found bool
		what  string
	}{
		{byID, "id"}, {byState, "state"}, {byCreated, "time of creation"}, {byEnd && ends, "time of its end"}, {task, "task"},
	} {
		if entry.found {
			continue
		}
		if err := v.visit(fmt.Errorf("the run cannot be found by its %s: %w", entry.what, &journal.DamagedError{Run: run.id})); err != nil {
			return err
		}
	}
	return v.labelsOf(ctx, run.id, summary.Labels)
}

// prefixed is a row of which the first columns go elsewhere.
type prefixed struct {
	row   scanner
	first []any
}

// Scan implements scanner.
func (p prefixed) Scan(dest ...any) error { return p.row.Scan(append(p.first, dest...)...) }

// labelsOf looks a run up by each of its labels.
func (v *verification) labelsOf(ctx context.Context, id contracts.RunID, labels map[string]string) error {
	for name, value := range labels {
		found := false
		err := v.query(ctx, func(row scanner) error { return row.Scan(&found) },
			`SELECT EXISTS (SELECT 1 FROM labels WHERE name = ? AND value = ? AND run = ?)`, name, value, id.String())
		if err == nil && !found {
			err = fmt.Errorf("the run cannot be found by a label: %w", &journal.DamagedError{Run: id})
		}
		if err != nil {
			if err := v.report(err); err != nil {
				return err
			}
		}
	}
	return nil
}

// stray is what a run may have left.
type stray struct {
	n     int64
	owned bool
	id    contracts.RunID
}

// strays looks for chunks and tasks of runs that are gone.
func (v *verification) strays(ctx context.Context) error {
	for _, text := range []string{
		`WITH RECURSIVE owners (n) AS (
			SELECT (SELECT place >> 32 FROM chunks WHERE place >= ? << 32 ORDER BY place LIMIT 1)
			UNION ALL
			SELECT (SELECT place >> 32 FROM chunks WHERE place >= owners.n + 1 << 32 ORDER BY place LIMIT 1) FROM owners WHERE owners.n IS NOT NULL)
		SELECT n, EXISTS (SELECT 1 FROM runs WHERE runs.n = owners.n AND NOT (pruned AND ended IS NULL)), '' FROM owners WHERE n IS NOT NULL LIMIT ?`,
		`SELECT n, EXISTS (SELECT 1 FROM runs WHERE runs.n = tasks.n AND NOT pruned), run FROM tasks WHERE n >= ? ORDER BY n LIMIT ?`,
	} {
		for next, done := int64(0), false; !done; {
			var found []stray
			err := v.query(ctx, func(row scanner) error {
				var s stray
				err := row.Scan(&s.n, &s.owned, &s.id)
				found = append(found, s)
				return err
			}, text, next, verifyRows)
			if err != nil {
				if err := v.report(err); err != nil {
					return err
				}
				break
			}
			for _, s := range found {
				if next = s.n + 1; s.owned {
					continue
				}
				if err := v.visit(fmt.Errorf("what is left of run number %d: %w", s.n, &journal.DamagedError{Run: s.id})); err != nil {
					return err
				}
			}
			done = len(found) < verifyRows
		}
	}
	return nil
}

// labels looks for labels that lead to no run, or to one without them.
func (v *verification) labels(ctx context.Context) error {
	var name, value, run string
	for done := false; !done; {
		n := 0
		var strays []contracts.RunID
		err := v.query(ctx, func(row scanner) error {
			var text []byte
			if err := row.Scan(&name, &value, &run, &text); err != nil {
				return err
			}
			n++
			summary, err := decodeSummary(contracts.RunID(run), text)
			if got, ok := summary.Labels[name]; err != nil || !ok || got != value {
				strays = append(strays, contracts.RunID(run))
			}
			return nil
		}, `SELECT name, value, run, (SELECT summary FROM runs WHERE id = run) FROM labels WHERE (name, value, run) > (?, ?, ?)
			ORDER BY name, value, run LIMIT ?`, name, value, run, verifyRows)
		if err != nil {
			return v.report(err)
		}
		for _, id := range strays {
			if err := v.visit(fmt.Errorf("a label is not that of its run: %w", &journal.DamagedError{Run: id})); err != nil {
				return err
			}
		}
		done = n < verifyRows
	}
	return nil
}

// tools verifies the catalogue.
func (v *verification) tools(ctx context.Context) error {
	var damage []error
	err := v.query(ctx, func(row scanner) error {
		if _, err := scanTool(row); err != nil {
			damage = append(damage, err)
		}
		return nil
	}, `SELECT name, version, digest, spec, sum FROM tools`)
	return v.reportAll(append(damage, err))
}

// leases verifies who carries runs out.
func (v *verification) leases(ctx context.Context) error {
	var damage []error
	err := v.query(ctx, func(row scanner) error {
		if _, err := scanLease(row); err != nil {
			damage = append(damage, fmt.Errorf("lease: %w", err))
		}
		return nil
	}, `SELECT `+leaseColumns+` FROM leases`)
	return v.reportAll(append(damage, err))
}

// log verifies what has not settled: that the rows are those which log_span tells of, and then some rows at a time.
func (v *verification) log(ctx context.Context) error {
	whole := false
	err := v.query(ctx, func(row scanner) error { return row.Scan(&whole) }, `
		SELECT last - first + 1 = (SELECT count(*) FROM log) AND last - first + 1 = (SELECT count(*) FROM log WHERE k BETWEEN first AND last)
		FROM log_span`)
	if err == nil && !whole {
		err = fmt.Errorf("rows of the log are lost: %w", &journal.DamagedError{})
	}
	if err != nil {
		if err := v.report(err); err != nil {
			return err
		}
	}
	for k := int64(0); ; {
		n := 0
		var damage []error
		err := v.query(ctx, func(row scanner) error {
			var sum checksum
			var body []byte
			if err := row.Scan(&k, &sum, &body); err != nil {
				return err
			}
			if n++; sum != sumLog(k, body) {
				damage = append(damage, fmt.Errorf("row %d of the log: %w", k, &journal.DamagedError{}))
			}
			return nil
		}, `SELECT k, sum, body FROM log WHERE k > ? ORDER BY k LIMIT 16`, k)
		if err := v.reportAll(append(damage, err)); err != nil || n < 16 {
			return err
		}
	}
}

// reportAll reports each of the errors that is one.
func (v *verification) reportAll(errs []error) error {
	for _, err := range errs {
		if err == nil {
			continue
		}
		if err := v.report(err); err != nil {
			return err
		}
	}
	return nil
}
