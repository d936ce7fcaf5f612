package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
)

// streamReports sends lines behind a cursor by one open request, as fast as the server takes them, and returns the
// acknowledgements that came before it ended. seen, where not nil, is told of each.
func (s *server) streamReports(ctx context.Context, id contracts.RunID, after contracts.Seq, lines []string, seen func(n int)) ([]contracts.Seq, error) {
	r, w := io.Pipe()
	url := fmt.Sprintf("%s/runs/%s/events?after=%d", s.url, id, after)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, r)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Accept", "application/x-ndjson")
	written := make(chan struct{})
	go func() {
		defer close(written)
		for _, line := range lines {
			if _, err := io.WriteString(w, line+"\n"); err != nil {
				return
			}
		}
		_ = w.Close()
	}()
	defer func() {
		_ = r.Close()
		<-written
	}()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read to its end, or cut
	var acks []contracts.Seq
	answer := bufio.NewReader(res.Body)
	for {
		line, err := answer.ReadBytes('\n')
		if err != nil { // the piece of a line that was cut off acknowledges nothing
			return acks, nil
		}
		var acked contracts.Acked
		if err := json.Unmarshal(line, &acked); err != nil || acked.Seq == 0 {
			return acks, fmt.Errorf("line %d: %s", len(acks), line)
		}
		acks = append(acks, acked.Seq)
		if seen != nil {
			seen(len(acks))
		}
	}
}

// A server that is killed while engines stream to it has stored all that it acknowledged; and an engine that comes back
// with its last acknowledgement, and sends what came after it again, has everything stored once and in order.
func TestKillAmidStreamedReports(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := startServer(t, data)
	id := s.create(t, externalTask)
	const n = 4000
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"schema_version":2,"type":"thought","data":{"id":"t%d","delta":"x","final":true}}`, i)
	}
	acks, err := s.streamReports(t.Context(), id, 0, lines, func(count int) {
		if count == 300 {
			s.kill(t)
		}
	})
	if err != nil || len(acks) < 300 || len(acks) == n {
		t.Fatalf("%d lines acknowledged, %v", len(acks), err)
	}

	s = startServer(t, data)
	if stored := len(s.history(t, id)); contracts.Seq(stored) < acks[len(acks)-1] {
		t.Fatalf("%d events are there, %d were acknowledged", stored, acks[len(acks)-1])
	}
	// It lost the last acknowledgements on their way, too.
	known := len(acks) - 100
	more, err := s.streamReports(t.Context(), id, acks[known-1], lines[known:], nil)
	if err != nil || len(more) != n-known {
		t.Fatalf("%d of %d lines acknowledged, %v", len(more), n-known, err)
	}
	next := 0
	for _, line := range s.history(t, id) {
		ev, err := contracts.DecodeEvent([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		thought, ok := ev.Data.(*contracts.ThoughtData)
		if !ok {
			continue
		}
		if want := fmt.Sprint("t", next); thought.ID != want {
			t.Fatalf("event %d is %s, want %s", ev.Seq, thought.ID, want)
		}
		next++
	}
	if next != n {
		t.Errorf("%d thoughts, want %d", next, n)
	}
}

func TestCurlStreamsReports(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("curl is not installed")
	}
	s := startServer(t, t.TempDir())
	id := s.create(t, externalTask)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, curl, "-sN", "-X", "POST", "-T", ".", s.url+"/runs/"+id.String()+"/events?after=0", //nolint:gosec // the test's own address
		"-H", "Content-Type: application/x-ndjson", "-H", "Accept: application/x-ndjson")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewScanner(out)
	for _, step := range []struct{ send, want string }{
		{tokenLine("forty-") + "\n", `{"seq":3}`},
		{"\n", `{"seq":3}`},
		{"[" + tokenLine("t") + "," + tokenLine("wo") + "]\n", `{"seq":5}`},
	} {
		if _, err := io.WriteString(in, step.send); err != nil {
			t.Fatal(err)
		}
		if !answer.Scan() || answer.Text() != step.want {
			t.Fatalf("sent %s, got %s, %v", strings.TrimSpace(step.send), answer.Text(), answer.Err())
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if answer.Scan() {
		t.Errorf("got %s behind the end", answer.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("curl: %v", err)
	}
}
