package sqlitejournal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// List implements journal.Reader.
func (j *Journal) List(ctx context.Context, q journal.Query) (runs []contracts.Summary, err error) {
	err = j.read(func() error {
		runs, err = j.reader.list(ctx, q)
		return err
	})
	return runs, err
}

func (r *reader) list(ctx context.Context, q journal.Query) (runs []contracts.Summary, err error) {
	text, args := listStatement(q)
	recent := r.tails.all()
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, readError(err, "", 0)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		id, h, text, err := scanRun(rows)
		if err != nil {
			return runs, readError(err, id, 0)
		}
		summary, err := decodeSummary(id, recent[id].newer(h, text))
		if err != nil {
			return runs, err
		}
		runs = append(runs, summary)
	}
	if err := rows.Err(); err != nil {
		return runs, readError(err, "", 0)
	}
	return runs, nil
}

// listStatement returns the statement that a query stands for. Every value is a parameter.
func listStatement(q journal.Query) (text string, args []any) {
	var where []string
	condition := func(text string, values ...any) {
		where, args = append(where, text), append(args, values...)
	}
	if len(q.States) > 0 {
		states := make([]any, len(q.States))
		for i, state := range q.States {
			states[i] = string(state)
		}
		condition("state IN (?"+strings.Repeat(", ?", len(states)-1)+")", states...)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Labels)) {
		condition("id IN (SELECT run FROM labels WHERE name = ? AND value = ?)", name, q.Labels[name])
	}
	if q.Text != "" {
		// lower, like this search, knows ASCII only.
		condition("(instr(lower(goal), lower(?)) > 0 OR instr(lower(id), lower(?)) > 0)", q.Text, q.Text)
	}
	if q.Since != 0 {
		condition("created >= ?", int64(q.Since))
	}
	if q.Until != 0 {
		condition("created < ?", int64(q.Until))
	}
	if q.Before != "" {
		condition("id < ?", q.Before.String())
	}
	text = "SELECT " + runColumns + " FROM runs"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return fmt.Sprintf("%s ORDER BY id DESC LIMIT %d", text, min(max(q.Limit, 1), 500)), args
}
