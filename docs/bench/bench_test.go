package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stored is what the Go tool prints, with a log line between the results.
const stored = `measured: 2026-01-02
commit: abc
go: go1.26.0
cores: 2
memory: 4 GiB
kernel: Linux 6
goos: linux
pkg: axiom25/x
cpu: A processor
BenchmarkWork/ours-2         	     100	      3000 ns/op	      64 B/op
BenchmarkWork/ours-2         	     100	      1000 ns/op	      64 B/op
    x_test.go:9: a word about it
BenchmarkWork/ours-2         	     100	      2000 ns/op	      64 B/op
BenchmarkWork/floor-2        	     100	      4000 ns/op	      32 B/op
BenchmarkMany/a_b-2          	     100	   1500000 ns/op	         0.1250 p50-ms
BenchmarkMany/c-2            	     100	   2500000 ns/op
PASS
`

// rowsOf is a chapter with these rows.
func rowsOf(rows ...row) chapter {
	return chapter{name: "work", title: "Work", about: "About it.", suites: []suite{{folder: "x", rows: rows}}}
}

// workRows are the rows of stored.
func workRows() []row {
	return []row{
		{work: "the work", benchmark: "BenchmarkWork/ours", unit: "ns/op", floor: "BenchmarkWork/floor", goal: atMostFloor(1)},
		{work: "too much of it", benchmark: "BenchmarkWork/ours", unit: "ns/op", floor: "BenchmarkWork/floor", goal: atMostFloor(0.4), why: "Because."},
		{work: "the dearest", benchmark: "BenchmarkMany/*", unit: "ns/op", goal: atMost(2e6), why: "It is large."},
		{work: "half of them", benchmark: "BenchmarkMany/a_b", unit: "p50-ms", goal: atLeast(0.1)},
		{work: "memory", benchmark: "BenchmarkWork/ours", unit: "B/op"},
	}
}

// repository returns a bench over a folder that holds stored and a page that was rendered from it.
func repository(t *testing.T, c chapter) bench {
	t.Helper()
	b := bench{root: t.TempDir(), chapters: []chapter{c}}
	if err := os.MkdirAll(filepath.Dir(b.resultsFile(c)), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.resultsFile(c), kept([]byte(stored)), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPage(t *testing.T) {
	t.Parallel()
	b := repository(t, rowsOf(workRows()...))
	page, err := b.page()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\n## Work\n\nAbout it.\n",
		"\n| the work | 2 µs | 4 µs | 0.50 × | ≤ 1 × | met |\n",
		"\n| too much of it | 2 µs | 4 µs | 0.50 × | ≤ 0.4 × | missed [1] |\n",
		"\n| the dearest | 2.50 ms | – | – | ≤ 2 ms | missed [2] |\n",
		"\n| half of them | 0.12 ms | – | – | ≥ 0.10 ms | met |\n",
		"\n| memory | 64 B | – | – | – |  |\n",
		"\n[1] Because.\n\n[2] It is large.\n",
		"\nMeasured on 2026-01-02 at abc: A processor, 2 cores, 4 GiB of memory, Linux 6, go1.26.0.\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestAChapterThatWasNeverMeasuredSaysSo(t *testing.T) {
	t.Parallel()
	page, err := bench{root: t.TempDir(), chapters: []chapter{rowsOf(workRows()...)}}.page()
	if err != nil || !strings.Contains(string(page), "Not measured yet: `make bench BENCH=work` does.") {
		t.Errorf("%v\n%s", err, page)
	}
}

func TestARowWithoutItsBenchmarkIsNamed(t *testing.T) {
	t.Parallel()
	for _, missing := range []row{
		{benchmark: "BenchmarkGone", unit: "ns/op"},
		{benchmark: "BenchmarkWork/ours", unit: "gone/op"},
		{benchmark: "BenchmarkWork/ours", unit: "ns/op", floor: "BenchmarkGone"},
		{benchmark: "BenchmarkGone/*", unit: "ns/op"},
	} {
		_, err := repository(t, rowsOf(append(workRows(), missing)...)).page()
		if !errors.Is(err, errMissing) || !strings.Contains(err.Error(), "one") {
			t.Errorf("%+v: got %v", missing, err)
		}
	}
}

func TestABenchmarkWithoutARowIsNamed(t *testing.T) {
	t.Parallel()
	_, err := repository(t, rowsOf(workRows()[:1]...)).page()
	if !errors.Is(err, errUnclaimed) || !strings.Contains(err.Error(), "BenchmarkMany/c") {
		t.Errorf("got %v", err)
	}
}

func TestABenchmarkOfTheTreeThatNoChapterRunsIsNamed(t *testing.T) {
	t.Parallel()
	b := repository(t, rowsOf(workRows()...))
	source := filepath.Join(b.root, "x", "x_test.go")
	if err := os.MkdirAll(filepath.Dir(source), 0o750); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		source string
		want   error
	}{
		{"package x_test\n\nfunc BenchmarkWork(b *testing.B) {}\n\nfunc BenchmarkMany(b *testing.B) {}\n", nil},
		{"package x_test\n\nfunc BenchmarkNew(b *testing.B) {}\n", errUnclaimed},
	} {
		if err := os.WriteFile(source, []byte(c.source), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := unclaimed(b.root, b.chapters); !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		} else if err != nil && !strings.Contains(err.Error(), "BenchmarkNew") {
			t.Errorf("got %v", err)
		}
	}
}

func TestCheckFindsAnEditedPage(t *testing.T) {
	t.Parallel()
	b := repository(t, rowsOf(workRows()...))
	if err := b.render(); err != nil {
		t.Fatal(err)
	}
	if err := b.check(); err != nil {
		t.Errorf("a page that was just written: %v", err)
	}
	page, err := os.ReadFile(b.pageFile())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.pageFile(), []byte(strings.Replace(string(page), "2 µs", "1 µs", 1)), 0o600); err != nil { //nolint:gosec // the folder of this test
		t.Fatal(err)
	}
	if err := b.check(); !errors.Is(err, errStale) {
		t.Errorf("got %v", err)
	}
}

func TestRunNamesAnUnknownChapter(t *testing.T) {
	t.Parallel()
	if err := repository(t, rowsOf(workRows()...)).run(t.Context(), []string{"walk"}); err == nil || !strings.Contains(err.Error(), "[work]") {
		t.Errorf("got %v", err)
	}
}

func TestResultsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"BenchmarkWork-2 many 5 ns/op", "BenchmarkWork-2 5 many ns/op", "BenchmarkWork-2 5 5 ns/op 7",
	} {
		if _, err := readResults(strings.NewReader(line)); !errors.Is(err, errFormat) {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func TestFiguresAreWrittenForReaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{12.34, "ns/op", "12.3 ns"},
		{999, "ns/op", "999 ns"},
		{14_451, "ns/op", "14.5 µs"},
		{20e6, "ns/op", "20 ms"},
		{1e9, "ns/op", "1 s"},
		{195_432.1, "events/s", "195 000 events/s"},
		{1_234_567, "events/s", "1 230 000 events/s"},
		{0.015, "parse-ms", "0.015 ms"},
		{0, "B/op", "0 B"},
		{94, "allocs/op", "94 allocations"},
		{5.5, "server-µs/delivery", "5.50 µs/delivery"},
	} {
		if got := written(c.value, c.unit); got != c.want {
			t.Errorf("%v %s: got %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestTheMedianIsOfAllRuns(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 7: {7}} {
		if got := median(values); got != want {
			t.Errorf("%v: got %v, want %v", values, got, want)
		}
	}
}

// TestTheTableIsWhole looks at each row of the project's own table.
func TestTheTableIsWhole(t *testing.T) {
	t.Parallel()
	for _, c := range chapters() {
		for _, s := range c.suites {
			if _, err := os.Stat(filepath.Join("..", "..", s.folder)); err != nil {
				t.Error(err)
			}
			for _, r := range s.rows {
				if r.work == "" || r.unit == "" || !s.tells(r.benchmark) || r.goal.ofFloor && r.floor == "" {
					t.Errorf("%s: %+v lacks something", c.name, r)
				}
			}
		}
	}
	if err := unclaimed("../..", chapters()); err != nil {
		t.Error(err)
	}
}
