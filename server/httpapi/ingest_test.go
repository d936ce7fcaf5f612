package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/httpapi"
)

// feeding is a request that stays open: what is written goes to the server as it comes, and answers are read by line.
type feeding struct {
	t    *testing.T
	body *io.PipeWriter
	res  *http.Response
	out  *bufio.Scanner
}

// feed opens one.
func (h *house) feed(id contracts.RunID, query string, headers ...string) *feeding {
	h.t.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL+"/runs/"+id.String()+"/events"+query, r)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Accept", "application/x-ndjson")
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	res, err := h.Client().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	f := &feeding{t: h.t, body: w, res: res, out: bufio.NewScanner(res.Body)}
	h.t.Cleanup(func() {
		_ = w.Close()
		_ = res.Body.Close()
	})
	return f
}

// send writes text as it stands.
func (f *feeding) send(text string) {
	f.t.Helper()
	if _, err := io.WriteString(f.body, text); err != nil {
		f.t.Fatalf("write: %v", err)
	}
}

// ack reads an acknowledgement.
func (f *feeding) ack() contracts.Seq {
	f.t.Helper()
	var acked struct {
		Seq  contracts.Seq `json:"seq"`
		Type string        `json:"type"`
	}
	if err := json.Unmarshal(f.line(), &acked); err != nil || acked.Type != "" {
		f.t.Fatalf("got %s, %v; want an acknowledgement", f.out.Bytes(), err)
	}
	return acked.Seq
}

func (f *feeding) line() []byte {
	f.t.Helper()
	if !f.out.Scan() {
		f.t.Fatalf("the answer ended: %v", f.out.Err())
	}
	return f.out.Bytes()
}

// wantEnd expects the answer's end, after a problem where one is named.
func (f *feeding) wantEnd(problem contracts.ProblemType) contracts.Problem {
	f.t.Helper()
	var p contracts.Problem
	if problem != "" {
		if err := json.Unmarshal(f.line(), &p); err != nil || !p.Has(problem) {
			f.t.Fatalf("got %s, %v; want %s", f.out.Bytes(), err, problem)
		}
	}
	if f.out.Scan() {
		f.t.Fatalf("got %s behind the end", f.out.Bytes())
	}
	return p
}

// thought is a line with a whole thought.
func thought(id string) string {
	return line("thought", `{"id":"`+id+`","delta":"x","final":true}`)
}

// thoughts are the ids of a run's thoughts in order.
func (h *house) thoughts(id contracts.RunID) string {
	h.t.Helper()
	var ids []string
	for _, stored := range h.history(id) {
		ev, err := contracts.DecodeEvent([]byte(stored))
		if err != nil {
			h.t.Fatal(err)
		}
		if data, ok := ev.Data.(*contracts.ThoughtData); ok {
			ids = append(ids, data.ID)
		}
	}
	return strings.Join(ids, " ")
}

func TestIngest(t *testing.T) {
	t.Parallel()

	t.Run("each line is acknowledged as it goes", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		f := h.feed(id, "")
		if f.res.StatusCode != http.StatusOK || f.res.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("status %d, %s", f.res.StatusCode, f.res.Header.Get("Content-Type"))
		}
		f.send(thought("a") + "\n")
		if seq := f.ack(); seq != 3 {
			t.Errorf("acknowledged %d, want 3", seq)
		}
		f.send("[" + thought("b") + "," + thought("c") + "]\n")
		if seq := f.ack(); seq != 5 {
			t.Errorf("acknowledged %d, want 5", seq)
		}
		f.send("\n")
		if seq := f.ack(); seq != 5 {
			t.Errorf("a blank line got %d, want 5", seq)
		}
		f.send(thought("d")) // the last line needs no newline where the body ends as it should
		_ = f.body.Close()
		if seq := f.ack(); seq != 6 {
			t.Errorf("acknowledged %d, want 6", seq)
		}
		f.wantEnd("")
		for range 3 { // by the same connection, where there is one
			if a := h.do("GET", "/runs/"+id.String(), ""); a.status != http.StatusOK {
				t.Errorf("a request behind it: %d %s", a.status, a.body)
			}
		}
		if got := h.thoughts(id); got != "a b c d" {
			t.Errorf("stored %s", got)
		}
	})

	t.Run("lines that wait share an append, and have an answer each", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		f := h.feed(id, "")
		const n = 2000
		go func() {
			var all strings.Builder
			for i := range n {
				fmt.Fprintf(&all, "%s\n", thought(fmt.Sprint("t", i)))
			}
			_, _ = io.WriteString(f.body, all.String())
		}()
		for i := range n {
			if seq := f.ack(); seq != contracts.Seq(i+3) {
				t.Fatalf("line %d got %d", i, seq)
			}
		}
		if got := len(h.history(id)); got != n+2 {
			t.Errorf("%d events", got)
		}
	})

	t.Run("a refused line ends it, and those before it stay", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		f := h.feed(id, "")
		f.send(thought("a") + "\n" + thought("a") + "\n" + thought("b") + "\n")
		if seq := f.ack(); seq != 3 {
			t.Errorf("acknowledged %d", seq)
		}
		if p := f.wantEnd(contracts.ProblemIllegalTransition); len(p.Errors) != 1 {
			t.Errorf("problem %+v", p)
		}
		if got := h.thoughts(id); got != "a" {
			t.Errorf("stored %s", got)
		}
		h.log.wait(t, "status=200", "problem=illegal-transition", "end=refused")
	})

	for name, c := range map[string]struct {
		text string
		want contracts.ProblemType
	}{
		"not JSON":            {"{\n", contracts.ProblemMalformed},
		"invalid":             {line("thought", `{"id":"a b"}`) + "\n", contracts.ProblemInvalidDocument},
		"longer than a batch": {strings.Repeat("x", contracts.MaxBatchBytes+2), contracts.ProblemTooLarge},
	} {
		t.Run("a line that is "+name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			id := h.create("")
			f := h.feed(id, "")
			go func() { _, _ = io.WriteString(f.body, thought("a")+"\n"+c.text) }()
			f.ack()
			f.wantEnd(c.want)
			if got := h.thoughts(id); got != "a" {
				t.Errorf("stored %s", got)
			}
		})
	}

	t.Run("one cut in the middle of a line leaves nothing of it, and comes back", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		conn := h.dial()
		body := thought("a") + "\n" + thought("b")[:20]
		_, err := fmt.Fprintf(conn, "POST /runs/%s/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nAccept: application/x-ndjson\r\n"+
			"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", id, len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		answer := bufio.NewReader(conn)
		for {
			text, err := answer.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, `{"seq":3}`) {
				break
			}
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		h.log.wait(t, "/events", "end=gone")
		if got := h.thoughts(id); got != "a" {
			t.Fatalf("stored %s", got)
		}
		f := h.feed(id, "?after=0") // it never saw the acknowledgement
		f.send(thought("a") + "\n" + thought("b") + "\n")
		if one, two := f.ack(), f.ack(); one != 3 || two != 4 {
			t.Errorf("acknowledged %d and %d", one, two)
		}
		if got := h.thoughts(id); got != "a b" {
			t.Errorf("stored %s", got)
		}
	})

	t.Run("one that comes back is not overtaken by what it left behind", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		first := h.feed(id, "")
		first.send(thought("a") + "\n")
		seq := first.ack()
		second := h.feed(id, fmt.Sprint("?after=", seq))
		second.send(thought("b") + "\n")
		second.ack()
		first.send(thought("b") + "\n")
		first.wantEnd(contracts.ProblemSequenceConflict)
		if got := h.thoughts(id); got != "a b" {
			t.Errorf("stored %s", got)
		}
	})

	t.Run("a slow one is waited for, a silent one is not", func(t *testing.T) {
		t.Parallel()
		h := open(t, func(c *httpapi.Config) {
			c.IngestIdle, c.ReadTimeout, c.AnswerTimeout = 700*time.Millisecond, time.Second, time.Second
		})
		id := h.create("")
		f := h.feed(id, "")
		text := thought("a") + "\n"
		for i := range 6 { // longer than any of the limits, in all
			f.send(text[i*len(text)/6 : (i+1)*len(text)/6])
			time.Sleep(250 * time.Millisecond)
		}
		f.ack()
		f.wantEnd(contracts.ProblemMalformed)
	})

	t.Run("its lease ends it", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		claimed := h.claim()
		f := h.feed(id, "", "Axiom25-Lease: "+claimed.Lease.Token)
		f.send(thought("a") + "\n\n")
		if one, beat := f.ack(), f.ack(); one != 3 || beat != 3 {
			t.Errorf("acknowledged %d and %d", one, beat)
		}
		if a := h.do("DELETE", "/runs/"+id.String()+"/lease", "", "Axiom25-Lease: "+claimed.Lease.Token); a.status != http.StatusNoContent {
			t.Fatalf("give back: %d %s", a.status, a.body)
		}
		f.send(thought("b") + "\n")
		f.wantEnd(contracts.ProblemLeaseLost)
		if got := h.thoughts(id); got != "a" {
			t.Errorf("stored %s", got)
		}
		wantProblem(t, h.do("POST", "/runs/"+id.String()+"/events", thought("b"), "Content-Type: application/x-ndjson",
			"Accept: application/x-ndjson", "Axiom25-Lease: "+claimed.Lease.Token), contracts.ProblemLeaseLost)
	})

	t.Run("the server's end ends it", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		f := h.feed(id, "")
		f.send(thought("a") + "\n")
		f.ack()
		h.api.Close()
		f.wantEnd(contracts.ProblemOverloaded)
	})

	t.Run("the run's end ends it", func(t *testing.T) {
		t.Parallel()
		h := open(t)
		id := h.create("")
		f := h.feed(id, "")
		f.send(line("error", `{"type":"/problems/tool-failed","title":"The tool call failed","status":500,"fatal":true}`) + "\n")
		last := f.ack()
		if got := len(h.history(id)); contracts.Seq(got) != last {
			t.Errorf("acknowledged %d of %d events", last, got)
		}
		f.send(thought("a") + "\n")
		f.wantEnd(contracts.ProblemRunFinished)
	})
}

// dial opens a connection of its own.
func (h *house) dial() net.Conn {
	h.t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(h.t.Context(), "tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// claim claims a run that is there.
func (h *house) claim() contracts.Claimed {
	h.t.Helper()
	return want[contracts.Claimed](h.t, h.do("POST", "/claims", `{"backend":"external","worker":"w"}`), http.StatusOK)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	h := open(t)
	const withKey = `,"inputs":[{"name":"key","text":"open sesame","sensitive":true}]`
	if a := h.do("POST", "/claims", `{"backend":"external"}`); a.status != http.StatusNoContent || a.body != "" {
		t.Fatalf("a claim of nothing: %d %s", a.status, a.body)
	}

	waited := make(chan answer, 1)
	go func() { waited <- h.do("POST", "/claims", `{"backend":"external","wait_ms":30000}`) }()
	id := h.create(withKey)
	claimed := want[contracts.Claimed](t, <-waited, http.StatusOK)
	path, lease := "/runs/"+id.String(), "Axiom25-Lease: "+claimed.Lease.Token
	if claimed.RunID != id || string(claimed.Task) != task(withKey) || claimed.LastSeq != 2 {
		t.Errorf("claimed %+v", claimed)
	}
	if a := h.do("GET", path+"/task", "", lease); a.status != http.StatusOK || a.body != task(withKey) {
		t.Errorf("task of the holder: %d %s", a.status, a.body)
	}
	if a := h.do("GET", path+"/task", ""); strings.Contains(a.body, "sesame") {
		t.Errorf("task of anybody: %s", a.body)
	}
	if s := h.everything(); strings.Contains(s, claimed.Lease.Token[2:]) || strings.Contains(h.log.String(), claimed.Lease.Token[2:]) {
		t.Error("the token's secret stands in the journal or in the log")
	}
	wantProblem(t, h.do("POST", path+"/events", thought("a"), "Content-Type: application/x-ndjson"), contracts.ProblemLeaseLost)
	wantProblem(t, h.do("POST", path+"/answer", `{"message_id":"m","text":"x"}`), contracts.ProblemLeaseLost)
	want[contracts.Appended](t, h.do("POST", path+"/events", thought("a"), "Content-Type: application/x-ndjson", lease), http.StatusOK)
	renewed := want[contracts.LeaseInfo](t, h.do("PUT", path+"/lease", "", lease), http.StatusOK)
	if renewed.Token != claimed.Lease.Token || renewed.ExpiresAt < claimed.Lease.ExpiresAt {
		t.Errorf("renewed %+v", renewed)
	}
	if a := h.do("DELETE", path+"/lease", "", lease); a.status != http.StatusNoContent {
		t.Fatalf("give back: %d %s", a.status, a.body)
	}
	again := h.claim()
	if again.RunID != id || again.Lease.Epoch != 2 || again.EngineSeq != 3 {
		t.Errorf("claimed again %+v", again)
	}
	judged := want[contracts.Judged](t, h.do("POST", path+"/answer", `{"message_id":"m","text":"x"}`, "Axiom25-Lease: "+again.Lease.Token), http.StatusOK)
	if judged.Done == nil {
		t.Errorf("judged %+v", judged)
	}
}

func TestClaims_endWithTheServer(t *testing.T) {
	t.Parallel()
	h := open(t)
	got := make(chan answer, 1)
	go func() { got <- h.do("POST", "/claims", `{"backend":"external","wait_ms":30000}`) }()
	time.Sleep(100 * time.Millisecond)
	h.api.Close()
	if a := <-got; a.status != http.StatusNoContent {
		t.Errorf("status %d %s", a.status, a.body)
	}
}

func TestFork(t *testing.T) {
	t.Parallel()
	h := open(t)
	parent := h.create("")
	last := h.finish(parent)
	fork := func(body string, headers ...string) answer {
		return h.do("POST", "/runs/"+parent.String()+"/fork", body, headers...)
	}
	a := fork(fmt.Sprintf(`{"seq":%d}`, last), "Idempotency-Key: k")
	child := want[contracts.Created](t, a, http.StatusCreated)
	if a.header.Get("Location") != "/runs/"+child.RunID.String() {
		t.Errorf("Location %s", a.header.Get("Location"))
	}
	snapshot := want[contracts.Snapshot](t, h.do("GET", "/runs/"+child.RunID.String(), ""), http.StatusOK)
	if snapshot.ForkedFrom == nil || *snapshot.ForkedFrom != (contracts.ForkOrigin{RunID: parent, Seq: last}) || snapshot.State != contracts.StateQueued {
		t.Errorf("snapshot %+v", snapshot)
	}
	a = fork(fmt.Sprintf(`{"seq":%d}`, last), "Idempotency-Key: k")
	if again := want[contracts.Created](t, a, http.StatusOK); again.RunID != child.RunID || a.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again %+v", again)
	}
	other := want[contracts.Created](t, fork(`{"seq":1,"task":{"schema_version":1,"goal":"older","inputs":{"a":"b"}}}`), http.StatusCreated)
	if shown := h.do("GET", "/runs/"+other.RunID.String()+"/task", ""); shown.body != `{"schema_version":1,"goal":"older","inputs":{"a":"b"}}` {
		t.Errorf("task %s", shown.body)
	}
	p := wantProblem(t, fork(fmt.Sprintf(`{"seq":%d}`, last+1)), contracts.ProblemInvalidDocument)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "#/seq" {
		t.Errorf("problem %+v", p)
	}
}
