package command_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"axiom25/app/command"
	"axiom25/contracts"
)

// answering returns a client whose every request is kept in asked and answered alike.
func answering(asked *command.Request, status int, body string) command.Client {
	return command.Client{Fetch: func(_ context.Context, r command.Request) (command.Response, error) {
		*asked = r
		return command.Response{Status: status, Body: []byte(body)}, nil
	}}
}

const (
	run      = contracts.RunID("run_01m81tqkhryw3vmma10cpw1nqk")
	approval = contracts.ApprovalID("apr_01m81tqkhryw3vmma10cpw1nqk")
)

func TestRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status     int
		body       string
		send       func(command.Client) error
		path, want string
	}{
		"lists runs by state": {
			200, `{"runs":[]}`,
			func(c command.Client) error {
				_, err := c.Runs(t.Context(), command.RunsQuery{States: []contracts.State{"running", "waiting"}, Limit: 5, Before: run})
				return err
			},
			"/runs?before=run_01m81tqkhryw3vmma10cpw1nqk&limit=5&state=running&state=waiting", "",
		},
		"lists runs by label, text and time": {
			200, `{"runs":[]}`,
			func(c command.Client) error {
				_, err := c.Runs(t.Context(), command.RunsQuery{
					Labels: []string{"team:a", "b:c d"}, Text: "moons & stars", Since: "2026-01-02T03:04:05Z", Until: "2026-01-03T00:00:00Z",
				})
				return err
			},
			"/runs?label=team%3Aa&label=b%3Ac+d&q=moons+%26+stars&since=2026-01-02T03%3A04%3A05Z&until=2026-01-03T00%3A00%3A00Z", "",
		},
		"cancels": {
			202, "", func(c command.Client) error { return c.Cancel(t.Context(), run) },
			"/runs/run_01m81tqkhryw3vmma10cpw1nqk/cancel", "{}",
		},
		"decides": {
			200, "{}",
			func(c command.Client) error {
				return c.Decide(t.Context(), run, approval, contracts.ApprovalDecision{Decision: contracts.VerbDeny, By: "me"})
			},
			"/runs/run_01m81tqkhryw3vmma10cpw1nqk/approvals/apr_01m81tqkhryw3vmma10cpw1nqk", `{"decision":"deny","by":"me"}`,
		},
		"creates": {
			201, `{"run_id":"run_01m81tqkhryw3vmma10cpw1nqk"}`,
			func(c command.Client) error {
				created, err := c.Create(t.Context(), []byte(`{"goal":"x"}`), "key")
				if created.RunID != run {
					t.Errorf("created %q", created.RunID)
				}
				return err
			},
			"/runs", `{"goal":"x"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked command.Request
			if err := c.send(answering(&asked, c.status, c.body)); err != nil {
				t.Fatal(err)
			}
			if asked.Path != c.path || string(asked.Body) != c.want {
				t.Errorf("asked %s %s, want %s %s", asked.Path, asked.Body, c.path, c.want)
			}
			if name == "creates" && asked.Header["Idempotency-Key"] != "key" {
				t.Errorf("sent the header %v", asked.Header)
			}
		})
	}
}

func TestTaskHead(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]command.TaskHead{
		`{"goal":"g"}`:                   {Goal: "g"},
		`{"goal":"g","verification":{}}`: {Goal: "g", PassAt: 0.8},
		`{"goal":"g","verification":{"pass_at":0.5,"refuse_below":0.1}}`:       {Goal: "g", PassAt: 0.5, RefuseBelow: 0.1},
		`{"goal":"g","verification":{"pass_at":0}}`:                            {Goal: "g"},
		`{"goal":"g","verification":{"refuse_below":0.2,"something":"other"}}`: {Goal: "g", PassAt: 0.8, RefuseBelow: 0.2},
		`{"goal":"g","verification":{"refusal_threshold":0.9}}`:                {Goal: "g", PassAt: 0.9, RefuseBelow: 0.9},
	} {
		var asked command.Request
		want.Document = []byte(body)
		got, err := answering(&asked, 200, body).Task(t.Context(), run)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gives %+v, %v; want %+v", body, got, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()

	t.Run("a problem is returned as it was sent", func(t *testing.T) {
		t.Parallel()
		var asked command.Request
		err := answering(&asked, 409, `{"type":"/problems/run-finished","title":"The run has finished","status":409}`).Cancel(t.Context(), run)
		p, ok := errors.AsType[*contracts.Problem](err)
		if !ok || !p.Has(contracts.ProblemRunFinished) {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("a refusal by something else is a problem with its status", func(t *testing.T) {
		t.Parallel()
		var asked command.Request
		err := answering(&asked, 502, "<html>Bad gateway</html>").Cancel(t.Context(), run)
		p, ok := errors.AsType[*contracts.Problem](err)
		if !ok || p.Status != 502 || p.Title == "" {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("no answer is ErrUnreachable", func(t *testing.T) {
		t.Parallel()
		if err := (command.Client{}).Cancel(t.Context(), run); !errors.Is(err, command.ErrUnreachable) {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("an unreadable answer is an error", func(t *testing.T) {
		t.Parallel()
		var asked command.Request
		if _, err := answering(&asked, 200, "<html>").Runs(t.Context(), command.RunsQuery{}); err == nil {
			t.Fatal("took HTML for a list")
		}
	})
}
