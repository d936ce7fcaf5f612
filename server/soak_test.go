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
	seed := rand.Uint64() //nolint:gosec // a failure is looked at again by its seed
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
		url := s.url
		var watching, returned sync.WaitGroup
		returned.Add(engines)
		for _, v := range all {
			watching.Go(func() { v.watch(ctx, func() string { return url }, returned.Done) })
		}
		returned.Wait() // every viewer has what it had, before anything new
		var reporting sync.WaitGroup
		for _, v := range all {
			reporting.Go(func() { v.report(ctx, func() string { return url }) })
		}
		time.Sleep(time.Duration(20+random.IntN(600)) * time.Millisecond)
		s.kill(t)
		stop()
		reporting.Wait()
		watching.Wait()
		for i, v := range all {
			if err := errors.Join(v.err, v.viewErr); err != nil {
				t.Fatalf("round %d, run %d: %v", round, i, err)
			}
		}
		s = startServer(t, data, "--addr", address)
	}
	for i, v := range all {
		v.holds(t, s.history(t, v.run))
		if v.refused > 0 {
			t.Errorf("run %d: its engine was turned away %d times", i, v.refused)
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
	// refused counts the answers that asked it to come again.
	refused int
	// err is why the engine gave up, viewErr why the viewer did.
	err, viewErr error
}

// again is how long the parts of a survivor wait after a failure.
const again = 20 * time.Millisecond

// report appends one piece of text after the other until ctx ends, to the server that url names then. What was not answered
// goes again, as it was.
func (v *survivor) report(ctx context.Context, url func() string) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for ; ctx.Err() == nil && v.err == nil; pause(ctx, 0) {
		if v.pending == "" {
			v.pending = fmt.Sprintf("%d ", v.sent)
			v.sent++
		}
		path := url() + "/runs/" + v.run.String() + "/events?after=" + strconv.FormatInt(v.after, 10)
		// A request is not cut short: what it stored must be told, so that text and journal can be compared.
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, path, strings.NewReader(tokenLine(v.pending)))
		if err != nil {
			v.err = err
			return
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		res, err := client.Do(req)
		if err != nil {
			pause(ctx, again)
			continue
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil { // killed while it answered: not an acknowledgement
			pause(ctx, again)
			continue
		}
		if res.StatusCode == http.StatusServiceUnavailable {
			v.refused++
			pause(ctx, again)
			continue
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

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// watch follows the run from behind what was seen until ctx ends, at the server that url names whenever it connects. It
// calls back when it is connected for the first time.
func (v *survivor) watch(ctx context.Context, url func() string, back func()) {
	back = sync.OnceFunc(back)
	defer back()
	for ; ctx.Err() == nil && v.viewErr == nil; pause(ctx, again) {
		v.viewErr = v.view(ctx, url(), back)
	}
}

// view is one connection of watch. An error is one that no server may be the cause of.
func (v *survivor) view(ctx context.Context, url string, back func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/runs/"+v.run.String()+"/stream", http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Last-Event-ID", strconv.Itoa(len(v.seen)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil // there is no server, which is why it comes again
	}
	defer res.Body.Close() //nolint:errcheck // read until the server is gone
	if res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("come back behind %d: %s", len(v.seen), res.Status)
	}
	stream := newStreamReader(res.Body, int64(len(v.seen)))
	for {
		back()
		data, err := stream.event()
		if errors.Is(err, errOutOfOrder) {
			return err
		}
		if err != nil {
			return nil // the server is gone, or sends its viewers away
		}
		v.seen = append(v.seen, string(data))
	}
}

// holds compares what the run's engine and viewer were told with what is stored.
func (v *survivor) holds(t *testing.T, stored []string) {
	t.Helper()
	if len(v.seen) > len(stored) || !slices.Equal(v.seen, stored[:len(v.seen)]) {
		t.Errorf("run %s: a viewer was shown %d events that are not the first of the %d stored", v.run, len(v.seen), len(stored))
	}
	var text strings.Builder
	for _, ev := range decodeAll(t, stored) {
		if token, ok := ev.Data.(*contracts.TokenData); ok {
			text.WriteString(token.Delta)
		}
	}
	// The last report may or may not be stored: nobody was told.
	if got, want := text.String(), v.acknowledged.String(); got != want && got != want+v.pending {
		t.Errorf("run %s: stored text is not what was acknowledged: %d bytes, want %d", v.run, len(got), len(want))
	}
}
