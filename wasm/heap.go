package main

import (
	"runtime"
	"runtime/debug"
)

// heapRoom is how much may be allocated, in bytes, between two runs of the garbage collector while little is kept: a run ends with a
// pause that grows with it, of some 10 ms here and of 50 at 8 MiB. By Go's own rule, to wait until the heap has doubled, a tab that keeps
// 40 MB once would grow to 80 MB for good: a WebAssembly memory never shrinks.
const heapRoom = 2 << 20

// keepHeapSmall sets the pace of the garbage collector by what the last run has left, from its first run on.
func keepHeapSmall() {
	percent := uint64(100) // Go's own, until the first run: to ask what is there would hold a start up
	var collected func(*runCounter)
	collected = func(run *runCounter) {
		runtime.SetFinalizer(run, collected) // the next run finds it again
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		live := max(m.NextGC*100/(100+percent), 1<<20)
		percent = max(heapRoom, live/2) * 100 / live
		debug.SetGCPercent(int(percent)) //nolint:gosec // at most 200
	}
	runtime.SetFinalizer(&runCounter{}, collected)
}

// runCounter is what nothing holds, so that every run of the garbage collector finds it.
type runCounter struct{ _ [1]*int }
