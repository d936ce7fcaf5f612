package pages

import (
	"fmt"
	"slices"
	"strings"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// drafts are the answers of a run, told apart.
type drafts struct {
	// current are what counts: one, or, as long as several branches answer, the latest of each.
	current []store.Message
	// earlier are those that were discarded, revised, or withheld from the end.
	earlier []store.Message
}

// sortDrafts tells the answers of a run apart. What the run ended with is the answer, though it was never streamed; where it ended
// without one, nothing counts. A draft that a verdict has sent back counts no more, but stays in its place until the next begins.
func sortDrafts(f *store.Fold) drafts {
	var d drafts
	if f.Done != nil {
		for _, m := range f.Drafts {
			if f.Done.Output != nil && m.ID == f.Done.MessageID && !m.Discarded {
				d.current = append(d.current, m)
			} else if !withheld(f, &m) {
				d.earlier = append(d.earlier, m)
			}
		}
		if f.Done.Output != nil && len(d.current) == 0 {
			d.current = append(d.current, store.Message{ID: f.Done.MessageID, Text: *f.Done.Output, Final: true})
		}
		return d
	}
	latest := make(map[contracts.Branch]int)
	for i := range f.Drafts {
		latest[f.Drafts[i].Branch] = i
	}
	for i, m := range f.Drafts {
		switch {
		case withheld(f, &m):
		case latest[m.Branch] == i && (i == len(f.Drafts)-1 || m.Verdict == nil):
			d.current = append(d.current, m)
		default:
			d.earlier = append(d.earlier, m)
		}
	}
	return d
}

// withheld reports whether a verdict has refused a draft: its text is not to be read then.
func withheld(f *store.Fold, m *store.Message) bool {
	refused := m.Verdict != nil && m.Verdict.Outcome == contracts.OutcomeRefuse
	return refused || f.Done != nil && f.Done.Status == contracts.StateRefused && m.ID == f.Done.MessageID
}

// draftTitle names a draft and says what became of it.
func draftTitle(m store.Message) string {
	var title string
	switch {
	case m.Verdict != nil:
		title = fmt.Sprintf("attempt %d, %s", m.Verdict.Pass+1, revisedWords(m.Verdict.VerdictData))
	case m.Discarded:
		title = fmt.Sprintf("attempt %d, discarded", m.Attempt)
	default:
		title = "draft, not judged"
	}
	if m.Branch != "" {
		title += ", " + branchName(m.Branch)
	}
	return title
}

// revisedWords says what a verdict made of a draft, and its score: "revised: verdict 0.62".
func revisedWords(v *contracts.VerdictData) string {
	words := parts.OutcomeWords(v.Outcome)
	if v.Outcome == contracts.OutcomeRevise {
		words = "revised"
	}
	if v.Score != nil {
		words += ": verdict " + parts.Score(*v.Score)
	}
	return words
}

// verdictWords is a verdict in one line.
func verdictWords(v *contracts.VerdictData, passAt float64) string {
	passed, evaluated := 0, 0
	for i := range v.Results {
		switch v.Results[i].Status {
		case contracts.CheckPass:
			passed++
			evaluated++
		case contracts.CheckFail, contracts.CheckError:
			evaluated++
		case contracts.CheckSkipped:
		}
	}
	words := parts.OutcomeWords(v.Outcome)
	if v.Score != nil {
		words += ", score " + parts.Score(*v.Score)
		if passAt > 0 {
			words += fmt.Sprintf(" (passes at %s)", parts.Score(passAt))
		}
	}
	if evaluated > 0 {
		words += fmt.Sprintf(", %d of %d checks passed", passed, len(v.Results))
	}
	return fmt.Sprintf("Pass %d %s", v.Pass+1, words)
}

// answerSentence says in one sentence what is awaited, or why there is no answer; it is empty beside an answer that needs no
// words.
func answerSentence(f *store.Fold, d *drafts) string {
	if f.Done == nil {
		return awaited(f, d)
	}
	why := endWords(f)
	switch f.Done.Status {
	case contracts.StateSucceeded:
		return ""
	case contracts.StateRefused:
		return "The answer was withheld: " + why + "."
	case contracts.StateFailed:
		if len(d.current) > 0 {
			return "This answer was not accepted: " + why + "."
		}
	case contracts.StateCancelled, contracts.StateExhausted:
		if len(d.current) > 0 {
			return "The run was ended early, " + why + ", with this answer."
		}
	case contracts.StateQueued, contracts.StateRunning, contracts.StateWaiting, contracts.StateDraining:
	}
	return "The run ended without an answer: " + why + "."
}

// awaited says what has to come before there is an answer to read.
func awaited(f *store.Fold, d *drafts) string {
	n := len(f.Verdicts)
	switch {
	case f.Header.Release == contracts.ReleaseVerified && n == 0:
		return "Nothing of the answer is shown before it has passed its checks. The first attempt is being made."
	case f.Header.Release == contracts.ReleaseVerified && len(d.current) == 0:
		judged := make([]string, 0, n)
		for i := range f.Verdicts {
			judged = append(judged, fmt.Sprintf("attempt %d was %s", f.Verdicts[i].Pass+1, revisedWords(f.Verdicts[i].VerdictData)))
		}
		return "Nothing of the answer is shown before it has passed its checks: " + strings.Join(judged, ", ") + "."
	case len(d.current) > 0:
		return ""
	case f.State == contracts.StateQueued:
		return "No answer yet: the run waits for an engine."
	case f.State == contracts.StateWaiting:
		return "No answer yet: the run waits for a decision about a tool call."
	}
	return "No answer yet."
}

// endWords says why a run ended as it did.
func endWords(f *store.Fold) string {
	if f.Done.Status == contracts.StateExhausted || f.Done.Status == contracts.StateCancelled {
		if f.Reason == contracts.ReasonCancel {
			return "stopped by " + reasonWords(f.Reason)
		}
		return "it reached " + reasonWords(f.Reason)
	}
	if i := slices.IndexFunc(f.Errors, func(e runstate.TranscriptError) bool { return e.Fatal }); i >= 0 {
		return lowerFirst(f.Errors[i].Title)
	}
	n := len(f.Verdicts)
	if n == 0 {
		return "the model declined to answer"
	}
	switch last := &f.Verdicts[n-1]; {
	case last.Outcome == contracts.OutcomeError:
		return "a check could not be evaluated"
	case last.Score == nil:
		return "the model declined to answer"
	case last.Outcome == contracts.OutcomeRefuse:
		return "its score of " + parts.Score(*last.Score) + " is too low to be shown"
	default:
		return "its checks did not pass, and no further attempt was left"
	}
}

// branchMessages are the messages of one branch.
type branchMessages struct {
	branch   contracts.Branch
	messages []store.Message
}

// byBranch groups messages by their branches, in the order in which the branches began; those of a branch stay in their order.
func byBranch(messages []store.Message) []branchMessages {
	var groups []branchMessages
	for i := range messages {
		m := &messages[i]
		at := slices.IndexFunc(groups, func(g branchMessages) bool { return g.branch == m.Branch })
		if at < 0 {
			at = len(groups)
			groups = append(groups, branchMessages{branch: m.Branch})
		}
		groups[at].messages = append(groups[at].messages, *m)
	}
	return groups
}

func branchName(b contracts.Branch) string {
	if b == "" {
		return "main branch"
	}
	return "branch " + string(b)
}
