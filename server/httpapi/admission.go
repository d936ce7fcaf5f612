package httpapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tmaxmax/go-sse"

	"axiom25/contracts"
)

const (
	// shedWait and shedJitter are how long an EventSource waits that was turned away: long enough to help, and each
	// another time, so that they do not all come back at once. Other clients wait whole seconds up to shedSeconds.
	shedWait, shedJitter = 3 * time.Second, 7 * time.Second
	shedSeconds          = 4
	// replayDebt is how far replays may be ahead of their rate before no new stream is opened.
	replayDebt = time.Second
)

// Why a stream was not opened, as the metrics have it.
const (
	shedViewers = "viewers" // as many are open as may be
	shedRate    = "rate"    // too many were opened a moment ago
	shedReplay  = "replay"  // those that are open read more history than they should
	shedClosing = "closing" // the server stops
	shedJournal = "journal" // the journal could not be read
)

// bucket is a token bucket that may go into debt: what was spent beyond the burst has to be waited for. Its zero value
// has no limit.
type bucket struct {
	rate, burst float64 // tokens a second, and the most that are saved up
	level       float64
	at          time.Time
}

func newBucket(rate, burst float64) bucket { return bucket{rate: rate, burst: burst, level: burst} }

// spend takes n tokens and returns how long it takes until the debt is paid; 0 where there is none.
func (b *bucket) spend(now time.Time, n float64) time.Duration {
	if b.rate <= 0 {
		return 0
	}
	if !b.at.IsZero() {
		b.level = min(b.burst, b.level+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	b.level -= n
	return max(0, time.Duration(-b.level/b.rate*float64(time.Second)))
}

// admission decides which streams are opened, and slows down those that read history, so that viewers who all come back
// at once cost the ones that are there nothing.
type admission struct {
	max int // streams and long polls that may be open

	mu     sync.Mutex
	open   int
	opened bucket // streams
	read   bucket // bytes of history
}

func newAdmission(cfg Config) *admission {
	return &admission{
		max:    cfg.MaxViewers,
		opened: newBucket(float64(cfg.OpenRate), float64(cfg.OpenRate)),
		read:   newBucket(float64(cfg.ReplayRate), 2*float64(cfg.ReplayRate)),
	}
}

// enter lets a viewer in, who must leave; or it returns why not.
func (a *admission) enter(now time.Time) (shed string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.open >= a.max:
		return shedViewers
	case a.read.spend(now, 0) > replayDebt:
		return shedReplay
	case a.opened.spend(now, 1) > 0:
		a.opened.level++ // it was not opened after all
		return shedRate
	}
	a.open++
	return ""
}

// wait lets a client in that waits for events without a stream; it reports whether there is room.
func (a *admission) wait() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open >= a.max {
		return false
	}
	a.open++
	return true
}

func (a *admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
}

// viewers counts who was let in and has not left.
func (a *admission) viewers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open
}

// replayed accounts for history that a viewer was given, and returns how long that viewer should pause.
func (a *admission) replayed(now time.Time, bytes int64) time.Duration {
	if bytes == 0 {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.read.spend(now, float64(bytes))
}

// admit lets a viewer of a stream in, who has to be released; or it turns the viewer away, and returns nil with the error
// that the handler has to return.
func (a *API) admit(w http.ResponseWriter, r *http.Request, kind string) (*viewer, error) {
	shed := a.admission.enter(a.Now())
	if shed == "" {
		if v := a.streams.enter(a.admission.leave); v != nil {
			a.metrics.admitted.WithLabelValues(kind).Inc()
			return v, nil
		}
		a.admission.leave()
		shed = shedClosing
	}
	details := map[string]string{
		shedViewers: "too many streams are open",
		shedRate:    "too many streams were opened a moment ago",
		shedReplay:  "the streams that are open read too much history",
		shedClosing: "the server is closing",
	}
	return nil, a.turnAway(w, r, shed, contracts.NewProblem(contracts.ProblemOverloaded, details[shed]))
}

// turnAway answers a viewer that cannot be served now. An EventSource gives up for good on a 503, so whoever asks for
// an event stream by name gets an empty one and a time to come back after; others get the 503.
func (a *API) turnAway(w http.ResponseWriter, r *http.Request, shed string, why error) error {
	a.metrics.shed.WithLabelValues(shed).Inc()
	a.metrics.streams.WithLabelValues(endShed).Inc()
	exchangeOf(r).end = endShed
	if !strings.Contains(r.Header.Get("Accept"), mediaSSE) {
		w.Header().Set("Retry-After", strconv.Itoa(1+rand.IntN(shedSeconds))) //nolint:gosec // it spreads load and guards nothing
		return why
	}
	streamHeader(w.Header())
	out := a.newSender(answerLine{w, http.NewResponseController(w)})
	_ = out.send(&sse.Message{Retry: jittered()}) // an error here is the client's, who is gone
	return nil
}

// jittered is when an EventSource should come back that was sent away.
func jittered() time.Duration {
	return shedWait + rand.N(shedJitter) //nolint:gosec // it spreads load and guards nothing
}

// pause waits, unless the viewer or the server goes.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(min(d, replayDebt))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
