package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// maxFileBytes bounds what is read of a file: far above a document's limit, so that the contract's own problem says
// what is too large, and enough for the stream of a long run.
const maxFileBytes = 256 << 20

// contract is a kind of document that validate knows.
type contract struct {
	name string
	// check returns the *contracts.Problem that the document has, or nil.
	check func(doc []byte) error
	// marks are members that documents of this contract have at the root, in one of the versions that are read, and those
	// of no other contract do.
	marks []string
}

// knownContracts returns the contracts by name.
func knownContracts() []contract {
	return []contract{
		{"taskspec", decodes[contracts.TaskSpec], []string{"goal"}},
		{"budget", decodes[contracts.Budget], []string{
			"max_tokens", "max_wall_ms", "max_active_ms", "branch_width", "reflection_passes", "max_tool_calls",
			"max_cost_microusd", "warn_pct", "on_exhausted", "reserve_tokens",
			"tokens", "time_s", "width", "reflection",
		}},
		{"verifycontract", decodes[contracts.VerifyContract], []string{
			"assertions", "scorers", "pass_at", "refuse_below", "refusal_threshold",
		}},
		{"toolspec", decodes[contracts.ToolSpec], []string{"input_schema", "effect"}},
		{"runevent", checkStream, []string{"seq", "run_id"}},
	}
}

// decodes holds a document against contract T.
func decodes[T any](doc []byte) error {
	_, err := contracts.Decode[T](doc)
	return err
}

// lineError is what is wrong in one line of an NDJSON file.
type lineError struct {
	// line counts from 1.
	line int
	err  error
}

// Error implements error.
func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

// Unwrap returns the cause.
func (e *lineError) Unwrap() error { return e.err }

// checkStream holds a saved stream, one event a line, against the invariants of a run. The stream may end before the
// run does. The error is a *lineError.
func checkStream(doc []byte) error {
	var state runstate.State
	number := 0
	for line := range bytes.Lines(doc) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		ev, err := contracts.DecodeEvent(line)
		if err == nil {
			err = state.Apply(ev)
		}
		if err != nil {
			return &lineError{line: number, err: err}
		}
	}
	return nil
}

// validateCommand holds files against a contract.
func validateCommand() *cobra.Command {
	var name string
	names := make([]string, 0, 5)
	for _, c := range knownContracts() {
		names = append(names, c.name)
	}
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check documents against their contracts, without a server",
		Long: `Check documents against their contracts, without a server. Each problem is one line,

  FILE:LINE:COLUMN: POINTER: what is wrong (CODE)

and FILE may be - for the standard input. A runevent file is a saved stream with one event a line, which is held
against the invariants of a run. Without --contract the contract is told by the members at the document's root.

What only a server can know is not checked: whether its catalogue has the tools and its ceiling lets the budget pass.

Exit codes:
  0  every document is valid
  1  wrong usage, or a file that cannot be read
  2  a document is not valid`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if name != "" && !slices.Contains(names, name) {
				return fmt.Errorf("--contract: want one of %s", strings.Join(names, ", "))
			}
			return validateFiles(cmd.InOrStdin(), cmd.OutOrStdout(), name, files)
		},
	}
	cmd.Flags().StringVar(&name, "contract", "", "what the files are: "+strings.Join(names, ", "))
	return cmd
}

// validateFiles checks every file, and reports a problem in one of them only when all were looked at.
func validateFiles(in io.Reader, out io.Writer, name string, files []string) error {
	invalid := false
	for _, file := range files {
		doc, err := readDocument(in, file)
		if err != nil {
			return err
		}
		c, err := contractOf(doc, name)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := c.check(doc); err != nil {
			invalid = true
			if err := writeProblem(out, file, doc, err); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(out, "%s: valid %s\n", file, c.name); err != nil {
			return err
		}
	}
	if invalid {
		return &outcomeError{Code: exitInvalid}
	}
	return nil
}

// readDocument reads a file, or the standard input where its name is a dash.
func readDocument(in io.Reader, file string) ([]byte, error) {
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the person at the command line names the file
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // nothing was written
		in = f
	}
	doc, err := io.ReadAll(io.LimitReader(in, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(doc) > maxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxFileBytes>>20)
	}
	return doc, nil
}

// contractOf returns the contract with this name or, where it is empty, the one whose marks the document bears. It
// does not guess: a document that bears none, or those of several, is an error. What is no JSON object is none of any
// contract, and every one of them says so alike.
func contractOf(doc []byte, name string) (contract, error) {
	members, ok := rootMembers(doc)
	if name == "" && !ok {
		return knownContracts()[0], nil
	}
	var found []contract
	for _, c := range knownContracts() {
		if c.name == name {
			return c, nil
		}
		if slices.ContainsFunc(c.marks, func(m string) bool { return slices.Contains(members, m) }) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		return contract{}, errors.New("cannot tell the contract; name it with --contract")
	}
	return found[0], nil
}

// rootMembers returns the names of the members of the first JSON value, as far as it can be read, and whether it is an
// object.
func rootMembers(doc []byte) ([]string, bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(doc), jsontext.AllowDuplicateNames(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.BeginObject.Kind() {
		return nil, false
	}
	var names []string
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			break
		}
		names = append(names, t.String())
		if dec.SkipValue() != nil {
			break
		}
	}
	return names, true
}

// writeProblem writes one line for each thing that is wrong in a document.
func writeProblem(out io.Writer, file string, doc []byte, cause error) error {
	first := 1
	if inLine, ok := errors.AsType[*lineError](cause); ok {
		first, cause = inLine.line, inLine.err
		doc = bytes.Join(bytes.SplitAfter(doc, []byte("\n"))[first-1:first], nil)
	}
	var problem *contracts.Problem
	if !errors.As(cause, &problem) || len(problem.Errors) == 0 {
		_, err := fmt.Fprintf(out, "%s:%d:1: %v\n", file, first, cause)
		return err
	}
	places := placesOf(doc)
	for _, e := range problem.Errors {
		line, column := position(doc, places.offset(e))
		_, err := fmt.Fprintf(out, "%s:%d:%d: %s: %s (%s)%s\n", file, first+line-1, column, e.Pointer, e.Detail, e.Code, suggestion(problem, e))
		if err != nil {
			return err
		}
	}
	if problem.Truncated != nil && *problem.Truncated {
		_, err := fmt.Fprintf(out, "%s: more problems follow\n", file)
		return err
	}
	return nil
}

// suggestion returns what would be right: the versions that are, or what an unknown name was probably meant to be.
func suggestion(p *contracts.Problem, e contracts.FieldError) string {
	if len(p.Supported) > 0 {
		return "; supported: " + strings.Trim(fmt.Sprint(p.Supported), "[]")
	}
	name, ok := e.Params["did_you_mean"].(string)
	if !ok {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", name)
}

// places holds where the values of a document begin, in bytes, by JSON Pointer.
type places map[string]int64

// placesOf reads a document as far as it goes.
func placesOf(doc []byte) places {
	at := places{}
	dec := jsontext.NewDecoder(bytes.NewReader(doc), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		size := 1
		var err error
		kind := dec.PeekKind()
		if kind == '{' || kind == '[' || kind == '}' || kind == ']' {
			_, err = dec.ReadToken()
		} else {
			var value jsontext.Value
			value, err = dec.ReadValue()
			size = len(value)
		}
		if err != nil {
			return at
		}
		if kind != '}' && kind != ']' {
			// A member's name is read before its value, and has the same pointer: the value's place stays.
			at[string(dec.StackPointer())] = dec.InputOffset() - int64(size)
		}
	}
}

// offset returns where an error's value begins. What is not there, as a required member is not, has the place of the
// nearest value around it.
func (p places) offset(e contracts.FieldError) int64 {
	if e.Offset != nil {
		return *e.Offset
	}
	pointer, err := url.PathUnescape(strings.TrimPrefix(e.Pointer, "#"))
	if err != nil {
		return 0
	}
	for {
		if at, ok := p[pointer]; ok {
			return at
		}
		cut := strings.LastIndexByte(pointer, '/')
		if cut < 0 {
			return 0
		}
		pointer = pointer[:cut]
	}
}

// position turns an offset in bytes into a line and a column, both from 1; a column is a character.
func position(doc []byte, offset int64) (line, column int) {
	before := doc[:min(max(offset, 0), int64(len(doc)))]
	line = 1 + bytes.Count(before, []byte("\n"))
	column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return line, column
}
