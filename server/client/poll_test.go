package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/client"
)

// unstreamed answers as a server does that was told not to stream: 406 for the stream, the n-th page, counted from 0, by
// page, and the run by its snapshot.
func unstreamed(t *testing.T, snapshot string, page func(w http.ResponseWriter, after, n int)) *client.Client {
	t.Helper()
	var pages atomic.Int64
	return server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch path := strings.TrimPrefix(r.URL.Path, "/runs/"+run.String()); path {
		case "/stream":
			w.Header().Set("Content-Type", contracts.ProblemMediaType)
			w.WriteHeader(http.StatusNotAcceptable)
			_, _ = w.Write([]byte(`{"type":"/problems/not-acceptable","title":"No acceptable representation","status":406}`))
		case "/events":
			after, err := strconv.Atoi(r.URL.Query().Get("after"))
			wait, waitErr := strconv.Atoi(r.URL.Query().Get("wait"))
			if err != nil || waitErr != nil || wait < 1 || wait > 30000 {
				t.Errorf("GET %s", r.URL)
			}
			page(w, after, int(pages.Add(1)-1))
		case "":
			_, _ = w.Write([]byte(snapshot))
		default:
			t.Errorf("GET %s", r.URL)
		}
	})
}

// pageOf writes a page of the events from..to of a run that has last.
func pageOf(w http.ResponseWriter, from, to, last int) {
	lines := make([]string, 0, to-from+1)
	for seq := from; seq <= to; seq++ {
		lines = append(lines, line(seq, last))
	}
	_, _ = fmt.Fprintf(w, `{"events":[%s],"last_seq":%d}`, strings.Join(lines, ","), to)
}

const (
	liveRun  = `{"run_id":"run_01jq0000000000000000000000","state":"running","last_seq":3}`
	endedRun = `{"run_id":"run_01jq0000000000000000000000","state":"failed","last_seq":3,"done":{"status":"failed"}}`
)

func TestFollowPollsWhereTheServerDoesNotStream(t *testing.T) {
	t.Parallel()
	const last = 9
	cases := map[string]func(w http.ResponseWriter, after, n int){
		"one page":            func(w http.ResponseWriter, after, _ int) { pageOf(w, after+1, last, last) },
		"an event at a time":  func(w http.ResponseWriter, after, _ int) { pageOf(w, after+1, after+1, last) },
		"pages without event": func(w http.ResponseWriter, after, n int) { pageOf(w, after+1, after+n%2, last) },
		"pages that fail": func(w http.ResponseWriter, after, n int) {
			switch n % 3 {
			case 0:
				w.WriteHeader(http.StatusBadGateway)
			case 1:
				_, _ = w.Write([]byte(`{"events":[`))
			default:
				pageOf(w, after+1, after+1, last)
			}
		},
	}
	for name, page := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := unstreamed(t, liveRun, page)
			if seqs, err := follow(t, c, 0); err != nil || !slices.Equal(seqs, upTo(1, last)) {
				t.Fatalf("got %v, %v", seqs, err)
			}
		})
	}

	t.Run("the bytes are the journal's", func(t *testing.T) {
		t.Parallel()
		c := unstreamed(t, liveRun, func(w http.ResponseWriter, _, _ int) { pageOf(w, 1, 1, 1) })
		for ev, err := range c.Follow(t.Context(), run, 0) {
			if err != nil || string(ev.JSON) != line(1, 1) {
				t.Fatalf("got %s, %v", ev.JSON, err)
			}
		}
	})
	t.Run("the run had ended before the cursor", func(t *testing.T) {
		t.Parallel()
		c := unstreamed(t, endedRun, func(w http.ResponseWriter, after, _ int) { pageOf(w, after+1, after, last) })
		if seqs, err := follow(t, c, 3); err != nil || len(seqs) != 0 {
			t.Fatalf("got %v, %v; want nothing", seqs, err)
		}
	})
	t.Run("a cursor ahead of the journal", func(t *testing.T) {
		t.Parallel()
		c := unstreamed(t, liveRun, func(w http.ResponseWriter, _, _ int) { pageOf(w, 4, 3, last) })
		if seqs, err := follow(t, c, 7); !errors.Is(err, client.ErrReset) || len(seqs) != 0 {
			t.Fatalf("got %v, %v; want ErrReset", seqs, err)
		}
	})
	t.Run("a problem", func(t *testing.T) {
		t.Parallel()
		c := unstreamed(t, liveRun, func(w http.ResponseWriter, _, _ int) {
			w.Header().Set("Content-Type", contracts.ProblemMediaType)
			w.WriteHeader(http.StatusGone)
			_, _ = w.Write([]byte(`{"type":"/problems/history-pruned","title":"The history was pruned","status":410}`))
		})
		_, err := follow(t, c, 0)
		var problem *contracts.Problem
		if !errors.As(err, &problem) || !problem.Has(contracts.ProblemHistoryPruned) {
			t.Fatalf("got %v, want history-pruned", err)
		}
	})
	t.Run("a page that does not come", func(t *testing.T) {
		t.Parallel()
		gone := make(chan struct{})
		c := unstreamed(t, liveRun, func(w http.ResponseWriter, after, n int) {
			if n == 0 {
				<-gone
				return
			}
			pageOf(w, after+1, last, last)
		})
		t.Cleanup(func() { close(gone) }) // before the server closes, which waits for it
		c.Quiet = 50 * time.Millisecond
		if seqs, err := follow(t, c, 0); err != nil || !slices.Equal(seqs, upTo(1, last)) {
			t.Fatalf("got %v, %v", seqs, err)
		}
	})
}
