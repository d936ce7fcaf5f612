package timeline

import (
	"fmt"
	"strconv"
	"strings"
)

// The units of a tick, in milliseconds.
const (
	second = 1000
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// tickSteps are the distances that people count in.
var tickSteps = [...]int64{ //nolint:gochecknoglobals // a table that is only read
	1, 2, 5, 10, 20, 50, 100, 200, 500,
	second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second,
	minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
	hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day,
}

// tickStep is the shortest distance that people count in and that is not below a number of milliseconds.
func tickStep(least float64) int64 {
	for _, step := range tickSteps {
		if float64(step) >= least {
			return step
		}
	}
	step := tickSteps[len(tickSteps)-1]
	for float64(step) < least {
		step *= 2
	}
	return step
}

// tickLabel writes a time since the start as exactly as its step needs: 250 ms, 1.5 s, 12 s, 1:30, 1:02:00, 2 d 06:00.
func tickLabel(ms, step int64) string {
	decimals := 0
	for unit := int64(second); step%unit != 0; unit /= 10 {
		decimals++
	}
	switch {
	case ms < second && decimals > 0:
		return strconv.FormatInt(ms, 10) + " ms"
	case ms < minute:
		return strconv.FormatFloat(float64(ms)/second, 'f', decimals, 64) + " s"
	}
	var b strings.Builder
	if ms >= day {
		fmt.Fprintf(&b, "%d d %02d:%02d", ms/day, ms%day/hour, ms%hour/minute)
	} else if ms >= hour {
		fmt.Fprintf(&b, "%d:%02d", ms/hour, ms%hour/minute)
	} else {
		fmt.Fprintf(&b, "%d", ms/minute)
	}
	if ms < day || step < minute {
		fmt.Fprintf(&b, ":%02d", ms%minute/second)
	}
	if decimals > 0 {
		fmt.Fprintf(&b, ".%0*d", decimals, ms%second/pow10(3-decimals))
	}
	return b.String()
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
