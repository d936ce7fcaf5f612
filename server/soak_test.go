package main_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
)

// How much `make soak` asks for; `make test` does with less.
var ( //nolint:gochecknoglobals // flags of the test binary
	killRounds = flag.Int("kills", 5, "how often a server is killed under load")
	killShelf  = flag.Int("shelf", 2_000, "how many events the journal has before the first kill")
)

// TestKillAtAnyInstant kills a server at random instants while engines report and viewers watch, again and again over one
// journal. After each start the viewers come back before anything new is appended: what they were shown must be there.
// Then the engines send again what was not answered.
func TestKillAtAnyInstant(t *testing.T) {
	t.Parallel()
	const engines = 6
	data := t.TempDir()
	fillShelf(t, data, max(2, *killShelf/10), *killShelf)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a failure is looked at again by its seed

	s := startServer(t, data, ownAddress()...)
	address := strings.TrimPrefix(s.url, "http://")
	all := make([]*survivor, engines)
	for i := range all {
		all[i] = &survivor{run: s.create(t, loadTask)}
	}
	shown := 0
	for round := range *killRounds {
		ctx, stop := context.WithCancel(t.Context())
		var watching, returned sync.WaitGroup
		returned.Add(engines)
		for _, v := range all {
			watching.Go(func() { v.watch(ctx, s.url, returned.Done) })
		}
		returned.Wait() // every viewer has what it had, before anything new
		var reporting sync.WaitGroup
		for _, v := range all {
			reporting.Go(func() { v.report(ctx, s.url) })
		}
		time.Sleep(time.Duration(20+random.IntN(600)) * time.Millisecond)
		s.kill(t)
		stop()
		reporting.Wait()
		watching.Wait()
		for i, v := range all {
			if v.err != nil {
				t.Fatalf("round %d, run %d: %v", round, i, v.err)
			}
		}
		s = startServer(t, data, "--addr", address)
	}
	for i, v := range all {
		stored := s.history(t, v.run)
		if len(v.seen) > len(stored) || !slices.Equal(v.seen, stored[:len(v.seen)]) {
			t.Errorf("run %d: a viewer was shown %d events that are not the first of the %d stored", i, len(v.seen), len(stored))
		}
		var text strings.Builder
		for _, ev := range decodeAll(t, stored) {
			if token, ok := ev.Data.(*contracts.TokenData); ok {
				text.WriteString(token.Delta)
			}
		}
		// The last report may or may not be stored: nobody was told.
		if got, want := text.String(), v.acknowledged.String(); got != want && got != want+v.pending {
			t.Errorf("run %d: stored text is not what was acknowledged: %d bytes, want %d", i, len(got), len(want))
		}
		shown += len(v.seen)
	}
	t.Logf("%d kills, %d events shown", *killRounds, shown)
	if shown == 0 {
		t.Error("no viewer was shown anything")
	}
	s.stop(t)
	checker, err := plainBinary() // the race detector makes ten minutes of one
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), checker, "check", "--data", data).CombinedOutput(); err != nil { //nolint:gosec // the test's own binary
		t.Errorf("check: %v\n%s", err, out)
	}
}

// survivor is a run with its engine and a viewer, both of which outlive the server.
type survivor struct {
	run contracts.RunID
	// after is the last event that the engine was told of; acknowledged is the text up to it, pending what was sent behind
	// it and not answered.
	after        int64
	acknowledged strings.Builder
	pending      string
	sent         int
	// seen are the events that the viewer was shown.
	seen []string
	err  error
}

// report appends one piece of text after the other until the server is gone. What was not answered goes first, as it was.
func (v *survivor) report(ctx context.Context, url string) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		if v.pending == "" {
			v.pending = fmt.Sprintf("%d ", v.sent)
			v.sent++
		}
		path := url + "/runs/" + v.run.String() + "/events?after=" + strconv.FormatInt(v.after, 10)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(tokenLine(v.pending)))
		if err != nil {
			v.err = err
			return
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		res, err := client.Do(req)
		if err != nil {
			return // killed
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return // killed while it answered: not an acknowledgement
		}
		digits, _, _ := strings.Cut(strings.TrimPrefix(string(body), `{"seq":`), ",")
		seq, err := strconv.ParseInt(digits, 10, 64)
		if res.StatusCode != http.StatusOK || err != nil || seq <= v.after {
			v.err = fmt.Errorf("append behind %d: %s %s", v.after, res.Status, body)
			return
		}
		v.after = seq
		v.acknowledged.WriteString(v.pending)
		v.pending = ""
	}
}

// watch follows the run from behind what was seen, and calls back when it is connected and has been shown what was stored
// so far.
func (v *survivor) watch(ctx context.Context, url string, back func()) {
	back = sync.OnceFunc(back)
	defer back()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/runs/"+v.run.String()+"/stream", http.NoBody)
	if err != nil {
		v.err = err
		return
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", strconv.Itoa(len(v.seen)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		v.err = fmt.Errorf("come back: %w", err)
		return
	}
	defer res.Body.Close() //nolint:errcheck // read until the server is gone
	if res.StatusCode != http.StatusOK {
		v.err = fmt.Errorf("come back behind %d: %s", len(v.seen), res.Status)
		return
	}
	back()
	stream := newStreamReader(res.Body, int64(len(v.seen)))
	for {
		data, err := stream.event()
		if errors.Is(err, errOutOfOrder) {
			v.err = err
		}
		if err != nil {
			return // killed
		}
		v.seen = append(v.seen, string(data))
	}
}
