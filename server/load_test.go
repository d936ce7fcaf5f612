package main_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"axiom25/contracts"
)

// The load benchmarks drive a real server over HTTP on loopback. The server has the first core for itself, the generator,
// which is this process, has the second; so neither helps nor hinders the other. What a server cannot do without is
// measured in the same run, by a process of its own in the server's place: the floor.

const (
	serverCore    = "0"
	generatorCore = "1"
)

// apart moves this process to the generator's core until the benchmark ends. Where there is one core, or no taskset, both
// share what there is, and the figures say less.
func apart(b *testing.B) {
	b.Helper()
	if runtime.NumCPU() < 2 {
		b.Log("one core: server and generator share it")
		return
	}
	pin := func(cores string) {
		out, err := exec.Command("taskset", "-apc", cores, strconv.Itoa(os.Getpid())).CombinedOutput() //nolint:gosec,noctx // constants
		if err != nil {
			b.Logf("not pinned: %v %s", err, out)
		}
	}
	pin(generatorCore)
	procs := runtime.GOMAXPROCS(1)
	b.Cleanup(func() {
		runtime.GOMAXPROCS(procs)
		pin("0-" + strconv.Itoa(procs-1))
	})
}

// pinned is a command line that keeps a program on the server's core.
func pinned(program string, args ...string) (string, []string) {
	taskset, err := exec.LookPath("taskset")
	if err != nil || runtime.NumCPU() < 2 {
		return program, args
	}
	return taskset, append([]string{"-c", serverCore, program}, args...)
}

// plainBinary builds the program without the race detector, once.
var plainBinary = sync.OnceValues(func() (string, error) { //nolint:gochecknoglobals // built when the first benchmark asks for it
	path := filepath.Join(filepath.Dir(binary), "axiom25-plain")
	return path, goTool("build", "-o", path, "axiom25/server")
})

// loadServer starts a server on its core.
func loadServer(b *testing.B, data string) *server {
	b.Helper()
	program, err := plainBinary()
	if err != nil {
		b.Fatal(err)
	}
	program, args := pinned(program, "serve", "--addr", "127.0.0.1:0", "--data", data,
		"--open-rate", "100000", "--replay-rate", "100000") // how viewers are admitted is measured elsewhere
	return startProcess(b, program, args...)
}

// floorServer starts what a server cannot do less than, on the server's core; see runFloor.
func floorServer(b *testing.B, kind string, args ...string) *server {
	b.Helper()
	program, rest := pinned("/usr/bin/env", append([]string{floorVariable + "=" + kind, os.Args[0]}, args...)...)
	return startProcess(b, program, rest...)
}

// cpu is the processor time that a process has used.
func (s *server) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime, tick = 11, 12, 10 * time.Millisecond // fields behind the name, see proc(5); USER_HZ is 100
	user, errUser := strconv.ParseInt(fields[utime], 10, 64)
	system, errSystem := strconv.ParseInt(fields[stime], 10, 64)
	if err := errors.Join(errUser, errSystem); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * tick
}

// memory is what a process has of memory for itself, in bytes.
func (s *server) memory(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	var sum int64
	for line := range strings.Lines(string(status)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "Private_Dirty" || name == "Private_Clean" {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += kib << 10
		}
	}
	return sum
}

// spread are measured times.
type spread struct {
	mu    sync.Mutex
	times []time.Duration
}

// add takes times in.
func (s *spread) add(times ...time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, times...)
}

// report adds the usual quantiles to a benchmark's line.
func (s *spread) report(b *testing.B) {
	b.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.times) == 0 {
		b.Fatal("nothing was measured")
	}
	slices.Sort(s.times)
	for name, q := range map[string]float64{"p50-ms": 0.5, "p99-ms": 0.99, "p99.9-ms": 0.999} {
		at := s.times[min(int(q*float64(len(s.times))), len(s.times)-1)]
		b.ReportMetric(float64(at)/float64(time.Millisecond), name)
	}
}

// wire is a connection that speaks just enough HTTP to load a server without being the load.
type wire struct {
	host string
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

// dial connects to a server.
func dial(tb testing.TB, url string) *wire {
	tb.Helper()
	host := strings.TrimPrefix(url, "http://")
	var d net.Dialer
	conn, err := d.DialContext(tb.Context(), "tcp", host)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return &wire{host: host, conn: conn, in: bufio.NewReader(conn)}
}

// do sends one request and returns the answer, whose body must be read to its end before the next.
func (w *wire) do(method, path, header string, body []byte) (*http.Response, error) {
	w.out = append(w.out[:0], method+" "+path+" HTTP/1.1\r\nHost: "+w.host+"\r\n"+header...)
	if body != nil {
		w.out = fmt.Appendf(w.out, "Content-Length: %d\r\n", len(body))
	}
	w.out = append(append(w.out, "\r\n"...), body...)
	if _, err := w.conn.Write(w.out); err != nil {
		return nil, err
	}
	return http.ReadResponse(w.in, nil)
}

// producer is an engine that reports to one run.
type producer struct {
	*wire
	run   contracts.RunID
	after int64
	sent  int
	body  []byte
	acks  *bufio.Reader // of an open request
}

// loadTask is a run that lives as long as a benchmark.
const loadTask = `{"schema_version":2,"goal":"Carry a load","backend":{"prefer":["external"]},"profile":"max"}`

// newProducer makes a run and an engine for it.
func newProducer(tb testing.TB, s *server) *producer {
	tb.Helper()
	p := &producer{wire: dial(tb, s.url)}
	res, err := p.do(http.MethodPost, "/runs", "Content-Type: application/json\r\n", []byte(loadTask)) //nolint:bodyclose // it ends with the connection
	if err != nil {
		tb.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusCreated {
		tb.Fatalf("create: %s %s %v", res.Status, body, err)
	}
	const field = `"run_id":"`
	at := bytes.Index(body, []byte(field)) + len(field)
	p.run = contracts.RunID(body[at : at+len("run_")+26])
	p.after = 0
	return p
}

// messageTokens is after how many pieces of text a producer begins a new message.
const messageTokens = 500

// report appends n tokens, the text of each is text and the time, and returns when they are durable.
func (p *producer) report(n int, text string) error {
	p.body = p.body[:0]
	for range n {
		p.token(text)
		p.body = append(p.body, '\n')
	}
	return p.post()
}

// token adds one to the body.
func (p *producer) token(text string) {
	p.sent++
	p.body = fmt.Appendf(p.body, `{"schema_version":2,"type":"token","data":{"id":"m%d","delta":"%s%d","final":%t}}`,
		p.sent/messageTokens, text, time.Now().UnixNano(), p.sent%messageTokens == messageTokens-1) //nolint:forbidigo // what is measured
}

// openFeed begins a request that stays open, for reportOpen.
func (p *producer) openFeed() error {
	head := "Content-Type: application/x-ndjson\r\nAccept: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
	res, err := p.do(http.MethodPost, "/runs/"+p.run.String()+"/events?after="+strconv.FormatInt(p.after, 10), head, nil) //nolint:bodyclose // it ends with the connection
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("open: %s", res.Status)
	}
	p.acks = bufio.NewReader(res.Body)
	return nil
}

// reportOpen appends n tokens as one line of the open request, and returns when they are durable.
func (p *producer) reportOpen(n int, text string) error {
	p.body = append(p.body[:0], '[')
	for range n {
		if len(p.body) > 1 {
			p.body = append(p.body, ',')
		}
		p.token(text)
	}
	p.body = append(p.body, "]\n"...)
	p.out = append(append(fmt.Appendf(p.out[:0], "%x\r\n", len(p.body)), p.body...), "\r\n"...)
	if _, err := p.conn.Write(p.out); err != nil {
		return err
	}
	line, err := p.acks.ReadSlice('\n')
	if err != nil {
		return err
	}
	digits, _ := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("}\n")), []byte(`{"seq":`))
	seq, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || seq <= p.after {
		return fmt.Errorf("append behind %d was answered %q", p.after, line)
	}
	p.after = seq
	return nil
}

// post sends the body and takes the new cursor from the answer.
func (p *producer) post() error {
	path := "/runs/" + p.run.String() + "/events"
	if p.after > 0 {
		path += "?after=" + strconv.FormatInt(p.after, 10)
	}
	res, err := p.do(http.MethodPost, path, "Content-Type: application/x-ndjson\r\n", p.body) //nolint:bodyclose // it ends with the connection
	if err != nil {
		return err
	}
	var head [32]byte
	n, err := io.ReadFull(res.Body, head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	rest, err := io.Copy(io.Discard, res.Body)
	if err != nil {
		return err
	}
	digits, _, _ := strings.Cut(strings.TrimPrefix(string(head[:n]), `{"seq":`), ",")
	seq, err := strconv.ParseInt(strings.TrimSuffix(digits, "}"), 10, 64)
	if res.StatusCode != http.StatusOK || err != nil {
		return fmt.Errorf("append: %s %s… (%d bytes)", res.Status, head[:n], rest)
	}
	if seq <= p.after {
		return fmt.Errorf("append behind %d ended at %d", p.after, seq)
	}
	p.after = seq
	return nil
}

// stored reads a run back and holds it against what its producer was told: no number is missing, none is twice, and every
// token is there.
func (p *producer) stored(b *testing.B) {
	b.Helper()
	var tokens int
	for after := int64(0); ; {
		res, err := p.do(http.MethodGet, fmt.Sprintf("/runs/%s/events?after=%d&limit=1000", p.run, after), "Accept: application/x-ndjson\r\n", nil) //nolint:bodyclose // it ends with the connection
		if err != nil {
			b.Fatal(err)
		}
		lines := 0
		in := bufio.NewReader(res.Body)
		for {
			line, err := in.ReadSlice('\n')
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			after++
			lines++
			if !bytes.Contains(line, []byte(`,"seq":`+strconv.FormatInt(after, 10)+`,`)) {
				b.Fatalf("run %s: event %d reads %.200s", p.run, after, line)
			}
			if bytes.Contains(line, []byte(`"type":"token"`)) {
				tokens++
			}
		}
		if lines == 0 {
			break
		}
	}
	if tokens != p.sent {
		b.Fatalf("run %s: %d tokens are stored, %d were acknowledged", p.run, tokens, p.sent)
	}
}

// viewer is a connection that reads a stream.
type viewer struct {
	*wire
	*streamReader
}

// view opens a stream behind a cursor.
func view(tb testing.TB, url string, path string, after int64) *viewer {
	tb.Helper()
	w := dial(tb, url)
	res, err := w.do(http.MethodGet, path, fmt.Sprintf("Accept: text/event-stream\r\nLast-Event-ID: %d\r\n", after), nil) //nolint:bodyclose // it ends with the connection
	if err != nil {
		tb.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		tb.Fatalf("stream: %s", res.Status)
	}
	return &viewer{w, newStreamReader(res.Body, after)}
}

// streamReader reads a run's stream and holds it against its numbers.
type streamReader struct {
	in   *bufio.Reader
	next int64
}

// errOutOfOrder says that a stream did not go on with the next event.
var errOutOfOrder = errors.New("not the next event")

func newStreamReader(r io.Reader, after int64) *streamReader {
	return &streamReader{bufio.NewReader(r), after + 1}
}

// event returns the data of the next event, which is good until the next call. A number that is not the next one is
// errOutOfOrder, and so is a cursor that the server takes back.
func (s *streamReader) event() ([]byte, error) {
	numbered := false
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if id, ok := bytes.CutPrefix(line, []byte("id:")); ok {
			seq, err := strconv.ParseInt(string(bytes.TrimSpace(id)), 10, 64)
			if err != nil || seq != s.next {
				return nil, fmt.Errorf("%w: %q in the place of %d", errOutOfOrder, id, s.next)
			}
			numbered = true
		}
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && numbered {
			s.next++
			return data, nil
		}
	}
}

// sentAt returns when a token was made that a producer reported with text; ok is false for another event.
func sentAt(data []byte, text string) (at time.Time, ok bool) {
	_, rest, found := bytes.Cut(data, []byte(`"delta":"`+text))
	digits, _, closed := bytes.Cut(rest, []byte{'"'})
	nanos, err := strconv.ParseInt(string(digits), 10, 64)
	return time.Unix(0, nanos), found && closed && err == nil
}

// every calls f at a fixed rate until ctx ends or n calls were made. A call that is late is made at once, and the next ones
// keep to their times, so that a slow server is not waited for.
func every(ctx context.Context, period time.Duration, n int, f func() error) error {
	began := time.Now() //nolint:forbidigo // what is measured
	for i := range n {
		timer := time.NewTimer(time.Until(began.Add(time.Duration(i) * period)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// firstError keeps the first error of many goroutines.
type firstError struct {
	mu  sync.Mutex
	err error
}

// set keeps err where it is the first.
func (f *firstError) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = cmp.Or(f.err, err)
}

// check ends the test where something went wrong.
func (f *firstError) check(tb testing.TB) {
	tb.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		tb.Fatal(f.err)
	}
}
