package store_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

// longRun are the lines of a run of n tokens, a thought and a call among them here and there.
func longRun(t *testing.T, n int) [][]byte {
	t.Helper()
	lines := [][]byte{line(t, 1, queued()), line(t, 2, running())}
	for i := range n {
		var data contracts.EventData = &contracts.TokenData{ID: "m", Delta: fmt.Sprintf("%d ", i), Attempt: 1, Channel: contracts.ChannelAnswer}
		if i%100 == 7 {
			data = &contracts.ThoughtData{ID: fmt.Sprintf("t%d", i), Delta: "hm", Attempt: 1, Kind: contracts.ThoughtReasoning, Final: true}
		}
		lines = append(lines, line(t, contracts.Seq(i+3), data))
	}
	return lines
}

func TestPastIsTheRunAsItWas(t *testing.T) {
	t.Parallel()
	const events = 10_000
	lines := longRun(t, events-2)
	var head store.Folder
	var checks store.Checkpoints
	want := map[contracts.Seq]store.Fold{}
	stops := []contracts.Seq{9_000, 1, 2_048, 2_047, 2_049, 9_000, 8_999, 8_998, 5_000, 5_001, 10_000, 3}
	for _, l := range lines {
		if _, _, err := head.Add(l); err != nil {
			t.Fatal(err)
		}
		checks.Pass(&head)
		for _, seq := range stops {
			if head.LastSeq() == seq {
				want[seq] = head.Fold()
			}
		}
	}
	var past store.Past
	for _, seq := range stops {
		past.Seek(seq, &checks)
		folded, turns := 0, 0
		for !past.There() {
			err := past.Advance(func(seq contracts.Seq) ([]byte, bool) { folded++; return lines[seq-1], true }, func() bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			if turns++; folded > turns*32 {
				t.Fatalf("%d events in %d turns though others were to have theirs", folded, turns)
			}
		}
		if got := past.Fold(); !reflect.DeepEqual(got, want[seq]) {
			t.Errorf("at %d the run is %d long with the answer %.40q", seq, got.LastSeq, got.Answer().Text)
		}
		if folded > 2_048 {
			t.Errorf("%d events were folded to be at %d", folded, seq)
		}
		if seq == 8_998 && folded > 128 {
			t.Errorf("%d events were folded for one step back", folded)
		}
	}
	if got := head.Fold(); got.LastSeq != events || !strings.HasSuffix(got.Answer().Text, "9997 ") {
		t.Errorf("the run itself went back to %d", got.LastSeq)
	}
}

func TestPastWaitsForATextThatIsNotThere(t *testing.T) {
	t.Parallel()
	lines := longRun(t, 50)
	var past store.Past
	past.Seek(40, &store.Checkpoints{})
	known := contracts.Seq(20)
	read := func(seq contracts.Seq) ([]byte, bool) {
		if seq > known {
			return nil, false
		}
		return lines[seq-1], true
	}
	never := func() bool { return false }
	if err := past.Advance(read, never); err != nil || past.There() || past.Missing() != 21 {
		t.Fatalf("missing %d, there %v, %v; want 21", past.Missing(), past.There(), err)
	}
	known = 52
	if err := past.Advance(read, never); err != nil || !past.There() || past.Fold().LastSeq != 40 {
		t.Fatalf("at %d, %v; want 40", past.Fold().LastSeq, err)
	}
	lines[40] = []byte("{}")
	past.Seek(42, &store.Checkpoints{})
	if err := past.Advance(read, never); err == nil || past.There() {
		t.Error("went on over an event that cannot be read")
	}
}

func TestCheckpointsGrowSparser(t *testing.T) {
	t.Parallel()
	var head store.Folder
	var checks store.Checkpoints
	at := map[contracts.Seq]bool{}
	for _, l := range longRun(t, 70_000) {
		if _, _, err := head.Add(l); err != nil {
			t.Fatal(err)
		}
		checks.Pass(&head)
	}
	for seq := contracts.Seq(1); seq <= 70_000; seq += 512 {
		at[checks.Before(seq).LastSeq()] = true
	}
	if len(at) < 16 || len(at) > 33 || !at[4096] || at[2048] {
		t.Errorf("%d moments are kept: %v", len(at), at)
	}
}

// TestAFoldSharesWhatHasNotChanged bounds what a token costs beside a thousand thoughts: they are not copied for it.
func TestAFoldSharesWhatHasNotChanged(t *testing.T) {
	t.Parallel()
	var f store.Folder
	for _, l := range longRun(t, 10_000) {
		if _, _, err := f.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	before := f.Fold()
	add := func(data contracts.EventData) store.Fold {
		if _, _, err := f.Add(line(t, f.LastSeq()+1, data)); err != nil {
			t.Fatal(err)
		}
		return f.Fold()
	}
	after := add(&contracts.TokenData{ID: "m", Delta: "more", Attempt: 1, Channel: contracts.ChannelAnswer})
	if &before.Thoughts[0] != &after.Thoughts[0] {
		t.Error("a token has the thoughts copied")
	}
	if before.Answer().Text+"more" != after.Answer().Text {
		t.Error("a token is not in the answer")
	}
	thought := add(&contracts.ThoughtData{ID: "t7", Delta: "anew", Attempt: 2, Kind: contracts.ThoughtReasoning, Final: true})
	if before.Thoughts[0].Text != "hm" || before.Thoughts[0].Discarded || thought.Thoughts[1].Text != "anew" || !thought.Thoughts[0].Discarded {
		t.Errorf("a thought begins anew: it was %+v and is %+v", before.Thoughts[0], thought.Thoughts[:2])
	}
}
