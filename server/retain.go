package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"axiom25/server/retention"
)

// retentionFlags say for how long finished runs are kept.
type retentionFlags struct {
	age   time.Duration
	bytes string
}

// add defines the flags.
func (f *retentionFlags) add(flags *pflag.FlagSet) {
	flags.DurationVar(&f.age, "retain", 0, "how long finished runs are kept, as 720h; 0 keeps them for ever")
	flags.StringVar(&f.bytes, "retain-bytes", "0",
		"how much the journal may take, as 20GiB, before the oldest finished runs go; 0 is no bound")
}

// policy reads the flags.
func (f *retentionFlags) policy() (retention.Policy, error) {
	bytes, err := parseBytes(f.bytes)
	if err != nil {
		return retention.Policy{}, fmt.Errorf("--retain-bytes: %w", err)
	}
	if f.age < 0 {
		return retention.Policy{}, errors.New("--retain: want 0 or a time such as 720h")
	}
	return retention.Policy{Age: f.age, Bytes: bytes}, nil
}

// parseBytes reads a number of bytes, with KiB, MiB, GiB or TiB behind it or none (IEC 80000-13).
func parseBytes(text string) (int64, error) {
	digits, factor := text, int64(1)
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			digits, factor = number, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/factor {
		return 0, errors.New("want a number of bytes, such as 500MiB or 20GiB")
	}
	return n * factor, nil
}
