package gallery_test

import (
	"strings"
	"testing"

	"axiom25/app/gallery"
)

func TestPartsOfViewsSayWhatTheyShow(t *testing.T) {
	t.Parallel()
	html := map[string]string{}
	for _, e := range gallery.Entries() {
		html[e.Part+"/"+e.Situation] = draw(t, e)
	}
	for entry, wants := range map[string][]string{
		"Answer/growing":                        {"The sum is", "growing"},
		"Answer/hostile":                        {"&lt;script&gt;"},
		"Approval/asked":                        {"deploy@2.1.0", "billing", "Approve", "Deny", "expires in 9 min"},
		"Approval/being sent":                   {"disabled"},
		"Approval/decided too late":             {"was denied by alice.", "Close"},
		"Approval/decided elsewhere, unnoticed": {"hidden"},
		"ForkLink/from an event":                {"/new?from=run_01m81tqkhryw3vmma10cpw1nqk&fork=42", "Fork from event 42"},
		"Pager/in the middle":                   {"51–100 of 10000", "Previous", "Next"},
		"Receipt/that fits":                     {"continues the chain", "edited by console", "$0.0015", "check-pass"},
		"Receipt/that was changed":              {"does not continue the chain", "hash is not that of its content", "that of the arguments shown"},
		"ToolCall/failed on its second attempt": {"attempt 2 of 3, error, 1.2 s, receipt does not fit", "no such host", "not that of its content"},
		"ToolCall/cut":                          {"the first part of 1.2 MB", "approved by console", "#e3", "a human is asked"},
		"Verdict/an error, without a score":     {"no score", "skipped", "the target was cut"},
		"Verdict/between the thresholds, and other than recorded": {
			"score 0.62, passes at 0.80, refused below 0.20", "to be revised", "pass 2", "recomputed here: differs", "recorded 0.62; recomputed 0.7",
		},
		"VerdictLine/passed": {"/r/x?view=verdict", "score 1.00"},
	} {
		for _, want := range wants {
			if !strings.Contains(html[entry], want) {
				t.Errorf("%s does not show %q: %s", entry, want, html[entry])
			}
		}
	}
}
