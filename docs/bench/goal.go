package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// goal is what a figure should be. The zero value sets none.
type goal struct {
	limit float64
	// least says that more is better; ofFloor that the limit is a share of the floor rather than a figure.
	least, ofFloor bool
}

// atMost and atLeast bound a figure in its own unit, atMostFloor and atLeastFloor as a multiple of its floor.
func atMost(limit float64) goal       { return goal{limit: limit} }
func atLeast(limit float64) goal      { return goal{limit: limit, least: true} }
func atMostFloor(share float64) goal  { return goal{limit: share, ofFloor: true} }
func atLeastFloor(share float64) goal { return goal{limit: share, least: true, ofFloor: true} }

// set reports whether there is a goal.
func (g goal) set() bool { return g != goal{} }

// met compares a figure, or its ratio to the floor, with the goal. The ratio is what the page shows: two decimals.
func (g goal) met(figure, ratio float64) bool {
	value := figure
	if g.ofFloor {
		value = math.Round(ratio*100) / 100
	}
	if g.least {
		return value >= g.limit
	}
	return value <= g.limit
}

// words writes the goal for a reader.
func (g goal) words(unit string) string {
	if !g.set() {
		return "–"
	}
	sign := "≤ "
	if g.least {
		sign = "≥ "
	}
	if g.ofFloor {
		return sign + strconv.FormatFloat(g.limit, 'f', -1, 64) + " ×"
	}
	return sign + written(g.limit, unit)
}

// written is a figure as the page shows it: three digits that count, in a unit of a convenient size.
func written(value float64, unit string) string {
	if unit == "ns/op" {
		for _, step := range []struct {
			unit string
			size float64
		}{{"s", 1e9}, {"ms", 1e6}, {"µs", 1e3}} {
			if value >= step.size {
				return digits(value/step.size) + " " + step.unit
			}
		}
		return digits(value) + " ns"
	}
	return digits(value) + " " + unitWords(unit)
}

// unitWords is a unit of the testing package, or of a benchmark, for a reader.
func unitWords(unit string) string {
	switch unit {
	case "B/op":
		return "B"
	case "allocs/op":
		return "allocations"
	}
	if of, ok := strings.CutSuffix(unit, "-ms"); ok && of != "" {
		return "ms"
	}
	return strings.NewReplacer("server-", "", "cpu-us", "µs").Replace(unit)
}

// digits writes a number with three digits that count, and thousands apart.
func digits(value float64) string {
	if value >= 1000 {
		whole := strconv.FormatFloat(math.Round(value/magnitude(value))*magnitude(value), 'f', 0, 64)
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + " " + whole[i:]
		}
		return whole
	}
	decimals := 0
	switch {
	case value == 0 || value == math.Trunc(value):
	case value < 10:
		decimals = 2
	case value < 100:
		decimals = 1
	}
	if value != 0 && value < 0.1 {
		decimals = 3
	}
	return fmt.Sprintf("%.*f", decimals, value)
}

// magnitude is the size of the third digit of a number of four digits or more.
func magnitude(value float64) float64 { return math.Pow10(int(math.Floor(math.Log10(value))) - 2) }
