package store_test

import (
	"bytes"
	"strings"
	"testing"

	"axiom25/app/store"
	"axiom25/contracts"
)

func TestLog(t *testing.T) {
	t.Parallel()

	token := func(seq contracts.Seq, text string) (*contracts.RunEvent, string) {
		data := &contracts.TokenData{ID: "m", Delta: text, Attempt: 1, Channel: contracts.ChannelAnswer}
		ev := contracts.RunEvent{
			SchemaVersion: contracts.Version, RunID: run, Seq: seq, Time: contracts.Time(seq), Type: data.EventType(), Data: data,
		}
		if seq%2 == 0 {
			ev.Branch = "a.b"
		}
		sent, err := contracts.Encode(ev)
		if err != nil {
			t.Fatal(err)
		}
		return &ev, string(sent)
	}

	t.Run("gives back what was sent, across its pages", func(t *testing.T) {
		t.Parallel()
		var l store.Log
		if l.First() != 1 || l.Last() != 0 {
			t.Fatalf("an empty log spans %d to %d", l.First(), l.Last())
		}
		const n = 1500
		for seq := contracts.Seq(1); seq <= n; seq++ {
			l.Add(token(seq, "word "))
		}
		for seq := contracts.Seq(1); seq <= n; seq++ {
			want, sent := token(seq, "word ")
			line, ok := l.Line(seq)
			if !ok || !bytes.Equal(line, []byte(sent)) {
				t.Fatalf("event %d is %q, %v; want %q", seq, line, ok, sent)
			}
			if b := l.Brief(seq); b.Seq != seq || b.Time != want.Time || b.Type != want.Type || b.Branch != want.Branch {
				t.Fatalf("the outline of event %d is %+v", seq, b)
			}
		}
		if ev, ok := l.Event(n); !ok || ev.Seq != n {
			t.Errorf("reads %+v, %v", ev, ok)
		}
		for _, seq := range []contracts.Seq{0, n + 1} {
			if _, ok := l.Line(seq); ok {
				t.Errorf("has an event %d", seq)
			}
		}
		if b := l.Branches(); len(b) != 2 || b[0] != "" || b[1] != "a.b" {
			t.Errorf("branches %q", b)
		}
	})

	t.Run("lets go of the oldest texts, and keeps every outline", func(t *testing.T) {
		t.Parallel()
		var l store.Log
		long := strings.Repeat("x", 40_000)
		const n = 3000 // 120 MB
		for seq := contracts.Seq(1); seq <= n; seq++ {
			l.Add(token(seq, long))
		}
		if first := l.First(); first <= 1 || first > n-400 {
			t.Errorf("keeps texts from %d on", first)
		}
		if _, ok := l.Line(l.First() - 1); ok {
			t.Error("has a text before its first")
		}
		for _, seq := range []contracts.Seq{1, l.First() - 1, l.First(), n} {
			if b := l.Brief(seq); b.Time != contracts.Time(seq) {
				t.Errorf("the outline of event %d is %+v", seq, b)
			}
		}
		for _, seq := range []contracts.Seq{l.First(), n} {
			if ev, ok := l.Event(seq); !ok || ev.Seq != seq {
				t.Errorf("lost event %d", seq)
			}
		}
	})
}
