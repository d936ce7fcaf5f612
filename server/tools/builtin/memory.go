package builtin

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"time"
)

const (
	// memoryGrowth is how much the process may grow while a call computes, in bytes.
	memoryGrowth = 256 << 20
	// memoryLook is how often that is looked at. At the 1.5 GB/s at which a query can fill memory, a call ends
	// some 15 MB late.
	memoryLook = 10 * time.Millisecond
)

// memory watches the process's resident memory, since neither SQLite's build nor the jq interpreter can be held
// to a limit of their own. What other calls take counts as well; the limit is far above what calls need.
type memory struct {
	// resident returns the resident memory in bytes; ok is false where the system does not tell.
	resident func() (n int64, ok bool)
	growth   int64
}

func newMemory() memory { return memory{resident: residentMemory, growth: memoryGrowth} }

// watch returns a context that ends with ErrMemory when the process grows too much, and a function that ends
// the watch and waits for it.
func (m memory) watch(ctx context.Context) (context.Context, func()) {
	start, ok := m.resident()
	if !ok {
		return ctx, func() {}
	}
	watched, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		look := time.NewTicker(memoryLook)
		defer look.Stop()
		for {
			select {
			case <-watched.Done():
				return
			case <-look.C:
				if now, ok := m.resident(); ok && now-start > m.growth {
					cancel(ErrMemory)
					return
				}
			}
		}
	}()
	return watched, func() {
		cancel(nil)
		<-ended
	}
}

// residentMemory reads proc_pid_statm(5): the second field is the resident set in pages.
func residentMemory() (int64, bool) {
	line, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, false
	}
	return pages * int64(os.Getpagesize()), true
}
