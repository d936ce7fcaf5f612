package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"axiom25/contracts"
)

// maxPollWait is the longest that a server waits for an event that is not there yet.
const maxPollWait = 30 * time.Second

// page is an answer of GET /runs/{id}/events. Its events stay the journal's bytes.
type page struct {
	Events  []json.RawMessage `json:"events"`
	LastSeq contracts.Seq     `json:"last_seq"`
}

// poll reads pages until the run is done. It returns what connect does.
func (f *follower) poll(ctx context.Context) error {
	for {
		var p page
		query := url.Values{
			"after": {strconv.FormatInt(int64(f.cursor), 10)},
			// Half as long as silence may last, so that an answer that waited is not taken for one that got lost.
			"wait": {strconv.FormatInt(max(1, min(maxPollWait, f.client.Quiet/2).Milliseconds()), 10)},
		}
		if err := f.ask(ctx, "/events", query, &p); err != nil {
			return err
		}
		if p.LastSeq < f.cursor {
			return ErrReset
		}
		for _, data := range p.Events {
			if err := f.handOn(data); err != nil || f.stopped {
				return err
			}
		}
		if len(p.Events) > 0 {
			continue
		}
		// An empty page comes at once where the run had ended at the cursor: then there is nothing to wait for.
		var run contracts.Snapshot
		if err := f.ask(ctx, "", nil, &run); err != nil {
			return err
		}
		if run.State.Terminal() && run.LastSeq == f.cursor {
			f.stopped = true
			return nil
		}
	}
}

// ask reads an answer about the run. The error is a *lostError where asking again may do better.
func (f *follower) ask(ctx context.Context, path string, query url.Values, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.client.Quiet, errSilent)
	defer cancel()
	req, err := f.client.request(ctx, http.MethodGet, "/runs/"+f.run.String()+path, http.NoBody)
	if err != nil {
		return err
	}
	req.URL.RawQuery = query.Encode()
	res, err := f.client.http.Do(req)
	if err != nil {
		return &lostError{cause: fmt.Errorf("server: %w", err)}
	}
	defer res.Body.Close() //nolint:errcheck // a body that was read or given up has nothing left to say

	if res.StatusCode != http.StatusOK {
		return refusal(res)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswerBytes)).Decode(out); err != nil {
		return &lostError{cause: fmt.Errorf("server's answer: %w", err)}
	}
	return nil
}
