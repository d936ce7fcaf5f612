package natstest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy carries the connections of one node to another, unless it is cut.
type proxy struct {
	listener net.Listener
	target   string
	carrying sync.WaitGroup

	mu    sync.Mutex
	down  bool
	conns map[net.Conn]struct{}
}

// newProxy starts a proxy to an address.
func newProxy(tb testing.TB, target string) *proxy {
	tb.Helper()
	p := &proxy{listener: listen(tb), target: target, conns: map[net.Conn]struct{}{}}
	p.carrying.Go(p.accept)
	return p
}

// address is where the proxy listens.
func (p *proxy) address() string { return p.listener.Addr().String() }

// accept takes connections until the proxy is closed.
func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.keep(conn) {
			continue
		}
		p.carrying.Go(func() { p.carry(conn) })
	}
}

// carry connects to the target and copies both ways until one side ends.
func (p *proxy) carry(conn net.Conn) {
	defer p.drop(conn)
	var dialer net.Dialer
	target, err := dialer.Dial("tcp", p.target)
	if err != nil || !p.keep(target) {
		return
	}
	defer p.drop(target)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, target)
		_ = conn.Close()
	})
	_, _ = io.Copy(target, conn)
	_ = target.Close()
	back.Wait()
}

// keep notes a connection, or closes it where the proxy is cut.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

// drop closes a connection.
func (p *proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	_ = conn.Close()
}

// cut ends every connection and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// heal takes connections again.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// close ends the proxy and waits for what it carries.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
	p.carrying.Wait()
}
