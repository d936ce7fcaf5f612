package store

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"axiom25/app/command"
	"axiom25/contracts"
)

// RunFilter says which runs a reader looks for. What it holds is what stands in the address: what the server cannot read it
// refuses, since a list that is not filtered as asked must not look as if it were. Its zero value wants all.
type RunFilter struct {
	// States are those wanted; all where empty.
	States []contracts.State
	// Labels are those that a run has to have, each as name:value.
	Labels []string
	// Text is what the goal or the id has to contain.
	Text string
	// Since and Until bound when a run was created: a time in RFC 3339 or, for Since, how long ago: 30m, 1h, 7d.
	Since, Until string
}

// ParseRunFilter reads what an address asks for.
func ParseRunFilter(v url.Values) RunFilter {
	f := RunFilter{Labels: v["label"], Text: v.Get("q"), Since: v.Get("since"), Until: v.Get("until")}
	for _, s := range v["state"] {
		f.States = append(f.States, contracts.State(s))
	}
	return f
}

// Address is where the list is shown so filtered. Equal filters have equal addresses.
func (f RunFilter) Address() string {
	v := url.Values{}
	for _, s := range f.States {
		v.Add("state", string(s))
	}
	for _, l := range f.Labels {
		v.Add("label", l)
	}
	for _, one := range [...]struct{ name, value string }{{"q", f.Text}, {"since", f.Since}, {"until", f.Until}} {
		if one.value != "" {
			v.Set(one.name, one.value)
		}
	}
	if len(v) == 0 {
		return "/"
	}
	return "/?" + strings.ReplaceAll(v.Encode(), "%3A", ":")
}

// Empty reports whether all runs are wanted.
func (f RunFilter) Empty() bool { return f.Address() == "/" }

// onlyStates reports whether nothing else is looked for.
func (f RunFilter) onlyStates() bool { return RunFilter{States: f.States}.Address() == f.Address() }

// Query is what the server is asked for at a time.
func (f RunFilter) Query(now time.Time) command.RunsQuery {
	q := command.RunsQuery{States: f.States, Labels: f.Labels, Text: f.Text, Since: f.Since, Until: f.Until}
	if ago, ok := f.Ago(); ok {
		q.Since = contracts.TimeOf(now.Add(-ago)).String()
	}
	return q
}

// Ago is how long ago a run may have been created at most, where Since says it so.
func (f RunFilter) Ago() (time.Duration, bool) {
	if f.Since == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[f.Since[len(f.Since)-1]]
	n, err := strconv.ParseUint(f.Since[:len(f.Since)-1], 10, 16)
	return time.Duration(n) * unit, err == nil && unit > 0
}

// Toggle returns the filter with a state wanted that was not, or no more.
func (f RunFilter) Toggle(s contracts.State) RunFilter {
	f.States = slices.Clone(f.States)
	if i := slices.Index(f.States, s); i >= 0 {
		f.States = slices.Delete(f.States, i, i+1)
	} else {
		f.States = append(f.States, s)
	}
	return f
}

// WithLabel returns the filter with a label in place of another value of the same name: a run has one value for each.
func (f RunFilter) WithLabel(label string) RunFilter {
	name, _, _ := strings.Cut(label, ":")
	kept := make([]string, 0, len(f.Labels)+1)
	for _, l := range f.Labels {
		if other, _, _ := strings.Cut(l, ":"); other != name {
			kept = append(kept, l)
		}
	}
	f.Labels = append(kept, label)
	return f
}

// WithoutLabel returns the filter without a label.
func (f RunFilter) WithoutLabel(label string) RunFilter {
	f.Labels = slices.DeleteFunc(slices.Clone(f.Labels), func(l string) bool { return l == label })
	return f
}
