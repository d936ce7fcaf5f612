package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
	"axiom25/server/fanout"
	"axiom25/server/journal"
)

const (
	// maxStreamed is how many runs one connection shows.
	maxStreamed = 16
	// listed is how many rows a list's stream begins with where ?limit= does not say.
	listed = 200
	// rowPause is the least time between two groups of rows to one viewer, so that a busy run is 4 rows a second.
	rowPause = 250 * time.Millisecond
	// rowsAtOnce is how many rows are written together.
	rowsAtOnce = 256
)

// streamMany answers GET /stream: with ?run= the events of several runs, without the list of runs.
func (a *API) streamMany(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("run") {
		return a.streamRuns(w, r)
	}
	return a.streamList(w, r)
}

// --- several runs ----------------------------------------------------------------------------------------------------

// streamRuns answers GET /stream?run=…&run=… with the events of each run in the order of its seqs. A frame's id lists the
// cursors of all runs in the order of the parameters, so that the viewer resumes all of them by one.
func (a *API) streamRuns(w http.ResponseWriter, r *http.Request) error {
	q, err := parseQuery(r, "run", "after")
	if err != nil {
		return err
	}
	ids, err := runIDs(q)
	if err != nil {
		return err
	}
	if err := a.streamable(r, contracts.LinksOf(ids[0]).Events+"?after=SEQ&wait=30000, and so for each run"); err != nil {
		return err
	}
	v, err := a.admit(w, r, kindRuns)
	if v == nil {
		return err
	}
	defer v.release()

	text, given := cursorText(r, q)
	src, resets, err := a.openRuns(r.Context(), v.bell, ids, text, given)
	if err != nil {
		return a.cannotBegin(w, r, err)
	}
	v.source = src
	if src.over() && resets == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return a.serveStream(w, r, v, opening{reset: resets}, nil)
}

// runIDs returns the runs that a query names.
func runIDs(q query) ([]contracts.RunID, error) {
	texts := q.all("run")
	if len(texts) > maxStreamed {
		return nil, malformed("query parameter run: at most " + strconv.Itoa(maxStreamed) + " runs on one connection")
	}
	ids := make([]contracts.RunID, len(texts))
	known := make(map[contracts.RunID]bool, len(texts))
	for i, text := range texts {
		id, err := contracts.ParseRunID(text)
		if err != nil {
			return nil, malformed("query parameter run: must be a run id")
		}
		if known[id] {
			return nil, malformed("query parameter run: give each run once")
		}
		known[id], ids[i] = true, id
	}
	return ids, nil
}

// runsSource shows several runs.
type runsSource struct {
	cursors []*fanout.Cursor // nil where the run's last event was sent
	seqs    []contracts.Seq  // the viewer's cursors
	next    int              // who is asked first, so that a busy run does not keep the others away
}

// openRuns opens the streams of runs behind the cursors that text lists, and returns the frames that say which of them
// have to begin anew. Errors are those of the first run that cannot be read.
func (a *API) openRuns(ctx context.Context, bell *fanout.Bell, ids []contracts.RunID, text string, given bool) (*runsSource, []byte, error) {
	s := &runsSource{cursors: make([]*fanout.Cursor, len(ids)), seqs: make([]contracts.Seq, len(ids))}
	valid := !given || s.resume(text)
	lasts, anew := make([]contracts.Seq, len(ids)), make([]bool, len(ids))
	for i, id := range ids {
		s.cursors[i] = a.Hub.FollowBy(bell, id, s.seqs[i])
		page, err := a.Journal.Read(ctx, id, s.seqs[i], 1, 1)
		if err != nil && len(page.Events) == 0 {
			s.close()
			return nil, nil, err
		}
		lasts[i], anew[i] = page.Last, !valid || page.Last < s.seqs[i]
		switch {
		case page.Last < s.seqs[i]:
			s.cursors[i].Close()
			s.seqs[i] = 0
			s.cursors[i] = a.Hub.FollowBy(bell, id, 0)
		case page.Last == s.seqs[i] && page.State.Terminal():
			s.end(i)
		}
	}
	var resets []byte
	for i, id := range ids {
		if anew[i] {
			m := &sse.Message{ID: sse.ID(string(s.appendID(nil))), Type: sse.Type("reset")}
			m.AppendData(`{"run_id":"` + id.String() + `","last_seq":` + strconv.FormatInt(int64(lasts[i]), 10) + `}`)
			resets = append(resets, encoded(m)...)
		}
	}
	return s, resets, nil
}

// resume takes the viewer's cursors from an id that a frame had; it reports whether that is one of this list's.
func (s *runsSource) resume(text string) bool {
	parts := strings.Split(text, ",")
	if len(parts) != len(s.seqs) {
		return false
	}
	for i, part := range parts {
		seq, ok := parseCursor(part)
		if !ok {
			clear(s.seqs)
			return false
		}
		s.seqs[i] = seq
	}
	return true
}

// appendID appends the viewer's cursors.
func (s *runsSource) appendID(b []byte) []byte {
	for i, seq := range s.seqs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(seq), 10)
	}
	return b
}

// over reports whether the last event of every run was sent.
func (s *runsSource) over() bool {
	for _, c := range s.cursors {
		if c != nil {
			return false
		}
	}
	return true
}

// end lets a run go whose last event was sent.
func (s *runsSource) end(i int) {
	s.cursors[i].Close()
	s.cursors[i] = nil
}

// poll implements source: a batch of the next run that has one.
func (s *runsSource) poll(ctx context.Context, buffer *bytes.Buffer) ([]byte, int64, error) {
	for range s.cursors {
		i := s.next
		s.next = (s.next + 1) % len(s.cursors)
		if s.cursors[i] == nil {
			continue
		}
		before := s.cursors[i].Replayed()
		frames, err := s.cursors[i].Poll(ctx)
		for _, f := range frames {
			s.seqs[i] = f.Seq
			b := append(buffer.AvailableBuffer(), "id: "...)
			b = append(s.appendID(b), "\ndata: "...)
			buffer.Write(append(append(b, f.JSON...), "\n\n"...))
		}
		history := s.cursors[i].Replayed() - before
		if errors.Is(err, io.EOF) {
			s.end(i)
			err = nil
		}
		if len(frames) > 0 || err != nil {
			return buffer.Bytes(), history, err
		}
	}
	if s.over() {
		return nil, 0, io.EOF
	}
	return nil, 0, nil
}

// drained implements source.
func (*runsSource) drained() bool { return false }

// close implements source.
func (s *runsSource) close() {
	for i, c := range s.cursors {
		if c != nil {
			s.end(i)
		}
	}
}

// --- the list --------------------------------------------------------------------------------------------------------

// streamList answers GET /stream with the list of runs: first `event: list` with the newest, as GET /runs has them, then
// a frame with its row for each run that changes. Frames have no ids: who comes back gets the list.
func (a *API) streamList(w http.ResponseWriter, r *http.Request) error {
	selection, err := runQuery(r, listed, "state", "label", "q", "since", "until", "limit")
	if err != nil {
		return err
	}
	if err := a.streamable(r, "/runs with If-None-Match and wait=30000"); err != nil {
		return err
	}
	v, err := a.admit(w, r, kindList)
	if v == nil {
		return err
	}
	defer v.release()

	cursor, err := a.Hub.FollowRows(r.Context(), v.bell)
	if err != nil {
		return a.cannotBegin(w, r, err)
	}
	src := &listSource{api: a, cursor: cursor, selection: selection, bell: v.bell}
	v.source = src
	first, err := src.list(r.Context())
	if err != nil {
		return a.cannotBegin(w, r, err)
	}
	return a.serveStream(w, r, v, opening{chunk: first}, nil)
}

// listSource shows the list of runs.
type listSource struct {
	api       *API
	cursor    *fanout.RowCursor
	selection journal.Query
	bell      *fanout.Bell
	timer     *time.Timer // rings when the pause is over; nil before the first row
	next      time.Time   // when rows may be written again
}

// list returns the frame with the newest runs.
func (s *listSource) list(ctx context.Context) ([]byte, error) {
	runs, err := s.api.list(ctx, s.selection)
	if err != nil {
		return nil, err
	}
	body, err := contracts.Encode(runs)
	if err != nil {
		return nil, err
	}
	m := &sse.Message{Type: sse.Type("list")}
	m.AppendData(string(body))
	return encoded(m), nil
}

// poll implements source. Between two groups of rows lies rowPause, in which what a run does comes down to one row.
func (s *listSource) poll(ctx context.Context, buffer *bytes.Buffer) ([]byte, int64, error) {
	now := s.api.Now()
	if wait := s.next.Sub(now); wait > 0 {
		s.ringIn(wait)
		return nil, 0, nil
	}
	changed, all, fell := s.cursor.Take(rowsAtOnce)
	if fell {
		s.next = now.Add(rowPause)
		chunk, err := s.list(ctx)
		return chunk, 0, err
	}
	for _, row := range changed {
		if !s.shows(row) {
			continue
		}
		body, err := row.JSON()
		if err != nil {
			return buffer.Bytes(), 0, err
		}
		buffer.WriteString("data: ")
		buffer.Write(body)
		buffer.WriteString("\n\n")
	}
	if len(changed) > 0 && all {
		s.next = now.Add(rowPause)
		s.ringIn(rowPause) // the hub does not ring for what was not waited for
	} else if !all {
		s.bell.Ring() // where nothing of this is shown, the rest is still to be looked at
	}
	return buffer.Bytes(), 0, nil
}

// ringIn rings the viewer's bell after a time.
func (s *listSource) ringIn(wait time.Duration) {
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.bell.Ring)
		return
	}
	s.timer.Reset(wait)
}

// shows reports whether a changed row is for this viewer. One whose state is not asked for is shown once, when it takes
// on that state, so that the viewer knows that the run has left the list.
func (s *listSource) shows(row fanout.Row) bool {
	return row.Moved && matches(s.selection, row.Summary, false) || matches(s.selection, row.Summary, true)
}

// matches reports whether a row is what a query selects.
func matches(q journal.Query, row contracts.Summary, byState bool) bool {
	for name, value := range q.Labels {
		if had, ok := row.Labels[name]; !ok || had != value {
			return false
		}
	}
	if row.CreatedAt < q.Since || q.Until != 0 && row.CreatedAt >= q.Until {
		return false
	}
	if text := asciiLower(q.Text); !strings.Contains(asciiLower(row.Goal), text) && !strings.Contains(row.RunID.String(), text) {
		return false
	}
	return !byState || len(q.States) == 0 || slices.Contains(q.States, row.State)
}

// asciiLower is how journal.Query.Text is compared.
func asciiLower(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}

// drained implements source.
func (*listSource) drained() bool { return false }

// close implements source.
func (s *listSource) close() {
	s.cursor.Close()
	if s.timer != nil {
		s.timer.Stop()
	}
}

// --- the list, polled ------------------------------------------------------------------------------------------------

// listRuns answers GET /runs with the newest first. The answer has an ETag: with If-None-Match it is 304 while the list
// is the same, and with ?wait= that waits for a change.
func (a *API) listRuns(w http.ResponseWriter, r *http.Request) error {
	if _, err := negotiate(r, mediaJSON); err != nil {
		return err
	}
	selection, err := runQuery(r, defaultRuns, "state", "label", "q", "since", "until", "before", "limit", "wait")
	if err != nil {
		return err
	}
	wait, err := query{r.URL.Query()}.number("wait", 0, 0, maxWait)
	if err != nil {
		return err
	}
	body, tag, err := a.taggedList(r.Context(), selection)
	if err != nil {
		return err
	}
	if wait > 0 && tagMatches(r, tag) {
		if body, tag, err = a.changedList(r, selection, time.Duration(wait)*time.Millisecond); err != nil {
			return err
		}
	}
	w.Header().Set("ETag", tag)
	if tagMatches(r, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return writeBody(w, http.StatusOK, mediaJSON, body)
}

// changedList waits until a list is another than the one that the request knows, or the time is up.
func (a *API) changedList(r *http.Request, selection journal.Query, wait time.Duration) (body []byte, tag string, err error) {
	if !a.admission.wait() {
		return nil, "", contracts.NewProblem(contracts.ProblemOverloaded, "too many requests wait for a change")
	}
	defer a.admission.leave()
	ctx, done := a.streams.untilClosed(r.Context())
	defer done()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	bell := fanout.NewBell()
	cursor, err := a.Hub.FollowRows(ctx, bell)
	if err != nil {
		return nil, "", err
	}
	defer cursor.Close()
	for {
		for all := false; !all; {
			_, all, _ = cursor.Take(rowsAtOnce)
		}
		body, tag, err = a.taggedList(r.Context(), selection)
		if err != nil || !tagMatches(r, tag) {
			return body, tag, err
		}
		if bell.Wait(ctx) != nil {
			return body, tag, nil
		}
		pause(ctx, rowPause)
	}
}

// taggedList returns a list and its entity tag.
func (a *API) taggedList(ctx context.Context, selection journal.Query) (body []byte, tag string, err error) {
	list, err := a.list(ctx, selection)
	if err != nil {
		return nil, "", err
	}
	if body, err = contracts.Encode(list); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(body)
	return body, `"` + hex.EncodeToString(sum[:12]) + `"`, nil
}

// tagMatches reports whether the request knows what a tag stands for (RFC 9110, section 13.1.2).
func tagMatches(r *http.Request, tag string) bool {
	for _, line := range r.Header.Values("If-None-Match") {
		for known := range strings.SplitSeq(line, ",") {
			if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// list reads a list of runs.
func (a *API) list(ctx context.Context, selection journal.Query) (contracts.RunList, error) {
	runs, err := a.Journal.List(ctx, selection)
	if err != nil {
		return contracts.RunList{}, err
	}
	list := contracts.RunList{Runs: runs}
	if runs == nil {
		list.Runs = []contracts.Summary{}
	}
	if len(runs) == selection.Limit {
		rest := selection
		rest.Before, rest.Limit = runs[len(runs)-1].RunID, 1
		more, err := a.Journal.List(ctx, rest)
		if err != nil {
			return contracts.RunList{}, err
		}
		if len(more) > 0 {
			list.Next = rest.Before
		}
	}
	return list, nil
}
