package pages

import (
	"testing"
	"time"

	"axiom25/contracts"
)

func TestTheFrameOfARunIsDrawnTenTimesASecond(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(0)
	var waits []time.Duration
	c := calm{later: func(wait time.Duration) { waits = append(waits, wait) }}
	running, waiting := urgent{state: contracts.StateRunning}, urgent{state: contracts.StateWaiting}
	for i, step := range []struct {
		at    time.Duration
		what  urgent
		drawn uint64 // the rendering that is shown
		waits int    // renderings that were asked for so far
	}{
		{0, running, 1, 0},
		{10 * time.Millisecond, running, 1, 1},
		{40 * time.Millisecond, running, 1, 1},
		{50 * time.Millisecond, waiting, 4, 1},
		{60 * time.Millisecond, waiting, 4, 2},
		{150 * time.Millisecond, waiting, 6, 2},
		{160 * time.Millisecond, waiting, 6, 3},
		{100 * time.Millisecond, waiting, 8, 3}, // the clock went back
	} {
		if got := c.draw(uint64(i+1), start.Add(step.at), step.what); got != step.drawn || len(waits) != step.waits {
			t.Errorf("rendering %d at %v shows %d after %d waits, want %d and %d", i+1, step.at, got, len(waits), step.drawn, step.waits)
		}
	}
	if waits[0] != 90*time.Millisecond {
		t.Errorf("the rendering that is owed comes %v later, want 90 ms", waits[0])
	}
}
