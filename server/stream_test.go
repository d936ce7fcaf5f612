package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
)

// errCut ends a viewer that had as many events as it wanted.
var errCut = errors.New("cut")

// view reads a run's stream with nothing but the rules of text/event-stream: the data of each frame behind the cursor
// after, until the stream ends or until there are limit of them, where limit is not 0.
func (s *server) view(ctx context.Context, id contracts.RunID, after, limit int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/runs/"+id.String()+"/stream", http.NoBody)
	if err != nil {
		return nil, err
	}
	if after > 0 {
		req.Header.Set("Last-Event-ID", strconv.Itoa(after))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end, or given up
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		return nil, fmt.Errorf("stream: %s %s", res.Status, res.Header.Get("Content-Type"))
	}
	var frames []string
	var seq, data string
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 2<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			seq = value
		case "data":
			data = value
		case "event":
			return frames, fmt.Errorf("control frame %s", value)
		case "":
			if data == "" {
				continue
			}
			if want := strconv.Itoa(after + len(frames) + 1); seq != want {
				return frames, fmt.Errorf("frame has id %s, want %s", seq, want)
			}
			frames = append(frames, data)
			data = ""
			if limit != 0 && len(frames) == limit {
				return frames, errCut
			}
		}
	}
	return frames, lines.Err()
}

// history reads a run's whole journal as NDJSON.
func (s *server) history(t *testing.T, id contracts.RunID) []string {
	t.Helper()
	var all []string
	for {
		path := fmt.Sprintf("/runs/%s/events?after=%d&limit=1000", id, len(all))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "application/x-ndjson")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		before := len(all)
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 2<<20)
		for lines.Scan() {
			all = append(all, lines.Text())
		}
		if err := errors.Join(lines.Err(), res.Body.Close()); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("GET %s: %s, %v", path, res.Status, err)
		}
		if len(all) == before {
			return all
		}
	}
}

// checkStream holds a saved stream against the invariants of a run that has ended.
func checkStream(t *testing.T, lines []string) {
	t.Helper()
	events := decodeAll(t, lines)
	if err := runstate.Check(slices.Values(events)); err != nil {
		t.Errorf("the stream: %v", err)
	}
}

// decodeAll reads saved events.
func decodeAll(t *testing.T, lines []string) []contracts.RunEvent {
	t.Helper()
	events := make([]contracts.RunEvent, len(lines))
	for i, line := range lines {
		ev, err := contracts.DecodeEvent([]byte(line))
		if err != nil {
			t.Fatalf("event %d: %v", i+1, err)
		}
		events[i] = ev
	}
	return events
}

// externalTask is a task for an engine that reports over HTTP.
const externalTask = `{"schema_version":2,"goal":"Say something long","backend":{"prefer":["external"]}}`

// tokenLine is a piece of the answer a1 as an engine reports it.
func tokenLine(delta string) string {
	return fmt.Sprintf(`{"schema_version":2,"type":"token","data":{"id":"a1","delta":%q}}`, delta)
}

// report appends lines as an engine does.
func (s *server) report(t *testing.T, id contracts.RunID, lines ...string) {
	t.Helper()
	var appended struct {
		Events []json.RawMessage `json:"events"`
	}
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/events", "["+strings.Join(lines, ",")+"]", &appended)
	if len(appended.Events) < len(lines) {
		t.Fatalf("%d lines were reported, and %d events stored", len(lines), len(appended.Events))
	}
}

// answer ends a pass with the text of a1.
func (s *server) answer(t *testing.T, id contracts.RunID, text string) {
	t.Helper()
	s.must(t, http.MethodPost, "/runs/"+id.String()+"/answer", fmt.Sprintf(`{"message_id":"a1","text":%q}`, text), nil)
}

func TestEveryViewerGetsTheSameBytes(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)

	const batches, perBatch = 60, 7
	half := make(chan struct{})
	viewers := map[string]func() ([]string, error){
		"from the start": func() ([]string, error) { return s.view(t.Context(), id, 0, 0) },
		"late": func() ([]string, error) {
			<-half
			return s.view(t.Context(), id, 0, 0)
		},
		"cut every 50 events": func() ([]string, error) {
			var all []string
			for {
				frames, err := s.view(t.Context(), id, len(all), 50)
				all = append(all, frames...)
				if !errors.Is(err, errCut) {
					return all, err
				}
			}
		},
		"stalled, then resumed": func() ([]string, error) {
			frames, err := s.view(t.Context(), id, 0, 3)
			if !errors.Is(err, errCut) {
				return frames, err
			}
			<-half
			rest, err := s.view(t.Context(), id, len(frames), 0)
			return append(frames, rest...), err
		},
	}
	var mu sync.Mutex
	got := map[string][]string{}
	var wg sync.WaitGroup
	for name, read := range viewers {
		wg.Go(func() {
			frames, err := read()
			if err != nil {
				t.Errorf("viewer %s: %v", name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[name] = frames
		})
	}

	var text strings.Builder
	for batch := range batches {
		if batch == batches/2 {
			close(half)
		}
		lines := make([]string, perBatch)
		for i := range lines {
			delta := fmt.Sprintf("%d.%d <é>\n", batch, i)
			text.WriteString(delta)
			lines[i] = tokenLine(delta)
		}
		s.report(t, id, lines...)
	}
	s.answer(t, id, text.String())
	wg.Wait()

	want := s.history(t, id)
	if len(want) < batches*perBatch {
		t.Fatalf("the journal has %d events, want at least %d", len(want), batches*perBatch)
	}
	checkStream(t, want)
	for name, frames := range got {
		if !slices.Equal(frames, want) {
			t.Errorf("viewer %s got %d events that are not the journal's %d", name, len(frames), len(want))
		}
	}
}

func TestAViewerBehindTheEndIsToldToStop(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	s.answer(t, id, "done")
	last := len(s.history(t, id))
	_, err := s.view(t.Context(), id, last, 0)
	if err == nil || !strings.Contains(err.Error(), "204") {
		t.Fatalf("got %v, want 204", err)
	}
}

func TestAViewerOfALiveRunIsNotKeptWaitingForTheFirstByte(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	start := time.Now() //nolint:forbidigo // the time that a viewer waits
	if frames, err := s.view(t.Context(), id, 0, 1); !errors.Is(err, errCut) || len(frames) != 1 {
		t.Fatalf("got %v, %v", frames, err)
	}
	if waited := time.Since(start); waited > 5*time.Second {
		t.Errorf("the first event took %s", waited)
	}
}
