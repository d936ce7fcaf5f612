package contracts

import (
	"errors"
	"time"
)

// Time is an instant with the precision of the wire: milliseconds since 1970-01-01T00:00:00Z, leap seconds
// not counted. It is written as RFC 3339 in UTC with three decimals and a Z.
type Time int64

// timeLayout is RFC 3339 (section 5.6) with the fixed precision that makes equal times equal bytes.
const timeLayout = "2006-01-02T15:04:05.000Z"

// timePattern says the same as ParseTime: from 1970, the days that each month has, no leap seconds.
const (
	leapYears   = `(?:19(?:7[26]|8[048]|9[26])|[2-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[3579][26])00)`
	monthDays   = `(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))`
	timePattern = `^(?:(?:19[7-9][0-9]|[2-9][0-9]{3})-` + monthDays + `|` + leapYears + `-02-29)` +
		`T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z$`
)

// ErrInvalidTime is returned for a text that is not a time as this package writes it.
var ErrInvalidTime = errors.New("time must be RFC 3339 in UTC with milliseconds, as in 2026-01-02T03:04:05.678Z")

// TimeOf returns t in milliseconds, rounded down.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// ParseTime reads the wire form and no other: equal times have equal texts.
func ParseTime(s string) (Time, error) {
	t, err := time.Parse(timeLayout, s)
	// Parse is lenient where Format is not: it takes a comma before the fraction, and more digits behind it.
	if err != nil || t.UnixMilli() < 0 || t.Format(timeLayout) != s {
		return 0, ErrInvalidTime
	}
	return TimeOf(t), nil
}

// Std returns the instant as the standard library's type, in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns the wire form.
func (t Time) String() string { return t.Std().Format(timeLayout) }

// Add returns the instant ms milliseconds later.
func (t Time) Add(ms int64) Time { return t + Time(ms) }

// Sub returns the milliseconds from u to t.
func (t Time) Sub(u Time) int64 { return int64(t - u) }

// MarshalJSON writes the wire form.
func (t Time) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timeLayout)+2)
	b = append(b, '"')
	b = t.Std().AppendFormat(b, timeLayout)
	return append(b, '"'), nil
}

// UnmarshalJSON reads the wire form; it returns ErrInvalidTime for anything else.
func (t *Time) UnmarshalJSON(b []byte) error {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return ErrInvalidTime
	}
	parsed, err := ParseTime(string(b[1 : len(b)-1]))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
