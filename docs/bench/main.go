// Command bench runs the project's benchmarks and writes what they found: docs/benchmarks/CHAPTER.txt as the Go tool
// prints it, and from all of those docs/benchmarks.md, where each figure stands beside its floor and its goal.
//
//	go run ./docs/bench             run every chapter
//	go run ./docs/bench contracts   run one, and keep the others as they stand
//	go run ./docs/bench -render     run nothing; write the page anew from the stored figures
//	go run ./docs/bench -check      run nothing; fail where the page is not what the stored figures give
//
// Run it at the root of the repository; `make bench` does. Another benchmark is one entry in chapters.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	check := flag.Bool("check", false, "run nothing, and fail where the page is not what the stored figures give")
	render := flag.Bool("render", false, "run nothing, and write the page from the stored figures")
	flag.Parse()
	b := bench{root: ".", chapters: chapters(), now: time.Now} //nolint:forbidigo // the one clock of this program
	var err error
	switch {
	case *check:
		err = b.check()
	case *render:
		err = b.render()
	default:
		err = b.run(ctx, flag.Args())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench renews the page of a repository.
type bench struct {
	root     string
	chapters []chapter
	now      func() time.Time
}

// run measures the chapters of these names, or all, and writes the page.
func (b bench) run(ctx context.Context, names []string) error {
	if err := unclaimed(b.root, b.chapters); err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(b.chapters, func(c chapter) bool { return c.name == name }) {
			return fmt.Errorf("there is no chapter %q; there are %v", name, chapterNames(b.chapters))
		}
	}
	for _, c := range b.chapters {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		if err := b.measure(ctx, c); err != nil {
			return fmt.Errorf("chapter %s: %w", c.name, err)
		}
	}
	return b.render()
}

// render writes the page from what is stored.
func (b bench) render() error {
	page, err := b.page()
	if err != nil {
		return err
	}
	return os.WriteFile(b.pageFile(), page, 0o644) //nolint:gosec // a page of the documentation
}

// errStale is a page that does not say what is stored.
var errStale = errors.New("is not what docs/benchmarks holds: make bench writes it")

// check fails where the page is not what the stored figures give, or a benchmark is in no chapter.
func (b bench) check() error {
	if err := unclaimed(b.root, b.chapters); err != nil {
		return err
	}
	want, err := b.page()
	if err != nil {
		return err
	}
	got, err := os.ReadFile(b.pageFile())
	if err != nil {
		return err
	}
	if string(got) != string(want) {
		return fmt.Errorf("%s %w", b.pageFile(), errStale)
	}
	return nil
}

func chapterNames(list []chapter) []string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.name
	}
	return names
}
