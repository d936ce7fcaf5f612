package journal_test

import (
	"strings"
	"testing"

	"axiom25/server/journal"
)

func TestErrorsNameWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want []string
	}{
		{&journal.ConflictError{Run: "run_1", Last: 42}, []string{"run_1", "42"}},
		{&journal.KeyTakenError{Run: "run_1"}, []string{"run_1"}},
		{&journal.DamagedError{Run: "run_1", From: 7}, []string{"run_1", "7"}},
		{&journal.DamagedError{}, []string{"stored is damaged"}},
		{&journal.ToolConflictError{Name: "calculator", Version: "1.2.3"}, []string{"calculator@1.2.3"}},
	} {
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%T says %q, which does not name %s", c.err, c.err, want)
			}
		}
	}
}
