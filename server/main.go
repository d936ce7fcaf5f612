// Command axiom25 serves, runs and follows AI-agent runs: `axiom25 serve` is the server, the other subcommands are
// its clients. Every flag has a twin in the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// What the process tells its caller. Those from exitFailed to exitCancelled are a run's outcome.
const (
	exitOK        = 0
	exitError     = 1 // wrong usage, or a server that cannot be reached or refuses
	exitInvalid   = 2 // a document that breaks its contract, or a task that the server cannot take
	exitFailed    = 3
	exitRefused   = 4
	exitExhausted = 5
	exitCancelled = 6
	exitDetached  = 130 // Ctrl-C, while the run goes on
)

// exitCodes is the part of a help text that says what the exit codes of a followed run are.
const exitCodes = `Exit codes:
  0    the run succeeded
  1    wrong usage, or the server cannot be reached or refuses the request
  2    the task is invalid, or asks for what the server does not have or allow
  3    the run failed
  4    the run was refused by its verification
  5    the run's budget was exhausted
  6    the run was cancelled
  130  interrupted; the run goes on without this viewer`

// outcomeError is an end of the process that is not a success. A nil Err was already told.
type outcomeError struct {
	Code int
	Err  error
}

// Error implements error.
func (e *outcomeError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *outcomeError) Unwrap() error { return e.Err }

func main() {
	os.Exit(execute(context.Background(), os.Args[1:]))
}

// execute runs one command line and returns the exit code.
func execute(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second Ctrl-C is nobody's but the system's

	root := rootCommand() //nolint:contextcheck // each command gets it from ExecuteContext
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitError
	if outcome, ok := errors.AsType[*outcomeError](err); ok {
		code, err = outcome.Code, outcome.Err
	}
	if err != nil {
		fmt.Fprintln(root.ErrOrStderr(), "axiom25:", err) //nolint:errcheck // nobody is left to tell
	}
	return code
}

// rootCommand returns the command line as a whole.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "axiom25",
		Short: "Contracts and streams for AI-agent runs",
		Long: `Axiom25 records runs of AI agents as durable streams of events, holds them to their budgets, tool gates and
verification, and shows them to any number of viewers.

Every flag can be given in the environment too: AXIOM25_ and the flag's name in capitals, with _ for -.
What stands on the command line wins.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags(), os.LookupEnv)
		},
	}
	root.AddCommand(
		serveCommand(), runCommand(), tailCommand(),
		validateCommand(), migrateCommand(), schemaCommand(),
		exportCommand(), importCommand(), checkCommand(), backupCommand(),
		versionCommand(),
	)
	for _, cmd := range root.Commands() {
		nameTwins(cmd.Flags())
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}
