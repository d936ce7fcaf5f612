package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"axiom25/contracts"
)

// query is the query of an address. A parameter that is misspelt or given twice is a problem like any other: a list
// that is not filtered as asked must not look as if it were.
type query struct{ values url.Values }

// parseQuery reads the query of a request that may have the known parameters only.
func parseQuery(r *http.Request, known ...string) (query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query{}, malformed("the query of the address cannot be read")
	}
	for name := range values {
		if slices.Contains(known, name) {
			continue
		}
		if len(known) == 0 {
			return query{}, malformed("this route takes no query parameters")
		}
		return query{}, malformed("unknown query parameter; known here: " + strings.Join(known, ", "))
	}
	return query{values}, nil
}

// noQuery refuses parameters on a route that takes none.
func noQuery(r *http.Request) error {
	_, err := parseQuery(r)
	return err
}

// all returns every value of a parameter that may be repeated.
func (q query) all(name string) []string { return q.values[name] }

// one returns the value of a parameter, or "" where it is absent.
func (q query) one(name string) (string, error) {
	values := q.values[name]
	if len(values) > 1 {
		return "", malformed(fmt.Sprintf("query parameter %s: give it once", name))
	}
	if len(values) == 0 {
		return "", nil
	}
	return values[0], nil
}

// number returns a whole number within lo..hi, or absent where the parameter is.
func (q query) number(name string, absent, lo, hi int64) (int64, error) {
	text, err := q.one(name)
	if err != nil || text == "" && !q.values.Has(name) {
		return absent, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < lo || n > hi {
		return 0, malformed(fmt.Sprintf("query parameter %s: must be a whole number from %d to %d", name, lo, hi))
	}
	return n, nil
}

// time returns an instant in RFC 3339, or 0 where the parameter is absent.
func (q query) time(name string) (contracts.Time, error) {
	text, err := q.one(name)
	if err != nil || text == "" && !q.values.Has(name) {
		return 0, err
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.UnixMilli() <= 0 {
		return 0, malformed(fmt.Sprintf("query parameter %s: must be a time in RFC 3339, as in 2026-01-02T03:04:05Z", name))
	}
	return contracts.TimeOf(t), nil
}
