package store

import (
	"strings"
	"sync/atomic"
	"time"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
)

// Finding is what was found out about a text. The zero value says that there is none.
type Finding struct {
	// Kind is the contract that the text was held against; empty where none was named and it bears the marks of none.
	Kind contracts.Kind
	// Version is what the document says that it is written in; 0 where it does not.
	Version int64
	// Judgement is that of a document.
	Judgement Judgement
	// Stream is that of a text of one event a line; nil where the text is one document.
	Stream *Stream
}

// Check finds out what a text is and whether it keeps its rules: by a contract, or by the one that it is recognised by where
// kind is empty. pause is called now and then with the share that is done, 0..1, where this takes long; false ends it.
func Check(kind contracts.Kind, text string, pause func(done float64) bool) Finding {
	if strings.TrimSpace(text) == "" {
		return Finding{Kind: kind}
	}
	if (kind == "" || kind == contracts.KindRunEvent) && IsStream(text) {
		return Finding{Kind: contracts.KindRunEvent, Version: contracts.Version, Stream: checkStream(text, pause)}
	}
	// What is larger than a document may be is refused whatever is in it, and not looked at.
	head := text[:min(len(text), contracts.MaxDocumentBytes+1)]
	f := Finding{Kind: kind}
	if kind == "" {
		f.Kind, _ = contracts.Recognise([]byte(head))
	}
	f.Version, _ = contracts.VersionOf([]byte(head))
	if f.Kind != "" {
		f.Judgement = Judge(f.Kind, head)
	}
	return f
}

// IsStream reports whether a text has one event a line, or is a saved text/event-stream: its first line is one JSON object
// and more follows, or it is a field of such a stream.
func IsStream(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	line, rest, _ := strings.Cut(text, "\n")
	for _, field := range []string{"data:", "id:", "event:", "retry:", ":"} {
		if strings.HasPrefix(line, field) {
			return true
		}
	}
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "{") && strings.HasSuffix(line, "}") && strings.HasPrefix(strings.TrimSpace(rest), "{")
}

// Checking is a check that goes on beside the page. Its zero value has ended.
type Checking struct{ stopped atomic.Bool }

// Stop ends it; nothing is reported any more.
func (c *Checking) Stop() { c.stopped.Store(true) }

// CheckAside is Check beside the page, which goes on answering: progress is called as it goes on, and done at its end.
func CheckAside(
	ctx goapp.Context, kind contracts.Kind, text string, progress func(ctx goapp.Context, share float64), done func(goapp.Context, Finding),
) *Checking {
	c := &Checking{}
	ctx.Async(func() {
		untilIdle()
		began := time.Now() //nolint:forbidigo // how long the page has been kept from answering
		finding := Check(kind, text, func(share float64) bool {
			if time.Since(began) > checkStint {
				ctx.Dispatch(func(ctx goapp.Context) {
					if !c.stopped.Load() {
						progress(ctx, share)
					}
				})
				untilIdle()
				began = time.Now() //nolint:forbidigo // as above
			}
			return !c.stopped.Load()
		})
		ctx.Dispatch(func(ctx goapp.Context) {
			if !c.stopped.Load() {
				done(ctx, finding)
			}
		})
	})
	return c
}

// checkStint is how long a check works before the page may draw and answer: less than a reader notices.
const checkStint = 24 * time.Millisecond
