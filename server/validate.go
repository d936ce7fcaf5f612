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

// check holds a document against a contract, a RunEvent as a saved stream, and returns the *contracts.Problem that it has, or nil.
func check(kind contracts.Kind, doc []byte) error {
	if kind == contracts.KindRunEvent {
		return checkStream(doc)
	}
	return contracts.Validate(kind, doc)
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
	for _, k := range contracts.Kinds() {
		names = append(names, string(k))
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
		kind, err := contractOf(doc, name)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := check(kind, doc); err != nil {
			invalid = true
			if err := writeProblem(out, file, doc, err); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(out, "%s: valid %s\n", file, kind); err != nil {
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

// contractOf returns the contract with this name or, where it is empty, the one that the document is recognised by.
func contractOf(doc []byte, name string) (contracts.Kind, error) {
	if name != "" {
		return contracts.ParseKind(name)
	}
	if kind, ok := contracts.Recognise(doc); ok {
		return kind, nil
	}
	return "", errors.New("cannot tell the contract; name it with --contract")
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
