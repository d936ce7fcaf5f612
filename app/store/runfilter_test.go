package store_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"axiom25/app/store"
	"axiom25/contracts"
)

func TestAFilterIsItsAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"/",
		"/?state=running",
		"/?label=team:a&label=tier:gold&q=moons+%26+stars&since=1h&state=running&state=waiting",
		"/?since=2026-01-02T03:04:05Z&until=2026-01-03T00:00:00Z",
		"/?state=sleeping", // the server says that there is no such state
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		f := store.ParseRunFilter(u.Query())
		if got := f.Address(); got != address || f.Empty() != (address == "/") {
			t.Errorf("%s is read as the filter of %s, empty %t", address, got, f.Empty())
		}
	}
}

func TestTheQueryOfAFilter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	for since, want := range map[string]string{
		"": "", "1h": "2026-01-10T11:00:00.000Z", "30m": "2026-01-10T11:30:00.000Z", "7d": "2026-01-03T12:00:00.000Z",
		"2026-01-02T03:04:05Z": "2026-01-02T03:04:05Z", "yesterday": "yesterday", "h": "h", "1w": "1w", "-1h": "-1h",
	} {
		f := store.RunFilter{Since: since, Text: "x", States: []contracts.State{stateRunning}, Labels: []string{"a:b"}, Until: "u"}
		q := f.Query(now)
		if q.Since != want || q.Text != "x" || q.Until != "u" || !slices.Equal(q.States, f.States) || !slices.Equal(q.Labels, f.Labels) {
			t.Errorf("since %q asks for %+v, want since %q", since, q, want)
		}
	}
}

func TestChangesOfAFilter(t *testing.T) {
	t.Parallel()
	first := store.RunFilter{}.Toggle(stateRunning).Toggle(stateWaiting).WithLabel("team:a").WithLabel("tier:gold")
	for want, f := range map[string]store.RunFilter{
		"/?label=team:a&label=tier:gold&state=running&state=waiting": first,
		"/?label=team:a&label=tier:gold&state=waiting":               first.Toggle(stateRunning),
		"/?label=tier:gold&label=team:b&state=running&state=waiting": first.WithLabel("team:b"),
		"/?label=tier:gold&state=running&state=waiting":              first.WithoutLabel("team:a"),
	} {
		if got := f.Address(); got != want {
			t.Errorf("the address is %s, want %s", got, want)
		}
	}
}
