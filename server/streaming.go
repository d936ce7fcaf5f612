package main

import (
	"errors"
	"time"

	"github.com/spf13/pflag"

	"axiom25/server/httpapi"
)

// streamingFlags are the flags of serve that are about streams.
type streamingFlags struct {
	mode         string
	maxViewers   int
	openRate     int
	replayMiB    int64
	drainViewers time.Duration
}

// add registers the flags.
func (f *streamingFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.mode, "streaming", "on", "whether to stream: on, or off where the network holds streams back; everything can be polled")
	flags.IntVar(&f.maxViewers, "max-viewers", 10_000, "how many streams and requests that wait for events may be open at once")
	flags.IntVar(&f.openRate, "open-rate", 1000, "how many streams may be opened a second; others are asked to come back")
	flags.Int64Var(&f.replayMiB, "replay-rate", 256, "how many MiB of history streams may be given a second")
	flags.DurationVar(&f.drainViewers, "drain-viewers", 5*time.Second,
		"over how long the viewers are sent away when the server stops, so that they do not all come back at once")
}

// apply checks the flags and puts them into the edge's configuration.
func (f *streamingFlags) apply(cfg *httpapi.Config) error {
	if f.mode != "on" && f.mode != "off" {
		return errors.New("--streaming: want on or off")
	}
	if f.maxViewers < 1 || f.openRate < 1 || f.replayMiB < 1 {
		return errors.New("--max-viewers, --open-rate, --replay-rate: want 1 or more")
	}
	cfg.NoStreaming = f.mode == "off"
	cfg.MaxViewers, cfg.OpenRate, cfg.ReplayRate = f.maxViewers, f.openRate, f.replayMiB<<20
	return nil
}
