package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"axiom25/contracts"
)

// leaseHeader carries the token of a run's lease.
const leaseHeader = "Axiom25-Lease"

// claimWait is how long one request waits for a run, in milliseconds.
const claimWait = 30_000

var (
	// ErrLost says that the run is in another engine's hands, or has ended: what was not acknowledged is not stored.
	ErrLost = errors.New("the lease of the run is lost")
	// ErrNotAllowed says that a call was not let through: it was denied, its approval lapsed, or the run ended.
	ErrNotAllowed = errors.New("the call was not let through")
)

// Job is a run that this engine has claimed. Its methods may be called from any number of goroutines; reports are stored
// in the order in which the calls of Report return.
type Job struct {
	contracts.Claimed
	client *Client

	mu    sync.Mutex
	after contracts.Seq // the last event that the engine was told of
}

// Claim waits for a run of a backend and claims it. worker tells engines of one backend apart and may be empty. It asks
// again, with a growing wait, while the server cannot be reached. Errors: a *contracts.Problem where the server refuses, or
// the context's.
func (c *Client) Claim(ctx context.Context, backend, worker string) (*Job, error) {
	body, err := contracts.Encode(contracts.ClaimRequest{Backend: backend, Worker: worker, WaitMS: claimWait})
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	for {
		var claimed contracts.Claimed
		err := c.insist(ctx, func() error {
			claimed = contracts.Claimed{}
			return c.send(ctx, call{method: http.MethodPost, path: "/claims", body: body, out: &claimed})
		})
		if err != nil {
			return nil, err
		}
		if claimed.RunID != "" {
			return &Job{Claimed: claimed, client: c, after: claimed.EngineSeq}, nil
		}
	}
}

// Spec returns the task that the run was asked.
func (j *Job) Spec() (*contracts.TaskSpec, error) {
	return contracts.Decode[contracts.TaskSpec](j.Task)
}

// Report stores events on a branch, all or none, and returns them as stored, with what the server added. A request that
// got no answer is sent again, which stores nothing twice. Errors: ErrLost, a *contracts.Problem where the server refuses
// them, or the context's.
func (j *Job) Report(ctx context.Context, branch contracts.Branch, data ...contracts.EventData) (contracts.Appended, error) {
	events := make([]contracts.EngineEvent, len(data))
	for i, d := range data {
		events[i] = contracts.EngineEvent{SchemaVersion: contracts.Version, Type: d.EventType(), Branch: branch, Data: d}
	}
	return j.report(ctx, events)
}

func (j *Job) report(ctx context.Context, events []contracts.EngineEvent) (contracts.Appended, error) {
	body, err := contracts.Encode(events)
	if err != nil {
		return contracts.Appended{}, fmt.Errorf("report: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var stored contracts.Appended
	err = j.client.insist(ctx, func() error {
		stored = contracts.Appended{}
		return j.send(ctx, http.MethodPost, "/events?after="+strconv.FormatInt(int64(j.after), 10), body, &stored)
	})
	if err != nil {
		return contracts.Appended{}, err
	}
	j.after = stored.Seq
	return stored, nil
}

// Answer ends a pass. A result without Done asks for a revision. An answer is not sent twice: where it got no reply, the
// error says so, and the run's events tell what became of it.
func (j *Job) Answer(ctx context.Context, a contracts.Answer) (contracts.Judged, error) {
	body, err := contracts.Encode(a)
	if err != nil {
		return contracts.Judged{}, fmt.Errorf("answer: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var judged contracts.Judged
	if err := j.send(ctx, http.MethodPost, "/answer", body, &judged); err != nil {
		return contracts.Judged{}, err
	}
	j.after = judged.Seq
	return judged, nil
}

// Begin starts one attempt of a call and waits until it may go on. It returns the arguments to call the tool with: the
// engine's, or those that a human put in their place. Errors: ErrNotAllowed, and those of Report.
func (j *Job) Begin(ctx context.Context, branch contracts.Branch, start contracts.EngineToolStart) (json.RawMessage, error) {
	if start.Attempt == 0 {
		start.Attempt = 1
	}
	stored, err := j.Report(ctx, branch, &start)
	if err != nil {
		return nil, err
	}
	for i := range stored.Events {
		begun, ok := stored.Events[i].Data.(*contracts.ToolStartData)
		if !ok || begun.CallID != start.CallID {
			continue
		}
		if begun.Gate == contracts.GateAsk {
			return j.decided(ctx, stored.Events[i].Seq, begun.Approval.ID, start.Args)
		}
		if begun.Gate == contracts.GateDeny {
			return nil, ErrNotAllowed
		}
	}
	return start.Args, nil
}

// decided follows the run until a human has decided about a call, or nobody can any more.
func (j *Job) decided(ctx context.Context, after contracts.Seq, approval contracts.ApprovalID, args json.RawMessage) (json.RawMessage, error) {
	for ev, err := range j.client.Follow(ctx, j.RunID, after) {
		if err != nil {
			return nil, err
		}
		decision, ok := ev.Data.(*contracts.ApprovalData)
		if !ok || decision.ID != approval {
			continue
		}
		switch decision.Decision {
		case contracts.DecisionApproved:
			return args, nil
		case contracts.DecisionEdited:
			return decision.Args, nil
		case contracts.DecisionDenied, contracts.DecisionExpired, contracts.DecisionCancelled:
		}
		return nil, ErrNotAllowed
	}
	return nil, ErrNotAllowed // the run has ended
}

// Work calls f and keeps the lease meanwhile. f's context ends, with cause ErrLost, as soon as the lease is lost. Work
// returns what f returns.
func (j *Job) Work(ctx context.Context, f func(context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	var beats sync.WaitGroup
	beats.Go(func() { j.beat(ctx, stop) })
	defer beats.Wait()
	defer stop(nil)
	return f(ctx)
}

// beat renews the lease three times in the time that it lasts, until ctx ends or the lease is lost.
func (j *Job) beat(ctx context.Context, stop context.CancelCauseFunc) {
	ttl := time.Duration(j.Lease.TTLMS) * time.Millisecond
	lost := time.AfterFunc(ttl, func() { stop(ErrLost) })
	defer lost.Stop()
	for sleep(ctx, ttl/3) {
		switch err := j.send(ctx, http.MethodPut, "/lease", nil, nil); {
		case err == nil:
			lost.Reset(ttl)
		case errors.Is(err, ErrLost):
			stop(ErrLost)
			return
		}
	}
}

// GiveBack lets another engine go on with the run.
func (j *Job) GiveBack(ctx context.Context) error {
	return j.send(ctx, http.MethodDelete, "/lease", nil, nil)
}

// send makes a request for the run under its lease.
func (j *Job) send(ctx context.Context, method, path string, body []byte, out any) error {
	err := j.client.send(ctx, call{method: method, path: "/runs/" + j.RunID.String() + path, body: body, lease: j.Lease.Token, out: out})
	if problem, ok := errors.AsType[*contracts.Problem](err); ok && (problem.Has(contracts.ProblemLeaseLost) || problem.Has(contracts.ProblemRunFinished)) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	return err
}

// insist calls f again, with a growing wait, while what stands in its way may pass: no answer, or one that says that the
// server, or something before it, cannot do it now.
func (c *Client) insist(ctx context.Context, f func() error) error {
	for failures := 1; ; failures++ {
		err := f()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		wait := c.backoff(failures)
		if c.OnRetry != nil {
			c.OnRetry(Notice{Cause: err, Attempt: failures, Wait: wait})
		}
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// passing reports whether the same request may do better later.
func passing(err error) bool {
	if problem, ok := errors.AsType[*contracts.Problem](err); ok {
		return problem.Status == http.StatusServiceUnavailable || problem.Status == http.StatusTooManyRequests
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code == http.StatusBadGateway || status.Code == http.StatusServiceUnavailable || status.Code == http.StatusGatewayTimeout
	}
	return true // nobody answered
}

// call is a request and where its answer goes.
type call struct {
	method, path string
	body         []byte
	lease        string
	out          any // may be nil, and stays as it is where the answer has no body
}

// send makes one request. The error is a *contracts.Problem or a *StatusError where the server answered with one.
func (c *Client) send(ctx context.Context, r call) error {
	path, query, _ := bytes.Cut([]byte(r.path), []byte("?"))
	req, err := c.request(ctx, r.method, string(path), bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	req.URL.RawQuery = string(query)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.lease != "" {
		req.Header.Set(leaseHeader, r.lease)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // a body that was read or given up has nothing left to say
	if res.StatusCode >= http.StatusBadRequest {
		return problemOf(res)
	}
	if r.out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxReportBytes)).Decode(r.out); err != nil {
		return fmt.Errorf("server's answer: %w", err)
	}
	return nil
}

// maxReportBytes bounds what is read of an answer: a report's holds its events again, and what the server adds.
const maxReportBytes = 16 << 20
