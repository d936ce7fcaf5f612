// Package natstest runs NATS servers with JetStream inside the test process: one, or a cluster whose nodes can be
// stopped, started again and cut off from each other. Tests alone import it.
package natstest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	// readyTimeout bounds how long servers and clusters may take to start.
	readyTimeout = 60 * time.Second
	// maxPayload is the max_payload of the servers, in bytes.
	maxPayload = 10 << 20
)

// Options say what servers are like.
type Options struct {
	// SyncAlways has every write fsynced before it is acknowledged. Tests that kill no machine do without.
	SyncAlways bool
	// MaxPayload is the servers' max_payload in bytes; 0 stands for 10 MiB.
	MaxPayload int
	// MaxStore bounds the bytes that a server keeps on disk; 0 leaves it unbounded.
	MaxStore int64
}

// serverOptions returns the options of a server that keeps its files in dir.
func (o Options) serverOptions(dir string) *server.Options {
	opts := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: dir, SyncAlways: o.SyncAlways,
		MaxPayload: maxPayload, MaxPending: 64 << 20,
		NoLog: true, NoSigs: true,
	}
	if o.MaxPayload != 0 {
		opts.MaxPayload = int32(o.MaxPayload) //nolint:gosec // some MiB
	}
	if o.MaxStore != 0 {
		opts.JetStreamMaxStore = o.MaxStore
	}
	return opts
}

// Server is a single server.
type Server struct {
	server *server.Server
	opts   *server.Options
}

// Start starts a server, and stops it when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := &Server{opts: o.serverOptions(tb.TempDir())}
	s.Start(tb)
	tb.Cleanup(s.Stop)
	return s
}

// URL is where clients connect.
func (s *Server) URL() string { return fmt.Sprintf("nats://127.0.0.1:%d", s.opts.Port) }

// Start starts the server again after Stop, on the same port and files.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	s.server = startServer(tb, s.opts)
	if addr, ok := s.server.Addr().(*net.TCPAddr); ok {
		s.opts.Port = addr.Port
	}
}

// Stop stops the server and waits for its end.
func (s *Server) Stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

// startServer starts a server and waits until it takes clients.
func startServer(tb testing.TB, opts *server.Options) *server.Server {
	tb.Helper()
	s, err := server.NewServer(opts.Clone())
	if err != nil {
		tb.Fatalf("natstest: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(readyTimeout) {
		tb.Fatal("natstest: the server does not start")
	}
	return s
}

// Cluster is a cluster whose routes lead through proxies, one for each ordered pair of nodes.
type Cluster struct {
	nodes   []*Node
	proxies map[[2]int]*proxy
}

// Node is one server of a cluster.
type Node struct {
	index  int
	opts   *server.Options
	server *server.Server
	up     bool
}

// deadAddress is what nodes advertise to each other, so that gossip finds no way around the proxies: the discard port,
// where nobody listens.
const deadAddress = "127.0.0.1:9"

// StartCluster starts a cluster of n nodes, and stops it when the test ends.
func StartCluster(tb testing.TB, n int, o Options) *Cluster {
	tb.Helper()
	c := &Cluster{proxies: map[[2]int]*proxy{}}
	var listeners []net.Listener
	for i := range n {
		opts := o.serverOptions(tb.TempDir())
		opts.ServerName = fmt.Sprintf("node%d", i)
		listeners = append(listeners, listen(tb), listen(tb))
		opts.Port = portOf(listeners[2*i])
		opts.Cluster = server.ClusterOpts{
			Name: "natstest", Host: "127.0.0.1", Port: portOf(listeners[2*i+1]), Advertise: deadAddress, PoolSize: -1,
		}
		c.nodes = append(c.nodes, &Node{index: i, opts: opts})
	}
	for i, from := range c.nodes {
		for k, to := range c.nodes {
			if i == k {
				continue
			}
			p := newProxy(tb, fmt.Sprintf("127.0.0.1:%d", to.opts.Cluster.Port))
			tb.Cleanup(p.close)
			c.proxies[[2]int{i, k}] = p
			from.opts.Routes = append(from.opts.Routes, &url.URL{Scheme: "nats", Host: p.address()})
		}
	}
	for _, l := range listeners {
		_ = l.Close() // the ports are the servers' now
	}
	tb.Cleanup(func() {
		var stopping sync.WaitGroup
		for i := range c.nodes {
			stopping.Go(func() { c.Stop(i) })
		}
		stopping.Wait()
	})
	for i := range c.nodes {
		c.Start(tb, i)
	}
	c.WaitReady(tb)
	return c
}

// listen opens a port that is free.
func listen(tb testing.TB) net.Listener {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("natstest: %v", err)
	}
	return l
}

// portOf returns the port of a listener.
func portOf(l net.Listener) int {
	if addr, ok := l.Addr().(*net.TCPAddr); ok {
		return addr.Port
	}
	return 0
}

// URL is where the clients of a node connect.
func (c *Cluster) URL(node int) string {
	return fmt.Sprintf("nats://127.0.0.1:%d", c.nodes[node].opts.Port)
}

// URLs are those of all nodes, beginning with one.
func (c *Cluster) URLs(first int) []string {
	var urls []string
	for i := range c.nodes {
		urls = append(urls, c.URL((first+i)%len(c.nodes)))
	}
	return urls
}

// Start starts a node that is down.
func (c *Cluster) Start(tb testing.TB, node int) {
	tb.Helper()
	n := c.nodes[node]
	if n.up {
		return
	}
	n.server, n.up = startServer(tb, n.opts), true
}

// Stop stops a node and waits for its end. Its files stay.
func (c *Cluster) Stop(node int) {
	n := c.nodes[node]
	if !n.up {
		return
	}
	n.up = false
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// Isolate cuts a node off from all others. Its clients stay.
func (c *Cluster) Isolate(node int) { c.eachProxy(node, (*proxy).cut) }

// Heal ends Isolate.
func (c *Cluster) Heal(node int) { c.eachProxy(node, (*proxy).heal) }

// eachProxy does something with every proxy from or to a node.
func (c *Cluster) eachProxy(node int, f func(*proxy)) {
	for pair, p := range c.proxies {
		if pair[0] == node || pair[1] == node {
			f(p)
		}
	}
}

// Leader returns the node that leads a stream, -1 where none does.
func (c *Cluster) Leader(stream string) int {
	for i, n := range c.nodes {
		if n.up && n.server.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
			return i
		}
	}
	return -1
}

// StepDown has the leader of a stream give way to another node. The request goes by the first node that is up.
func (c *Cluster) StepDown(stream string) error {
	for i, n := range c.nodes {
		if !n.up {
			continue
		}
		nc, err := nats.Connect(c.URL(i))
		if err != nil {
			return err
		}
		defer nc.Close()
		// Only a leader answers: while a stream chooses one, which takes long on a machine that is busy, nobody does.
		for range 6 {
			if _, err = nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil, 5*time.Second); !errors.Is(err, nats.ErrTimeout) {
				break
			}
		}
		return err
	}
	return nats.ErrNoServers
}

// WaitReady waits until the nodes that are up have a leader that knows them all.
func (c *Cluster) WaitReady(tb testing.TB) {
	tb.Helper()
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(10 * time.Millisecond) { //nolint:forbidigo // a test's own patience
		if c.ready() {
			return
		}
		if time.Now().After(deadline) { //nolint:forbidigo // a test's own patience
			tb.Fatal("natstest: the cluster finds no leader")
		}
	}
}

// ready reports whether the cluster has a leader and every node that is up is current.
func (c *Cluster) ready() bool {
	leaders := 0
	for _, n := range c.nodes {
		if !n.up {
			continue
		}
		if n.server.JetStreamIsLeader() {
			leaders++
		}
		if !n.server.JetStreamIsCurrent() {
			return false
		}
	}
	return leaders == 1
}

// Describe says what the nodes do, for the message of a test that failed.
func (c *Cluster) Describe() string {
	var b strings.Builder
	for i, n := range c.nodes {
		fmt.Fprintf(&b, "node%d up=%v ", i, n.up)
	}
	return b.String()
}
