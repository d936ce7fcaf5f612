package parts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"axiom25/contracts"
)

// Count writes a number with three figures and k or M behind it: 5.1 k, 128 k, 1 M.
func Count(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10)
	case n < 999_500:
		return figures(float64(n)/1e3) + " k"
	}
	return figures(float64(n)/1e6) + " M"
}

// figures writes v with one decimal below 100, and without a trailing .0.
func figures(v float64) string {
	if v >= 99.95 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// Duration writes milliseconds in the one or two units that matter: 12 ms, 1.4 s, 12 s, 2 min 5 s, 1 h, 3 d.
func Duration(ms int64) string {
	s := ms / 1000
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", max(ms, 0))
	case ms < 10_000:
		return figures(float64(ms)/1000) + " s"
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 86_400:
		return two(s/3600, "h", s%3600/60, "min")
	}
	return two(s/86_400, "d", s%86_400/3600, "h")
}

func two(major int64, majorUnit string, minor int64, minorUnit string) string {
	if minor == 0 {
		return fmt.Sprintf("%d %s", major, majorUnit)
	}
	return fmt.Sprintf("%d %s %d %s", major, majorUnit, minor, minorUnit)
}

// Age writes how long ago t was in its largest unit: 12 s, 5 min, 3 h, 2 d.
func Age(now, t contracts.Time) string { return Roughly(now.Sub(t)) }

// Roughly writes milliseconds in their largest unit, cut: 12 s, 5 min, 3 h, 2 d.
func Roughly(ms int64) string {
	s := max(ms, 0) / 1000
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", s/60)
	case s < 86_400:
		return fmt.Sprintf("%d h", s/3600)
	}
	return fmt.Sprintf("%d d", s/86_400)
}

// Money writes millionths of a US dollar: $0.0012, $1.25.
func Money(micro int64) string {
	switch {
	case micro == 0:
		return "$0"
	case micro < 10_000:
		return "$" + strings.TrimRight(strconv.FormatFloat(float64(micro)/1e6, 'f', 6, 64), "0")
	}
	return "$" + strconv.FormatFloat(float64(micro)/1e6, 'f', 2, 64)
}

// Bytes writes a size: 512 B, 1.2 kB, 3.4 MB.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return figures(float64(n)/1e3) + " kB"
	}
	return figures(float64(n)/1e6) + " MB"
}

// Rate writes how much happens a second, or a minute where it is less than one a second: 410 tok/s, 12 calls/min.
func Rate(perSecond float64, unit string) string {
	switch {
	case perSecond >= 10:
		return Count(int64(perSecond+0.5)) + " " + unit + "/s"
	case perSecond >= 1:
		return figures(perSecond) + " " + unit + "/s"
	}
	return figures(perSecond*60) + " " + unit + "/min"
}

// ClockMS writes the time of day in the reader's zone to the millisecond.
func ClockMS(t contracts.Time) string { return t.Std().In(time.Local).Format("15:04:05.000") } //nolint:gosmopolitan // as above

// Score writes a score within 0..1 with two decimals.
func Score(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// Clock writes the time of day in the reader's zone.
func Clock(t contracts.Time) string { return t.Std().In(time.Local).Format("15:04:05") } //nolint:gosmopolitan // the reader's zone is meant

// ShortID writes a long id by its first and last characters.
func ShortID(id string) string {
	if len(id) <= 14 {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

// ShortDigest writes a digest by its first 12 hexadecimal digits.
func ShortDigest(d contracts.Digest) string {
	digits := strings.TrimPrefix(string(d), "sha256:")
	return digits[:min(12, len(digits))]
}

// PrettyJSON writes a JSON value for reading: on one line where it is short, else indented. What is not JSON
// stays as it is.
func PrettyJSON(value []byte) string {
	const line = 72
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return string(value)
	}
	if compact.Len() <= line {
		return compact.String()
	}
	return IndentedJSON(compact.Bytes())
}

// IndentedJSON writes a JSON value on many lines. What is not JSON stays as it is.
func IndentedJSON(value []byte) string {
	var indented bytes.Buffer
	if err := json.Indent(&indented, value, "", "  "); err != nil {
		return string(value)
	}
	return indented.String()
}
