package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/server/client"
)

// cancelTimeout bounds the request that an interrupt leads to.
const cancelTimeout = 5 * time.Second

// serverFlags say which server a command speaks to and how it shows what it gets.
type serverFlags struct {
	server, token string
	json          bool
}

// add defines the flags.
func (s *serverFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&s.server, "server", "http://127.0.0.1:8025", "address of the server")
	flags.StringVar(&s.token, "token", "", "token that the server asks for")
	flags.BoolVar(&s.json, "json", false, "print the events as NDJSON, as they were sent")
}

// client returns a client that tells on stderr when it waits to connect again.
func (s *serverFlags) client(stderr io.Writer) (*client.Client, error) {
	c, err := client.New(s.server, s.token, &http.Client{})
	if err != nil {
		return nil, err
	}
	c.OnRetry = func(n client.Notice) {
		fmt.Fprintf(stderr, "axiom25: %v; connecting again in %s (attempt %d)\n", //nolint:errcheck // nobody is left to tell
			n.Cause, n.Wait.Round(10*time.Millisecond), n.Attempt)
	}
	return c, nil
}

// runCommand submits a task and follows it.
func runCommand() *cobra.Command {
	var server serverFlags
	var cancelOnInterrupt bool
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Submit a TaskSpec and follow its run",
		Long: `Submit a TaskSpec, from a file or from the standard input (-), and follow its run to the end. Ctrl-C leaves the
run going, unless --cancel-on-interrupt is given.

` + exitCodes,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := readDocument(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			c, err := server.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			created, err := c.Create(cmd.Context(), doc)
			if err != nil {
				return refused(cmd.ErrOrStderr(), args[0], doc, err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "axiom25: %s, watch it at %s%s\n", //nolint:errcheck // nobody is left to tell
				created.RunID, server.server, created.Links.Page)
			v := viewer{client: c, run: created.RunID, json: server.json, out: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr()}
			if cancelOnInterrupt {
				return v.followToEnd(cmd.Context())
			}
			return v.follow(cmd.Context())
		},
	}
	server.add(cmd.Flags())
	cmd.Flags().BoolVar(&cancelOnInterrupt, "cancel-on-interrupt", false, "let Ctrl-C cancel the run, and see it end")
	return cmd
}

// tailCommand follows a run that exists.
func tailCommand() *cobra.Command {
	var server serverFlags
	var after int64
	cmd := &cobra.Command{
		Use:   "tail RUN_ID",
		Short: "Follow a run from any event on",
		Long: `Follow a run, from its first event or from the one behind --after, to its end.

` + exitCodes,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := contracts.ParseRunID(args[0])
			if err != nil {
				return err
			}
			if after < 0 {
				return errors.New("--after: want the seq of an event, or 0")
			}
			c, err := server.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			v := viewer{
				client: c, run: id, json: server.json, out: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(),
				cursor: contracts.Seq(after),
			}
			return v.follow(cmd.Context())
		},
	}
	server.add(cmd.Flags())
	cmd.Flags().Int64Var(&after, "after", 0, "seq of the last event that is not wanted")
	return cmd
}

// refused turns the refusal of a task into the end of the process.
func refused(stderr io.Writer, file string, doc []byte, err error) error {
	var problem *contracts.Problem
	if !errors.As(err, &problem) || len(problem.Errors) == 0 {
		return err
	}
	if err := writeProblem(stderr, file, doc, problem); err != nil {
		return err
	}
	return &outcomeError{Code: exitInvalid, Err: problem}
}

// viewer shows one run.
type viewer struct {
	client      *client.Client
	run         contracts.RunID
	json        bool
	out, stderr io.Writer

	// cursor is the last event shown.
	cursor contracts.Seq
	// state is the run as far as it was shown; it is folded only where the viewer saw the run from its start.
	state  runstate.State
	folded bool
}

// followToEnd shows the run until it is done. When ctx ends it asks for the run's end, and goes on until then.
func (v *viewer) followToEnd(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
		defer cancel()
		if err := v.client.Cancel(ctx, v.run, "interrupted at the command line"); err != nil {
			fmt.Fprintln(v.stderr, "axiom25: cancel:", err) //nolint:errcheck // nobody is left to tell
		}
	})
	defer stop()
	return v.follow(context.WithoutCancel(ctx))
}

// follow shows the run until it is done, and returns its outcome: nil where it succeeded, an *outcomeError otherwise.
// When ctx ends it says how to come back.
func (v *viewer) follow(ctx context.Context) error {
	p := &printer{out: v.out, live: isTerminal(v.out)}
	v.folded = v.cursor == 0
	for ev, err := range v.client.Follow(ctx, v.run, v.cursor) {
		if ctx.Err() != nil {
			p.close()
			return v.detached()
		}
		if err != nil {
			p.close()
			return err
		}
		if err := v.show(p, ev); err != nil {
			p.close()
			return err
		}
		if done, ok := ev.Data.(*contracts.DoneData); ok {
			return outcome(done.Status)
		}
	}
	run, err := v.client.Snapshot(ctx, v.run) // it had ended before the cursor
	if err != nil {
		return err
	}
	return outcome(run.State)
}

// show writes one event, after it was held against the run so far.
func (v *viewer) show(p *printer, ev client.Event) error {
	if v.folded {
		if err := v.state.Apply(ev.RunEvent); err != nil {
			return fmt.Errorf("the server's stream cannot be right: %w", err)
		}
	}
	v.cursor = ev.Seq
	if !v.json {
		return p.event(ev.RunEvent)
	}
	_, err := v.out.Write(append(ev.JSON, '\n'))
	return err
}

// detached says that the run goes on.
func (v *viewer) detached() error {
	return &outcomeError{
		Code: exitDetached,
		Err:  fmt.Errorf("the run goes on; come back with: axiom25 tail %s --after %d", v.run, v.cursor),
	}
}

// outcome is how the process ends when a run ended in state s.
func outcome(s contracts.State) error {
	switch s {
	case contracts.StateSucceeded:
		return nil
	case contracts.StateFailed:
		return &outcomeError{Code: exitFailed}
	case contracts.StateRefused:
		return &outcomeError{Code: exitRefused}
	case contracts.StateExhausted:
		return &outcomeError{Code: exitExhausted}
	case contracts.StateCancelled:
		return &outcomeError{Code: exitCancelled}
	case contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining:
	}
	return fmt.Errorf("a run cannot end in state %s", s)
}

// isTerminal reports whether a person sees what is written to w as it comes.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
