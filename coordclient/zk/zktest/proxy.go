package zktest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy stands between clients and one server. Safe for concurrent use.
type Proxy struct {
	// Address for clients.
	Address string

	target string
	listen net.Listener

	mu      sync.Mutex
	refuse  bool
	hold    [2]chan struct{} // closed to let pass again; nil: passes
	delay   time.Duration
	conns   map[net.Conn]bool
	running sync.WaitGroup
}

// Direction says which bytes.
type Direction int

// The directions.
const (
	Requests Direction = iota // to the server
	Replies                   // to the client
)

// NewProxy makes a proxy to a server's address that ends with the test.
func NewProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String(), target: target, listen: l, conns: make(map[net.Conn]bool)}
	p.running.Go(p.accept) // these end with the listener and the connections
	tb.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.Pass()
		p.running.Wait()
	})
	return p
}

// Cut ends all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = true
	p.drop()
}

// Drop ends all connections; new ones are taken.
func (p *Proxy) Drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *Proxy) drop() {
	for conn := range p.conns {
		_ = conn.Close()
		delete(p.conns, conn)
	}
}

// Hold keeps the bytes of a direction back, on connections old and new.
func (p *Proxy) Hold(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hold[d] == nil {
		p.hold[d] = make(chan struct{})
	}
}

// Delay makes each piece of what passes wait this long.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Pass ends Cut, Hold and Delay. What was held back goes on its way.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.delay = false, 0
	for d, c := range p.hold {
		if c != nil {
			close(c)
			p.hold[d] = nil
		}
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.join(client) })
	}
}

func (p *Proxy) join(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	if p.refuse {
		p.mu.Unlock()
		_, _ = client.Close(), server.Close()
		return
	}
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	p.running.Go(func() { p.pump(server, client, Requests) })
	p.pump(client, server, Replies)
}

// pump copies until either end is closed.
func (p *Proxy) pump(to, from net.Conn, d Direction) {
	defer func() { _, _ = to.Close(), from.Close() }()
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		p.mu.Lock()
		held, delay := p.hold[d], p.delay
		p.mu.Unlock()
		if held != nil {
			<-held
		}
		if delay > 0 {
			<-time.After(delay)
		}
		if n > 0 {
			if _, werr := to.Write(piece[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
