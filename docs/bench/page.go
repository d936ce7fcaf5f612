package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// intro stands at the head of the page.
const intro = `# Benchmarks

Written by ` + "`make bench`" + ` from docs/benchmarks; do not edit.

What the project does, and how long that takes. Each row is one kind of work, with the **figure** that was measured: the median of
several runs. Where it has one, the **floor** stands beside it: the least that any program would have to do for the same work, such as
parsing the same bytes without judging them, or writing them to a plain file, measured in the same run on the same machine. The **ratio** is figure
divided by floor. The **goal** is what the project set itself before it was built; a goal with × is one for the ratio. Where a goal is missed,
a note says why.

Figures travel badly: another processor, another disk or a busy neighbour changes all of them, by half or more. Ratios travel better, since both
halves change alike. So compare ratios; and to compare figures, run ` + "`make bench`" + ` on your own machine (` + "`make bench BENCH=contracts`" + ` renews
one chapter and keeps the others). What was run, line by line, is in [benchmarks](benchmarks): ` + "`benchstat`" + ` reads it.
`

func (b bench) pageFile() string { return filepath.Join(b.root, "docs", "benchmarks.md") }

func (b bench) resultsFile(c chapter) string {
	return filepath.Join(b.root, "docs", "benchmarks", c.name+".txt")
}

// page renders what is stored. A chapter that was never measured says so.
func (b bench) page() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(intro)
	for _, c := range b.chapters {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n", c.title, c.about)
		stored, err := os.ReadFile(b.resultsFile(c))
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(&out, "Not measured yet: `make bench BENCH=%s` does.\n", c.name)
			continue
		}
		if err != nil {
			return nil, err
		}
		res, err := readResults(bytes.NewReader(stored))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.resultsFile(c), err)
		}
		if err := untold(c, res); err != nil {
			return nil, fmt.Errorf("%s: %w", b.resultsFile(c), err)
		}
		table, err := c.table(res)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.resultsFile(c), err)
		}
		out.WriteString(table)
		fmt.Fprintf(&out, "\nMeasured on %s at %s: %s, %s cores, %s of memory, %s, %s.\n", res.config["measured"], res.config["commit"],
			res.config["cpu"], res.config["cores"], res.config["memory"], res.config["kernel"], res.config["go"])
	}
	return out.Bytes(), nil
}

// table renders the rows of a chapter, and below it why goals were missed.
func (c chapter) table(res results) (string, error) {
	var out strings.Builder
	var notes []string
	out.WriteString("| work | figure | floor | ratio | goal | |\n|---|--:|--:|--:|--:|---|\n")
	for _, s := range c.suites {
		for _, r := range s.rows {
			cells, err := r.cells(res)
			if err != nil {
				return "", err
			}
			if cells.missed {
				why := r.why
				if why == "" {
					why = "The reason is not known yet."
				}
				notes = append(notes, why)
				cells.verdict = fmt.Sprintf("missed [%d]", len(notes))
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", r.work, cells.figure, cells.floor, cells.ratio, cells.goal, cells.verdict)
		}
	}
	for i, note := range notes {
		fmt.Fprintf(&out, "\n[%d] %s\n", i+1, note)
	}
	return out.String(), nil
}

// cells are what a row shows.
type cells struct {
	figure, floor, ratio, goal, verdict string
	missed                              bool
}

func (r row) cells(res results) (cells, error) {
	figure, err := res.figure(r.benchmark, r.unit)
	if err != nil {
		return cells{}, err
	}
	out := cells{figure: written(figure, r.unit), floor: "–", ratio: "–", goal: r.goal.words(r.unit)}
	ratio := 0.0
	if r.floor != "" {
		unit := r.floorUnit
		if unit == "" {
			unit = r.unit
		}
		floor, err := res.figure(r.floor, unit)
		if err != nil {
			return cells{}, err
		}
		ratio = figure / floor
		out.floor, out.ratio = written(floor, unit), fmt.Sprintf("%.2f ×", ratio)
	}
	if r.goal.set() {
		out.missed = !r.goal.met(figure, ratio)
		out.verdict = "met"
	}
	return out, nil
}
