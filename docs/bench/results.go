package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results are the stored figures of a chapter.
type results struct {
	// config are the "key: value" lines, the last of each key: the machine and when.
	config map[string]string
	// samples are the values by benchmark and unit, one for each time that the benchmark ran.
	samples map[string]map[string][]float64
	// order are the benchmarks as they ran first.
	order []string
}

// configLine and cores are parts of the benchmark format (go.dev/design/14313-benchmark-format): a configuration line, and
// the number of processors that the testing package adds to a name.
var (
	configLine = regexp.MustCompile(`^([a-z][^\sA-Z]*):\s+(.*)$`) //nolint:gochecknoglobals // a table that is only read
	cores      = regexp.MustCompile(`-[0-9]+$`)                   //nolint:gochecknoglobals // as above
)

// errFormat is what is wrong with stored figures.
var errFormat = errors.New("no line of a benchmark")

// readResults reads the output of `go test -bench`. golang.org/x/perf reads it too, at the price of a cloud's whole client
// in the module graph.
func readResults(r io.Reader) (results, error) {
	res := results{config: make(map[string]string), samples: make(map[string]map[string][]float64)}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := configLine.FindStringSubmatch(lines.Text()); m != nil {
			res.config[m[1]] = m[2]
			continue
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue // the log of a benchmark, or the tool's last words
		}
		if err := res.add(fields); err != nil {
			return results{}, fmt.Errorf("%w: %q", err, lines.Text())
		}
	}
	return res, lines.Err()
}

// add takes one line: a name, how often it ran, and values with their units.
func (r *results) add(fields []string) error {
	name := cores.ReplaceAllString(fields[0], "")
	if _, err := strconv.Atoi(fields[1]); err != nil || len(fields)%2 != 0 {
		return errFormat
	}
	if r.samples[name] == nil {
		r.samples[name] = make(map[string][]float64)
		r.order = append(r.order, name)
	}
	for i := 2; i < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return errFormat
		}
		r.samples[name][fields[i+1]] = append(r.samples[name][fields[i+1]], value)
	}
	return nil
}

// errMissing is a figure that the table names and no benchmark gave.
var errMissing = errors.New("did not run")

// figure returns the median of a benchmark in a unit. A name that ends in /* means the greatest of its parts.
func (r *results) figure(name, unit string) (float64, error) {
	family, isFamily := strings.CutSuffix(name, "*")
	found, greatest := false, 0.0
	for _, candidate := range r.order {
		values := r.samples[candidate][unit]
		if len(values) == 0 || candidate != name && (!isFamily || !strings.HasPrefix(candidate, family)) {
			continue
		}
		greatest = max(greatest, median(values))
		found = true
	}
	if !found {
		return 0, fmt.Errorf("%s (%s) %w", name, unit, errMissing)
	}
	return greatest, nil
}

// median of values that there is at least one of.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// errUnclaimed is a benchmark that no row tells of.
var errUnclaimed = errors.New("is in no chapter: add it to docs/bench/chapters.go")

// benchmarkFunc is how a benchmark begins.
var benchmarkFunc = regexp.MustCompile(`(?m)^func (Benchmark\w*)\(`) //nolint:gochecknoglobals // a table that is only read

// unclaimed fails where the tree has a benchmark that no chapter names.
func unclaimed(root string, list []chapter) error {
	var missing []error
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		for _, m := range benchmarkFunc.FindAllSubmatch(source, -1) {
			if !claims(list, string(m[1])) {
				missing = append(missing, fmt.Errorf("%s: %s %w", path, m[1], errUnclaimed))
			}
		}
		return nil
	})
	return errors.Join(append(missing, err)...)
}

// claims reports whether a chapter runs a benchmark function.
func claims(list []chapter, function string) bool {
	return slices.ContainsFunc(list, func(c chapter) bool {
		return slices.ContainsFunc(c.suites, func(s suite) bool { return slices.Contains(s.functions(), function) })
	})
}

// untold returns the benchmarks that ran and that no row tells of.
func untold(c chapter, r results) error {
	var missing []error
	for _, name := range r.order {
		if !slices.ContainsFunc(c.suites, func(s suite) bool { return s.tells(name) }) {
			missing = append(missing, fmt.Errorf("%s %w", name, errUnclaimed))
		}
	}
	return errors.Join(missing...)
}
