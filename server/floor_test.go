package main_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// floorVariable, in the environment of the test binary, makes it a floor: a process in the place of the server that does
// what no server could do without, and nothing else.
const floorVariable = "AXIOM25_TEST_FLOOR"

// The floors.
const (
	floorAppend = "append" // args: FILE. Each request's body is written to the file and fsynced, all that wait together.
	floorFanout = "fanout" // args: CONNECTIONS RATE COUNT. One loop writes the same frames to all connections.
	floorReplay = "replay" // args: FILE. Each request is answered with the file.
)

// runFloor is the process of a floor.
func runFloor(kind string, args []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // until the process is killed
	if err != nil {
		return err
	}
	fmt.Println(listening + "http://" + listener.Addr().String())
	switch kind {
	case floorAppend:
		return appendFloor(listener, args[0])
	case floorFanout:
		return fanoutFloor(listener, args)
	case floorReplay:
		return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test's own
			f, err := os.Open(args[0]) //nolint:gosec // the test's own file
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			defer f.Close() //nolint:errcheck // it was only read
			w.Header().Set("Content-Type", "text/event-stream")
			// Not io.Copy to the writer itself, which would hand the file to the kernel: a server has the bytes in memory.
			buffer := make([]byte, 256<<10)
			_, _ = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{f}, buffer)
		}))
	}
	return fmt.Errorf("no floor %s", kind)
}

// appendFloor stores the bodies of requests in a plain file by group commit.
func appendFloor(listener net.Listener, path string) error {
	file, err := os.Create(path) //nolint:gosec // the test's own file
	if err != nil {
		return err
	}
	type write struct {
		body []byte
		done chan error
	}
	queue := make(chan write, 1024)
	go func() {
		for first := range queue {
			group := []write{first}
			for len(queue) > 0 {
				group = append(group, <-queue)
			}
			var all []byte
			for _, w := range group {
				all = append(all, w.body...)
			}
			_, err := file.Write(all)
			if err == nil {
				err = file.Sync()
			}
			for _, w := range group {
				w.done <- err
			}
		}
	}()
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test's own
		body, err := io.ReadAll(r.Body)
		if err == nil {
			stored := write{body, make(chan error, 1)}
			queue <- stored
			err = <-stored.done
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "{}")
	}))
}

// fanoutFloor waits for its connections and then writes frames to them at a rate, in one loop.
func fanoutFloor(listener net.Listener, args []string) error {
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(args[i]); err != nil {
			return err
		}
	}
	connections, rate, count := n[0], n[1], n[2]
	conns := make([]net.Conn, connections)
	for i := range conns {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return err
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"); err != nil {
			return err
		}
		conns[i] = conn
	}
	began := time.Now() //nolint:forbidigo // what is measured
	var frame []byte
	for i := range count {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		frame = fmt.Appendf(frame[:0], "id: %d\ndata: "+floorEvent+"\n\n", i+1, i+1, time.Now().UnixNano()) //nolint:forbidigo // what is measured
		for _, conn := range conns {
			if _, err := conn.Write(frame); err != nil {
				return err
			}
		}
	}
	select {} // the viewers have what they wait for and end the process
}

// floorEvent is a token as a server stores it.
const floorEvent = `{"schema_version":2,"run_id":"run_01jq0000000000000000000000","seq":%d,"time":"2026-01-02T03:04:05.678Z",` +
	`"type":"token","data":{"id":"m0","delta":"at %d","attempt":1,"final":false,"channel":"answer"}}`
