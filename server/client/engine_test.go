package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/client"
	"axiom25/server/engine/enginetest"
	"axiom25/server/httpapi"
)

// house is a whole server on a real socket. between stands before it, and may break what it answers.
func house(t *testing.T, between func(next http.Handler) http.Handler) (*enginetest.House, *client.Client) {
	t.Helper()
	h := enginetest.Open(t, 0)
	api, err := httpapi.New(httpapi.Config{
		Intake: h.Intake, Journal: h.Journal, Hub: h.Hub, Catalogue: h.Catalogue, Engines: h.Engines, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(between(api))
	t.Cleanup(func() {
		api.Close()
		s.Close()
	})
	c, err := client.New(s.URL, "", s.Client())
	if err != nil {
		t.Fatal(err)
	}
	c.Backoff, c.MaxBackoff = time.Millisecond, 5*time.Millisecond
	return h, c
}

// asItIs breaks nothing.
func asItIs(next http.Handler) http.Handler { return next }

const external = `{"schema_version":2,"goal":"count the words","backend":{"prefer":["external"]}`

// putTool sets a tool that the engine carries out, and that a human is asked about.
func putTool(t *testing.T, h *enginetest.House) {
	t.Helper()
	spec, err := contracts.Decode[contracts.ToolSpec]([]byte(`{"schema_version":2,"name":"publish","version":"1.0.0","description":"publishes","input_schema":{"type":"object"},"effect":"write"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Catalogue.Put(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
}

// claim claims the one run that there is.
func claim(t *testing.T, c *client.Client, want contracts.RunID) *client.Job {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	job, err := c.Claim(ctx, contracts.ExternalEngine, "w")
	if err != nil || job.RunID != want {
		t.Fatalf("Claim = %+v, %v", job, err)
	}
	return job
}

func TestJob(t *testing.T) {
	t.Parallel()
	h, c := house(t, asItIs)
	id := h.Submit(t, []byte(external+`}`))
	job := claim(t, c, id)
	spec, err := job.Spec()
	if err != nil || spec.Goal != "count the words" {
		t.Fatalf("Spec = %+v, %v", spec, err)
	}
	err = job.Work(t.Context(), func(ctx context.Context) error {
		reporter := job.Reporter(ctx)
		for range 2500 { // more than a request may hold
			if err := reporter.Add("", &contracts.TokenData{ID: "a", Delta: "x", Attempt: 1, Channel: contracts.ChannelAnswer}); err != nil {
				return err
			}
		}
		if err := reporter.Close(); err != nil {
			return err
		}
		judged, err := job.Answer(ctx, contracts.Answer{MessageID: "a", Channel: contracts.ChannelAnswer, Text: strings.Repeat("x", 2500)})
		if err == nil && judged.Done == nil {
			err = errors.New("the run goes on")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if done := enginetest.Done(t, h.Await(t, id, nil)); done.Status != contracts.StateSucceeded {
		t.Errorf("ended %s", done.Status)
	}
	if _, err := job.Report(t.Context(), "", &contracts.ThoughtData{ID: "t", Delta: "late", Attempt: 1, Kind: contracts.ThoughtPlan}); !errors.Is(err, client.ErrLost) {
		t.Errorf("a report to an ended run = %v", err)
	}
}

func TestJob_Begin(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tool     contracts.ToolRef
		decision contracts.ApprovalDecision
		want     string
	}{
		"approved": {"publish", contracts.ApprovalDecision{Decision: contracts.VerbApprove}, `{"to":"all"}`},
		"edited":   {"publish", contracts.ApprovalDecision{Decision: contracts.VerbEdit, Args: json.RawMessage(`{"to":"few"}`)}, `{"to":"few"}`},
		"denied":   {"publish", contracts.ApprovalDecision{Decision: contracts.VerbDeny}, client.ErrNotAllowed.Error()},
		"unknown":  {"calculator", contracts.ApprovalDecision{}, client.ErrNotAllowed.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, c := house(t, asItIs)
			putTool(t, h)
			id := h.Submit(t, []byte(external+`,"allowed_tools":["publish"]}`))
			job := claim(t, c, id)
			got, ended := make(chan string, 1), make(chan struct{})
			go func() {
				defer close(ended)
				args, err := job.Begin(t.Context(), "", contracts.EngineToolStart{CallID: "c", Tool: tc.tool, Args: json.RawMessage(`{"to":"all"}`)})
				if err != nil {
					got <- err.Error()
				} else {
					got <- string(args)
					_, err = job.Report(t.Context(), "", &contracts.EngineToolEnd{CallID: "c", Status: contracts.CallOK, Output: json.RawMessage(`{}`)})
				}
				if err == nil || errors.Is(err, client.ErrNotAllowed) {
					_, err = job.Answer(t.Context(), contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"})
				}
				if err != nil {
					t.Error(err)
				}
			}()
			h.Await(t, id, func(ev contracts.RunEvent) {
				if start, ok := ev.Data.(*contracts.ToolStartData); ok && start.Approval != nil {
					if err := h.Decide(t.Context(), id, start.Approval.ID, tc.decision); err != nil {
						t.Error(err)
					}
				}
			})
			<-ended
			if args := <-got; args != tc.want {
				t.Errorf("got %s, want %s", args, tc.want)
			}
		})
	}
}

// An answer that gets lost on its way is asked for again, and nothing is stored twice.
func TestJob_Report_resends(t *testing.T) {
	t.Parallel()
	var requests, retries atomic.Int64
	h, c := house(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/events") || r.Method != http.MethodPost {
				next.ServeHTTP(w, r)
				return
			}
			switch requests.Add(1) % 3 {
			case 1: // stored, and the answer lost
				next.ServeHTTP(httptest.NewRecorder(), r)
				panic(http.ErrAbortHandler)
			case 2: // never arrived
				w.WriteHeader(http.StatusBadGateway)
			default:
				next.ServeHTTP(w, r)
			}
		})
	})
	c.OnRetry = func(client.Notice) { retries.Add(1) }
	id := h.Submit(t, []byte(external+`}`))
	job := claim(t, c, id)
	for range 5 {
		if _, err := job.Report(t.Context(), "", &contracts.ThoughtData{ID: "t", Delta: "x", Attempt: 1, Kind: contracts.ThoughtPlan}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := job.Answer(t.Context(), contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"}); err != nil {
		t.Fatal(err)
	}
	if thoughts := enginetest.Of[*contracts.ThoughtData](h.Await(t, id, nil)); len(thoughts) != 5 || retries.Load() < 10 {
		t.Errorf("%d thoughts after %d retries, want 5", len(thoughts), retries.Load())
	}
}

func TestJob_losesItsLease(t *testing.T) {
	t.Parallel()
	h, c := house(t, asItIs)
	id := h.Submit(t, []byte(external+`}`))
	job := claim(t, c, id)
	if err := job.GiveBack(t.Context()); err != nil {
		t.Fatal(err)
	}
	job.Lease.TTLMS = 300 // so that it asks soon
	err := job.Work(t.Context(), func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	if !errors.Is(err, client.ErrLost) {
		t.Errorf("Work = %v", err)
	}
	reporter := job.Reporter(t.Context())
	if err := reporter.Add("", &contracts.ThoughtData{ID: "t", Delta: "x", Attempt: 1, Kind: contracts.ThoughtPlan}); err != nil {
		t.Fatal(err)
	}
	if err := reporter.Close(); !errors.Is(err, client.ErrLost) {
		t.Errorf("Close = %v", err)
	}
	next := claim(t, c, id)
	if next.Lease.Epoch <= job.Lease.Epoch {
		t.Errorf("epoch %d behind %d", next.Lease.Epoch, job.Lease.Epoch)
	}
}

func TestClient_Claim_refused(t *testing.T) {
	t.Parallel()
	_, c := house(t, asItIs)
	var problem *contracts.Problem
	if _, err := c.Claim(t.Context(), "nobody", ""); !errors.As(err, &problem) || !problem.Has(contracts.ProblemUnavailable) {
		t.Errorf("Claim = %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Claim(ctx, contracts.ExternalEngine, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Claim = %v", err)
	}
}
