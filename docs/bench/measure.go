package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// count is how often each benchmark runs; the page shows the median.
const count = 5

// measure runs a chapter, a suite after the other so that none disturbs another, and stores what it prints.
func (b bench) measure(ctx context.Context, c chapter) error {
	var out bytes.Buffer
	if err := b.describe(ctx, &out); err != nil {
		return err
	}
	for _, s := range c.suites {
		args := []string{
			"test", "-run", "^$", "-bench", "^(" + strings.Join(s.functions(), "|") + ")$", "-benchmem", "-timeout", "2h",
			"-count", strconv.Itoa(count),
		}
		args = append(append(args, s.flags...), "./"+s.folder)
		fmt.Fprintln(os.Stderr, "go", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the arguments are this program's own
		cmd.Dir = b.root
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, os.Stderr), os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("benchmarks of %s: %w", s.folder, err)
		}
	}
	res, err := readResults(bytes.NewReader(out.Bytes()))
	if err != nil {
		return err
	}
	if err := untold(c, res); err != nil {
		return err
	}
	if _, err := c.table(res); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(b.resultsFile(c)), 0o755); err != nil { //nolint:gosec // a folder of the documentation
		return err
	}
	return os.WriteFile(b.resultsFile(c), kept(out.Bytes()), 0o644) //nolint:gosec // a file of the documentation
}

// kept leaves out what is no configuration and no result: logs, which differ each time.
func kept(out []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(out) {
		if bytes.HasPrefix(line, []byte("Benchmark")) && len(bytes.Fields(line)) >= 4 || configLine.Match(bytes.TrimSpace(line)) {
			b.Write(line)
		}
	}
	return b.Bytes()
}

// describe names the machine, the tree and the time, as configuration lines.
func (b bench) describe(ctx context.Context, w io.Writer) error {
	commit, err := b.output(ctx, "git", "rev-parse", "--short=12", "HEAD")
	if err != nil {
		return err
	}
	changed, err := b.output(ctx, "git", "status", "--porcelain", "--untracked-files=no", "--", "*.go", "go.mod", "web")
	if err != nil {
		return err
	}
	if changed != "" {
		commit += " with changes"
	}
	kernel, err := b.output(ctx, "uname", "-sr")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "measured: %s\ncommit: %s\ngo: %s\ncores: %d\nmemory: %s\nkernel: %s\n",
		b.now().UTC().Format(time.DateOnly), commit, runtime.Version(), runtime.NumCPU(), memory(), kernel)
	return err
}

// output returns what a program prints.
func (b bench) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // this program's own commands
	cmd.Dir = b.root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// memory returns what Linux says that the machine has.
func memory() string {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return "unknown"
	}
	defer file.Close() //nolint:errcheck // only read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseFloat(fields[1], 64); err == nil {
				return fmt.Sprintf("%.0f GiB", kib/(1<<20))
			}
		}
	}
	return "unknown"
}
