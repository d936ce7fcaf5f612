package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/client"
)

const run = contracts.RunID("run_01jq0000000000000000000000")

// line is the event with this seq as a journal holds it: a thought, or done where it is the last.
func line(seq, last int) string {
	const envelope = `{"schema_version":2,"run_id":"%s","seq":%d,"time":"2026-01-02T03:04:05.678Z","type":"%s","data":%s}`
	if seq < last {
		return fmt.Sprintf(envelope, run, seq, "thought", `{"id":"t","delta":"x","attempt":1,"kind":"plan"}`)
	}
	digest := contracts.DigestText("")
	return fmt.Sprintf(envelope, run, seq, "done", `{"status":"succeeded","used":{"tokens_in":0,"tokens_out":0,`+
		`"tokens_cached":0,"tokens_reasoning":0,"wall_ms":0,"active_ms":0,"tool_calls":0,"branches":1,"reflections":0,`+
		`"cost_microusd":0},"receipts":0,"receipts_head":"`+string(digest)+`"}`)
}

// frame is an event on the wire.
func frame(seq, last int) string { return fmt.Sprintf("id: %d\ndata: %s\n\n", seq, line(seq, last)) }

// server answers the n-th connection, counted from 0, with answer.
func server(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) *client.Client {
	t.Helper()
	var connections atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, int(connections.Add(1)-1))
	}))
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "", s.Client())
	if err != nil {
		t.Fatal(err)
	}
	c.Backoff, c.MaxBackoff, c.Quiet = time.Millisecond, time.Millisecond, 5*time.Second
	return c
}

// cursor is the event that a connection continues behind.
func cursor(t *testing.T, r *http.Request) int {
	t.Helper()
	header := r.Header.Get("Last-Event-ID")
	if header == "" {
		return 0
	}
	seq, err := strconv.Atoi(header)
	if err != nil {
		t.Errorf("Last-Event-ID %q", header)
	}
	return seq
}

// write sends one piece of a stream and pushes it out.
func write(t *testing.T, w http.ResponseWriter, text string) {
	t.Helper()
	w.Header().Set("Content-Type", "text/event-stream")
	if _, err := strings.NewReader(text).WriteTo(w); err != nil {
		t.Errorf("write: %v", err)
	}
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Errorf("flush: %v", err)
	}
}

// follow collects what a follower hands on: the seqs, and the error that ended it.
func follow(t *testing.T, c *client.Client, after contracts.Seq) ([]contracts.Seq, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var seqs []contracts.Seq
	for ev, err := range c.Follow(ctx, run, after) {
		if err != nil {
			return seqs, err
		}
		seqs = append(seqs, ev.Seq)
	}
	return seqs, nil
}

// upTo returns first..last.
func upTo(first, last contracts.Seq) []contracts.Seq {
	var seqs []contracts.Seq
	for s := first; s <= last; s++ {
		seqs = append(seqs, s)
	}
	return seqs
}

func TestFollowIsWholeWhateverTheConnectionsDo(t *testing.T) {
	t.Parallel()
	const last = 9
	whole := func(from int) (text string) {
		for seq := from + 1; seq <= last; seq++ {
			text += frame(seq, last)
		}
		return text
	}
	next := func(from int) string { return frame(from+1, last) }
	cases := map[string]func(send func(string), w http.ResponseWriter, from, n int){
		"one connection": func(send func(string), _ http.ResponseWriter, from, _ int) {
			send("retry: 1000\n: hello\n\n" + whole(from))
		},
		"cut after each event": func(send func(string), _ http.ResponseWriter, from, _ int) {
			send(next(from))
		},
		"cut behind the id line": func(send func(string), _ http.ResponseWriter, from, n int) {
			if n%2 == 0 {
				send(fmt.Sprintf("id: %d\n", from+1))
				return
			}
			send(next(from))
		},
		"cut behind the data line": func(send func(string), _ http.ResponseWriter, from, _ int) {
			text := next(from)
			send(text[:len(text)-1])
		},
		"cut within the data line": func(send func(string), _ http.ResponseWriter, from, n int) {
			text := next(from)
			if n%2 == 0 {
				text = text[:len(text)-20]
			}
			send(text)
		},
		"events sent twice": func(send func(string), _ http.ResponseWriter, _, _ int) {
			send(frame(1, last) + frame(1, last) + whole(0))
		},
		"an event left out once": func(send func(string), _ http.ResponseWriter, from, n int) {
			if n == 0 {
				send(frame(1, last) + frame(3, last))
				return
			}
			send(whole(from))
		},
		"control frames between": func(send func(string), _ http.ResponseWriter, from, _ int) {
			send("event: news\ndata: {}\n\n" + ": hb\n\n" + whole(from))
		},
		"the journal cannot be read for a while": func(send func(string), _ http.ResponseWriter, from, n int) {
			if n < 2 {
				send(next(from) + "event: problem\ndata: {\"type\":\"/problems/journal-unavailable\",\"title\":\"x\",\"status\":503}\n\n")
				return
			}
			send(whole(from))
		},
		"shed at first": func(send func(string), w http.ResponseWriter, from, n int) {
			if n < 3 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			send(whole(from))
		},
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := server(t, func(w http.ResponseWriter, r *http.Request, n int) {
				answer(func(text string) { write(t, w, text) }, w, cursor(t, r), n)
			})
			seqs, err := follow(t, c, 0)
			if err != nil || !slices.Equal(seqs, upTo(1, last)) {
				t.Fatalf("got %v, %v; want 1..%d and no error", seqs, err, last)
			}
		})
	}
}

func TestFollowHandsOnTheBytesAsTheyWere(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { write(t, w, frame(1, 1)) })
	for ev, err := range c.Follow(t.Context(), run, 0) {
		if err != nil || string(ev.JSON) != line(1, 1) {
			t.Fatalf("got %q, %v; want %q", ev.JSON, err, line(1, 1))
		}
	}
}

func TestFollowFromACursor(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if got := cursor(t, r); got != 7 {
			t.Errorf("cursor %d, want 7", got)
		}
		write(t, w, frame(8, 9)+frame(9, 9))
	})
	if seqs, err := follow(t, c, 7); err != nil || !slices.Equal(seqs, upTo(8, 9)) {
		t.Fatalf("got %v, %v", seqs, err)
	}
}

func TestFollowEndsWhereNoOtherConnectionWouldDoBetter(t *testing.T) {
	t.Parallel()
	t.Run("the run had ended before the cursor", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNoContent) })
		if seqs, err := follow(t, c, 9); err != nil || len(seqs) != 0 {
			t.Fatalf("got %v, %v; want nothing", seqs, err)
		}
	})
	t.Run("a problem", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", contracts.ProblemMediaType)
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"type":"/problems/not-found","title":"There is nothing here","status":404}`))
		})
		_, err := follow(t, c, 0)
		var problem *contracts.Problem
		if !errors.As(err, &problem) || !problem.Has(contracts.ProblemNotFound) {
			t.Fatalf("got %v, want not-found", err)
		}
	})
	t.Run("a problem in the middle", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			write(t, w, frame(1, 9)+"event: problem\ndata: {\"type\":\"/problems/history-damaged\",\"title\":\"x\",\"status\":500}\n\n")
		})
		seqs, err := follow(t, c, 0)
		var problem *contracts.Problem
		if !errors.As(err, &problem) || !problem.Has(contracts.ProblemHistoryDamaged) || !slices.Equal(seqs, upTo(1, 1)) {
			t.Fatalf("got %v, %v; want event 1 and history-damaged", seqs, err)
		}
	})
	t.Run("not a problem document", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusTeapot) })
		_, err := follow(t, c, 0)
		var status *client.StatusError
		if !errors.As(err, &status) || status.Code != http.StatusTeapot {
			t.Fatalf("got %v, want the status", err)
		}
	})
	t.Run("a cursor ahead of the journal", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			write(t, w, "id\nevent: reset\ndata: {\"last_seq\":3}\n\n"+frame(1, 3))
		})
		if seqs, err := follow(t, c, 7); !errors.Is(err, client.ErrReset) || len(seqs) != 0 {
			t.Fatalf("got %v, %v; want ErrReset", seqs, err)
		}
	})
	t.Run("an event that is wrong each time", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			write(t, w, frame(1, 9)+"id: 2\ndata: {\"type\":\"thought\"}\n\n")
		})
		seqs, err := follow(t, c, 0)
		var problem *contracts.Problem
		if !errors.As(err, &problem) || !slices.Equal(seqs, upTo(1, 1)) {
			t.Fatalf("got %v, %v; want event 1 and the problem of event 2", seqs, err)
		}
	})
	t.Run("a gap each time", func(t *testing.T) {
		t.Parallel()
		c := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			write(t, w, frame(cursor(t, r)+2, 9))
		})
		if seqs, err := follow(t, c, 0); err == nil || len(seqs) != 0 {
			t.Fatalf("got %v, %v; want an error and nothing", seqs, err)
		}
	})
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		c, err := client.New("http://127.0.0.1:1", "", http.DefaultClient)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := follow(t, c, 0); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the connection's error at once", err)
		}
	})
}

func TestFollowLeavesASilentStream(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 0 {
			write(t, w, frame(1, 2))
			<-r.Context().Done()
			return
		}
		write(t, w, frame(2, 2))
	})
	c.Quiet = 50 * time.Millisecond
	var notices []client.Notice
	c.OnRetry = func(n client.Notice) { notices = append(notices, n) }
	if seqs, err := follow(t, c, 0); err != nil || !slices.Equal(seqs, upTo(1, 2)) {
		t.Fatalf("got %v, %v", seqs, err)
	}
	if len(notices) != 1 || notices[0].Attempt != 1 || notices[0].Cause == nil {
		t.Fatalf("notices %+v, want one", notices)
	}
}

func TestFollowWaitsAsLongAsTheServerAsks(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 0 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		write(t, w, frame(1, 1))
	})
	var waits []time.Duration
	c.OnRetry = func(n client.Notice) { waits = append(waits, n.Wait) }
	if _, err := follow(t, c, 0); err != nil || !slices.Equal(waits, []time.Duration{time.Second}) {
		t.Fatalf("waits %v, %v; want one of 1 s", waits, err)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		write(t, w, frame(1, 9))
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Follow(ctx, run, 0) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Fatalf("got %v, want the context's error", last)
	}
}

func TestFollowStopsWithItsConsumer(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		write(t, w, frame(1, 9)+frame(2, 9))
		<-r.Context().Done()
	})
	for ev, err := range c.Follow(t.Context(), run, 0) {
		if err != nil || ev.Seq != 1 {
			t.Fatalf("got %d, %v", ev.Seq, err)
		}
		break
	}
}

func TestNewRefusesWhatIsNotAnAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "127.0.0.1:8025", "localhost:8025", "ftp://host", "http://", "http://[::1"} {
		if _, err := client.New(address, "", http.DefaultClient); err == nil {
			t.Errorf("New(%q) gives no error", address)
		}
	}
}

func TestRequestsCarryTheTokenAndReadTheAnswer(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /runs", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"run_id":%q,"state":"queued","links":{"page":"/r/x"}}`, run)
	})
	mux.HandleFunc("POST /runs/{id}/cancel", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contracts.ProblemMediaType)
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"type":"/problems/run-finished","title":"The run has finished","status":409}`))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	c, err := client.New(s.URL, "secret", s.Client())
	if err != nil {
		t.Fatal(err)
	}
	created, err := c.Create(t.Context(), []byte("{}"))
	if err != nil || created.RunID != run || created.Links.Page != "/r/x" {
		t.Fatalf("got %+v, %v", created, err)
	}
	var problem *contracts.Problem
	if err := c.Cancel(t.Context(), run, "enough"); !errors.As(err, &problem) || !problem.Has(contracts.ProblemRunFinished) {
		t.Fatalf("got %v, want run-finished", err)
	}
}
