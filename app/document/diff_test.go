package document_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"axiom25/app/document"
)

func written(lines []document.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(string(l.Kind) + l.Text + "\n")
	}
	return b.String()
}

// side is one of the two texts that lines compare.
func side(lines []document.Line, but document.LineKind) string {
	var texts []string
	for _, l := range lines {
		if l.Kind != but {
			texts = append(texts, l.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{"a", "a", " a\n"},
		{"", "a", "-\n+a\n"},
		{"a\nb\nc", "a\nc", " a\n-b\n c\n"},
		{"a\nc", "a\nb\nc", " a\n+b\n c\n"},
		{"a\nb\nc\nd", "a\nx\nc\ny", " a\n-b\n+x\n c\n-d\n+y\n"},
		{"{\n  \"v\": 1,\n  \"x\": 2\n}", "{\n  \"v\": 2,\n  \"x\": 2\n}", " {\n-  \"v\": 1,\n+  \"v\": 2,\n   \"x\": 2\n }\n"},
	} {
		if got := written(document.Diff(c.before, c.after)); got != c.want {
			t.Errorf("%q to %q is\n%swant\n%s", c.before, c.after, got, c.want)
		}
	}
}

// fewest is the least number of lines that are removed or added, by the longest common subsequence.
func fewest(a, b []string) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j], above)
			}
			diagonal = above
		}
	}
	return len(a) + len(b) - 2*row[len(b)]
}

func TestDiffOfAnyTexts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test that is the same each time
	text := func() string {
		lines := make([]string, r.IntN(12))
		for i := range lines {
			lines[i] = "abcd"[r.IntN(4):][:1]
		}
		return strings.Join(lines, "\n")
	}
	for range 5000 {
		before, after := text(), text()
		lines := document.Diff(before, after)
		if side(lines, document.LineAdded) != before || side(lines, document.LineRemoved) != after {
			t.Fatalf("%q to %q is\n%s", before, after, written(lines))
		}
		changed := 0
		for _, l := range lines {
			if l.Kind != document.LineKept {
				changed++
			}
		}
		if want := fewest(strings.Split(before, "\n"), strings.Split(after, "\n")); changed != want {
			t.Fatalf("%q to %q changes %d lines, %d would do:\n%s", before, after, changed, want, written(lines))
		}
	}
}

// TestDiffIsBounded compares texts that have nothing in common and are too long to be compared.
func TestDiffIsBounded(t *testing.T) {
	t.Parallel()
	before, after := strings.Repeat("a\n", 100_000), strings.Repeat("b\n", 100_000)
	lines := document.Diff("same\n"+before+"end", "same\n"+after+"end")
	if len(lines) != 200_002 || lines[0].Kind != document.LineKept || lines[1].Kind != document.LineRemoved || lines[200_000].Kind != document.LineAdded {
		t.Errorf("compares by %d lines", len(lines))
	}
}
