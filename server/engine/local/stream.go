package local

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"axiom25/contracts"
)

const (
	// maxDeltas bounds the pieces of a text, so that a long one is not streamed for minutes.
	maxDeltas = 400
	// batchDeltas is how many pieces are reported at once where there is no pace.
	batchDeltas = 64
)

// deltas cuts a text into pieces of about a word; concatenated they are the text. An empty text is one piece.
func deltas(text string) []string {
	least := len(text) / maxDeltas
	var pieces []string
	for text != "" {
		n := cut(text, least)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	if pieces == nil {
		return []string{""}
	}
	return pieces
}

// cut returns where the first piece of at least least bytes ends: behind a blank, else at a character.
func cut(text string, least int) int {
	const longest = 64
	if i := strings.IndexAny(text[min(least, len(text)):], " \n"); i >= 0 && i < longest {
		return min(least, len(text)) + i + 1
	}
	n := min(least+longest, len(text))
	for n < len(text) && !utf8.RuneStart(text[n]) {
		n++
	}
	return n
}

// stream reports a text piece by piece, with a reading of the meter behind each report.
func (w *work) stream(ctx context.Context, text string, event func(delta string, final bool) contracts.EventData) error {
	pieces := deltas(text)
	batch := batchDeltas
	if w.pace > 0 {
		batch = 1
	}
	var events []contracts.EventData
	for i, piece := range pieces {
		final := i == len(pieces)-1
		events = append(events, event(piece, final))
		if !final && len(events) < batch {
			continue
		}
		if err := w.run.Append(ctx, "", append(events, w.meter.report())...); err != nil {
			return err
		}
		events = nil
		if !final {
			if err := pause(ctx, w.pace); err != nil {
				return err
			}
		}
	}
	return nil
}

// pause waits, or returns why the context ended.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// meter estimates tokens. Its methods may be called from any number of goroutines.
type meter struct {
	mu   sync.Mutex
	used contracts.EngineUsage
}

// tokens estimates how many tokens n bytes of text are: ⌈n/4⌉.
func tokens(n int) int64 { return int64(n+3) / 4 }

// read counts input.
func (m *meter) read(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.TokensIn += tokens(n)
}

// write counts output.
func (m *meter) write(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.TokensOut += tokens(n)
}

// thought counts output that is reasoning.
func (m *meter) thought(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used.TokensOut += tokens(n)
	m.used.TokensReasoning += tokens(n)
}

// report returns the count as an engine reports it.
func (m *meter) report() *contracts.EngineBudget {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &contracts.EngineBudget{Used: m.used}
}
