package pages

import (
	"fmt"
	"strings"

	"axiom25/app/parts"
	"axiom25/app/timeline"
	"axiom25/contracts"
)

// hint is what the timeline says while nothing is pointed at.
func (v *timelineView) hint() string {
	words := fmt.Sprintf("%s in all", parts.Duration(v.at.Time.Sub(v.model.Start())))
	if n := v.clock.Folds(); n == 1 {
		words += ", 1 pause folded"
	} else if n > 1 {
		words += fmt.Sprintf(", %d pauses folded", n)
	}
	if v.narrow() {
		return words
	}
	return words + ". Drag to look closer; arrow keys go from bar to bar."
}

// words say what an item is, when it began and how long it took.
func (v *timelineView) words(item timeline.Item) string {
	switch {
	case item.Bar >= 0:
		return v.barWords(&v.model.Bars()[item.Bar])
	case item.Mark >= 0:
		k := &v.model.Marks()[item.Mark]
		return markWords(k) + ", " + v.when(k.Time) + branchWords(k.Branch) + eventWords(k.Seq)
	}
	return ""
}

// when is a time since the run's start, and on the reader's clock.
func (v *timelineView) when(t contracts.Time) string {
	return "at +" + parts.Duration(t.Sub(v.model.Start())) + " (" + parts.Clock(t) + ")"
}

func (v *timelineView) barWords(b *timeline.Bar) string {
	var words strings.Builder
	took := parts.Duration(b.EndAt(v.at).Sub(b.Start))
	open := b.OpenAt(v.at)
	switch b.Kind {
	case timeline.Thought:
		words.WriteString("Thought, " + b.Name)
	case timeline.Answer:
		words.WriteString("Answer")
		if b.Name == string(contracts.ChannelRefusal) {
			words.WriteString(", a refusal")
		}
	case timeline.Call:
		words.WriteString("Call of " + b.Name)
	case timeline.Wait:
		words.WriteString(waitWords(b.Name))
	}
	if b.Attempt > 1 || b.Discarded && !open {
		fmt.Fprintf(&words, ", attempt %d", b.Attempt)
	}
	switch {
	case open && v.model.Ended():
		words.WriteString(", not ended here, " + took)
	case open:
		words.WriteString(", for " + took + " so far")
	case b.Discarded:
		words.WriteString(", discarded, " + took)
	case b.Kind == timeline.Call && b.Status == "":
		words.WriteString(", never ended, " + took)
	case b.Kind == timeline.Call:
		words.WriteString(", " + string(b.Status) + ", " + took)
	default:
		words.WriteString(", " + took)
	}
	if waited := b.WaitedUntil(v.at).Sub(b.Start); b.Asked {
		words.WriteString(", of which " + parts.Duration(waited) + " waiting for approval")
	}
	if b.DecidedSeq > 0 && b.DecidedSeq <= v.at.Seq {
		words.WriteString(" (" + string(b.Decision) + ")")
	}
	return words.String() + ", " + v.when(b.Start) + branchWords(b.Branch) + eventWords(b.Seq)
}

func waitWords(state string) string {
	if state == string(contracts.StateQueued) {
		return "The run was queued"
	}
	return "The run waited for a human"
}

func markWords(k *timeline.Mark) string {
	switch k.Kind {
	case timeline.VerdictMark:
		return "Verdict: " + parts.OutcomeWords(contracts.Outcome(k.Name))
	case timeline.ErrorMark:
		if k.Fatal {
			return "Error that ended the run: " + k.Name
		}
		return "Error: " + k.Name
	case timeline.WarnMark:
		return "Warning: most of " + k.Name + " is used"
	case timeline.StateMark:
	}
	return "The run is " + k.Name
}

func branchWords(b contracts.Branch) string {
	if b == "" {
		return ""
	}
	return ", branch " + string(b)
}

func eventWords(seq contracts.Seq) string { return fmt.Sprintf(", event %d", seq) }

// several says what stands where bars are too thin to tell apart.
func (v *timelineView) several(b *timeline.Box) string {
	words := fmt.Sprintf("%d bars, too close to tell apart", b.Count)
	if b.Bad > 0 {
		words += fmt.Sprintf(", %d of them went wrong", b.Bad)
	}
	return words + ": click to look closer"
}

// instant is a time on the reader's clock and in UTC.
func instant(t contracts.Time) string { return parts.Clock(t) + " (" + t.String() + ")" }

// shortLength writes a length in one unit: it has to fit into a notch.
func shortLength(ms int64) string {
	if ms < 60_000 {
		return parts.Duration(ms)
	}
	return parts.Age(contracts.Time(ms), 0)
}
