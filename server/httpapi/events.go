package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"axiom25/contracts"
	"axiom25/server/intake"
	"axiom25/server/journal"
)

// How much a page of events has.
const (
	defaultEvents = 256
	maxEvents     = contracts.MaxBatchEvents
	maxEventBytes = 1 << 20
)

// maxWait is how long a request may wait for events, in milliseconds.
const maxWait = 30_000

// maxSeq is the highest number that every JSON reader holds exactly, 2^53 − 1.
const maxSeq = 1<<53 - 1

// listEvents answers GET /runs/{id}/events with a page behind the cursor ?after=, as the journal holds it. A page may
// have fewer events than ?limit= though the run goes on: whoever wants all reads until an event has last_seq. With
// ?wait= the answer waits for an event where there is none. A cursor ahead of the run gets an empty page, whose
// last_seq says so.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	q, err := parseQuery(r, "after", "limit", "wait")
	if err != nil {
		return err
	}
	after, err := q.number("after", 0, 0, maxSeq)
	if err != nil {
		return err
	}
	limit, err := q.number("limit", defaultEvents, 1, maxEvents)
	if err != nil {
		return err
	}
	wait, err := q.number("wait", 0, 0, maxWait)
	if err != nil {
		return err
	}
	media, err := negotiate(r, mediaJSON, mediaNDJSON)
	if err != nil {
		return err
	}

	cursor := contracts.Seq(after)
	page, err := a.Journal.Read(r.Context(), id, cursor, int(limit), maxEventBytes)
	atEnd := err == nil && len(page.Events) == 0 && page.Last == cursor && !page.State.Terminal()
	if atEnd && wait > 0 {
		if err := a.await(r.Context(), id, cursor, time.Duration(wait)*time.Millisecond); err != nil {
			return err
		}
		page, err = a.Journal.Read(r.Context(), id, cursor, int(limit), maxEventBytes)
	}
	// What comes before damage is good, and last_seq says that it is not all: the next page is the problem.
	if err != nil && len(page.Events) == 0 {
		return err
	}
	if media == mediaNDJSON {
		return writeBody(w, http.StatusOK, mediaNDJSON, ndjson(page))
	}
	return writeBody(w, http.StatusOK, mediaJSON, eventPage(page))
}

// await returns when the run has an event behind the cursor, or when the time is up or the server closes.
func (a *API) await(ctx context.Context, id contracts.RunID, after contracts.Seq, wait time.Duration) error {
	if !a.admission.wait() {
		return contracts.NewProblem(contracts.ProblemOverloaded, "too many requests wait for events")
	}
	defer a.admission.leave()
	ctx, done := a.streams.untilClosed(ctx)
	defer done()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	cur := a.Hub.Follow(id, after)
	defer cur.Close()
	_, err := cur.Next(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(context.Cause(ctx), errClosing) {
		return nil
	}
	if err != nil && ctx.Err() != nil {
		return err
	}
	return nil // what is wrong with the journal, the read that follows meets as well
}

// eventPage returns a contracts.EventPage around the stored bytes, which are JSON already.
func eventPage(page journal.Page) []byte {
	body := []byte(`{"events":[`)
	for i, ev := range page.Events {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, ev.JSON...)
	}
	body = append(body, `],"last_seq":`...)
	body = strconv.AppendInt(body, int64(page.Last), 10)
	return append(body, '}')
}

// ndjson returns one event a line.
func ndjson(page journal.Page) []byte {
	var body []byte
	for _, ev := range page.Events {
		body = append(append(body, ev.JSON...), '\n')
	}
	return body
}

// appendEvents answers POST /runs/{id}/events with what was stored. With ?after= the same request again gets the same
// answer; without, it appends again. A client that accepts NDJSON alone keeps its request open: see ingest.
func (a *API) appendEvents(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	q, err := parseQuery(r, "after")
	if err != nil {
		return err
	}
	const absent = -1
	number, err := q.number("after", absent, 0, maxSeq)
	if err != nil {
		return err
	}
	var after *contracts.Seq
	if number != absent {
		seq := contracts.Seq(number)
		after = &seq
	}
	media, err := negotiate(r, mediaJSON, mediaNDJSON)
	if err != nil {
		return err
	}
	if media == mediaNDJSON {
		return a.ingest(w, r, id, after)
	}
	body, err := readBody(w, r, contracts.MaxBatchBytes, mediaNDJSON, mediaJSON)
	if err != nil {
		return err
	}
	events, err := contracts.DecodeEngineEvents(body)
	if err != nil {
		return err
	}
	holder, err := a.holder(r)
	if err != nil {
		return err
	}
	var origin *journal.Origin
	if after != nil {
		origin = &journal.Origin{After: *after, Digest: contracts.DigestText(body)}
	}
	stored, err := holder.Report(r.Context(), id, events, origin)
	if err != nil {
		return err
	}
	return writeBody(w, http.StatusOK, mediaJSON, appended(stored))
}

// appended returns a contracts.Appended around the stored bytes, which are JSON already.
func appended(stored intake.Stored) []byte {
	size := 64
	for _, line := range stored.Lines {
		size += len(line) + 1
	}
	body := append(make([]byte, 0, size), `{"seq":`...)
	body = strconv.AppendInt(body, int64(stored.Seq), 10)
	body = append(body, `,"events":`...)
	body = append(body, '[')
	for i, line := range stored.Lines {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, line...)
	}
	return append(body, "]}"...)
}
