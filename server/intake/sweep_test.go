package intake_test

import (
	"testing"
	"time"

	"axiom25/server/intake"
)

// TestSweepsGoOnAfterALongOne: a sweep that waited for an election must not keep orphans waiting for twenty times as long.
func TestSweepsGoOnAfterALongOne(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		time.Millisecond:       5 * time.Second,
		250 * time.Millisecond: 5 * time.Second,
		500 * time.Millisecond: 10 * time.Second,
		5 * time.Second:        15 * time.Second,
		time.Minute:            15 * time.Second,
	} {
		if got := intake.SweepPause(took); got != want {
			t.Errorf("after a sweep of %v the pause is %v, want %v", took, got, want)
		}
	}
}
