package httpapi

import (
	"net/http"
	"strings"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// How many runs a list has.
const (
	defaultRuns = 50
	maxRuns     = 500
)

// maxKey is how long an idempotency key may be, in bytes.
const maxKey = 255

// createRun answers POST /runs: 201 for a new run, 200 where the idempotency key had made it before.
func (a *API) createRun(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if _, err := negotiate(r, mediaJSON); err != nil {
		return err
	}
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	created, replayed, err := a.Intake.Create(r.Context(), doc, intake.CreateOptions{
		IdempotencyKey: key,
		Traceparent:    traceparent(r),
	})
	if err != nil {
		return err
	}
	return writeCreated(w, r, created, replayed)
}

// idempotencyKey returns the request's key, or "" where it has none. The key is taken as it stands: 1..255 printable
// ASCII characters.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	printable := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKey || !printable {
		return "", malformed("Idempotency-Key: one value of 1 to 255 printable ASCII characters")
	}
	return key, nil
}

// traceparent returns the request's W3C Trace Context, or "" where there is none that is well formed: by that
// standard a broken one is ignored, not an error.
func traceparent(r *http.Request) string {
	const form = "00-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh" // version 00, section 3.2
	values := r.Header.Values("Traceparent")
	if len(values) != 1 || len(values[0]) != len(form) {
		return ""
	}
	value := values[0]
	for i := range len(form) {
		hex := value[i] >= '0' && value[i] <= '9' || value[i] >= 'a' && value[i] <= 'f'
		if form[i] == 'h' && !hex || form[i] != 'h' && value[i] != form[i] {
			return ""
		}
	}
	noTrace, noParent := strings.Trim(value[3:35], "0") == "", strings.Trim(value[36:52], "0") == ""
	if noTrace || noParent {
		return ""
	}
	return value
}

// runQuery reads what a list is to hold from the parameters that it may have. rows is how many rows it has where the
// request does not say.
func runQuery(r *http.Request, rows int64, known ...string) (journal.Query, error) {
	var selection journal.Query
	q, err := parseQuery(r, known...)
	if err != nil {
		return selection, err
	}
	for _, text := range q.all("state") {
		state := contracts.State(text)
		if !state.Live() && !state.Terminal() {
			return selection, malformed("query parameter state: must be one of queued, running, waiting, draining, succeeded, " +
				"refused, failed, cancelled, exhausted")
		}
		selection.States = append(selection.States, state)
	}
	for _, text := range q.all("label") {
		name, value, ok := strings.Cut(text, ":")
		if !ok || name == "" {
			return selection, malformed("query parameter label: must be name:value")
		}
		if _, twice := selection.Labels[name]; twice {
			return selection, malformed("query parameter label: a run has one value for each name")
		}
		if selection.Labels == nil {
			selection.Labels = make(map[string]string)
		}
		selection.Labels[name] = value
	}
	if selection.Text, err = q.one("q"); err != nil {
		return selection, err
	}
	if selection.Since, err = q.time("since"); err != nil {
		return selection, err
	}
	if selection.Until, err = q.time("until"); err != nil {
		return selection, err
	}
	before, err := q.one("before")
	if err != nil {
		return selection, err
	}
	if before != "" {
		if selection.Before, err = contracts.ParseRunID(before); err != nil {
			return selection, malformed("query parameter before: must be a run id")
		}
	}
	limit, err := q.number("limit", rows, 1, maxRuns)
	selection.Limit = int(limit)
	return selection, err
}

// getRun answers GET /runs/{id} with the run folded up to its last event.
func (a *API) getRun(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	snapshot, err := a.Intake.Snapshot(r.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, snapshot)
}

// getTask answers GET /runs/{id}/task with the TaskSpec as it was sent, without the content of sensitive inputs; whole for
// the holder of the run's lease.
func (a *API) getTask(w http.ResponseWriter, r *http.Request) error {
	id, err := readsRun(r)
	if err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	task, err := holder.TaskFor(r.Context(), id)
	if err != nil {
		return err
	}
	shown, err := a.shownTask(task)
	if err != nil {
		return err
	}
	return writeBody(w, http.StatusOK, mediaJSON, shown)
}

// readsRun returns the run of a request that has no parameters and reads JSON.
func readsRun(r *http.Request) (contracts.RunID, error) {
	id, err := runID(r)
	if err != nil {
		return "", err
	}
	if err := noQuery(r); err != nil {
		return "", err
	}
	_, err = negotiate(r, mediaJSON)
	return id, err
}
