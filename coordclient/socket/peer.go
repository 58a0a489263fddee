package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// peer is one connection of a companion.
type peer struct {
	wire
	port    Port
	running sync.WaitGroup

	watches watches

	// jobs go to workers that wait for one; spare holds one token for each
	// worker kept waiting. Their stacks have grown already, which those of new
	// goroutines would have to do for each request.
	jobs  chan func()
	spare chan struct{}

	callMu sync.Mutex // guards calls
	calls  map[uint32]context.CancelFunc
}

// spareWorkers is how many goroutines of a connection wait for requests.
const spareWorkers = 8

// serveConn serves one companion until it leaves or ctx ends. Its error is
// that the companion broke the protocol.
func serveConn(ctx context.Context, conn net.Conn, port Port) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &peer{
		wire:    wire{conn: conn},
		port:    port,
		watches: newWatches(ctx.Done()),
		jobs:    make(chan func()),
		spare:   make(chan struct{}, spareWorkers),
		calls:   make(map[uint32]context.CancelFunc),
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer p.running.Wait()
	defer cancel()
	defer stop()
	defer conn.Close()
	if err := welcome(conn); err != nil {
		return quiet(err)
	}
	p.running.Go(func() { p.tellState(ctx) }) // ends with ctx
	return quiet(p.receive(maxRequest, func(f frame) error { return p.take(ctx, f) }))
}

// welcome answers the hello, also of another version: the companion explains
// it to its user.
func welcome(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		return err
	}
	theirs, err := readHello(conn)
	if err != nil {
		return err
	}
	if _, err := conn.Write(hello(version)); err != nil {
		return err
	}
	if theirs != version {
		return fmt.Errorf("%w: it speaks version %d, this host %d", errProtocol, theirs, version)
	}
	return conn.SetDeadline(time.Time{})
}

// quiet drops the errors by which a connection ordinarily ends.
func quiet(err error) error {
	if errors.Is(err, errProtocol) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return nil
}

func (p *peer) take(ctx context.Context, f frame) error {
	switch f.kind {
	case kindRequest:
		req, err := decodeRequest(f.payload)
		if err != nil {
			return err
		}
		p.begin(ctx, f.stream, req)
	case kindCancel:
		p.callMu.Lock()
		cancel := p.calls[f.stream]
		p.callMu.Unlock()
		if cancel != nil {
			cancel()
		}
	default:
		return fmt.Errorf("%w: a companion sent a frame of kind %d", errProtocol, f.kind)
	}
	return nil
}

// begin has a worker answer the request.
func (p *peer) begin(conn context.Context, stream uint32, req request) {
	ctx, cancel := context.WithCancel(conn)
	if !p.enter(stream, cancel) {
		cancel()
		err := fmt.Errorf("%w: more than %d requests at once, or one number twice", coordclient.ErrUnavailable, maxInFlight)
		// Here, not in a goroutine: who does not read is not read from.
		_ = p.send(frame{kind: kindReply, stream: stream, payload: reply{err: err}.encode(req.op)}, nil)
		return
	}
	job := func() {
		defer cancel()
		defer p.leave(stream) // only when the reply is on the wire
		r, watch := p.answer(ctx, req)
		p.reply(stream, req.op, r, watch)
	}
	select {
	case p.jobs <- job:
	default:
		p.running.Go(func() { p.work(conn, job) })
	}
}

// work ends with its first job if enough others wait for more, else with the
// connection.
func (p *peer) work(conn context.Context, job func()) {
	job()
	select {
	case p.spare <- struct{}{}:
	default:
		return
	}
	for {
		select {
		case job := <-p.jobs:
			job()
		case <-conn.Done():
			return
		}
	}
}

func (p *peer) enter(stream uint32, cancel context.CancelFunc) bool {
	p.callMu.Lock()
	defer p.callMu.Unlock()
	if _, twice := p.calls[stream]; twice || len(p.calls) >= maxInFlight {
		return false
	}
	p.calls[stream] = cancel
	return true
}

func (p *peer) leave(stream uint32) {
	p.callMu.Lock()
	defer p.callMu.Unlock()
	delete(p.calls, stream)
}

// answer asks the host's own port.
func (p *peer) answer(ctx context.Context, req request) (r reply, watch <-chan struct{}) {
	switch req.op {
	case opGet:
		r.entry, watch, r.err = p.port.Get(ctx, req.key)
	case opList:
		r.names, r.err = p.port.List(ctx, req.key)
	case opSync:
		r.err = p.port.Sync(ctx, req.key)
	case opCommit:
		r.err = p.port.Commit(ctx, unbound(req.ops)...)
	case opMembers:
		r.members, watch, r.err = p.port.Members(ctx)
	case opSend:
		r.body, r.err = p.port.SendReceive(ctx, coordclient.MemberID(req.key), req.verb, req.body)
	case opBroadcast:
		r.err = p.port.Broadcast(ctx, req.verb, req.body)
	}
	return r, watch
}

// unbound makes a companion's operations fail where they are bound to a
// membership, for it has none, and the host's is not its own.
func unbound(ops []coordclient.Op) []coordclient.Op {
	for i := range ops {
		if ops[i].Kind == coordclient.OpCheckMember {
			ops[i].Key = ""
		}
	}
	return ops
}

func (p *peer) reply(stream uint32, op operation, r reply, watch <-chan struct{}) {
	payload := r.encode(op)
	if len(payload) > maxReply-8 {
		r = reply{err: fmt.Errorf("%s: %w: an answer of %d bytes", op, coordclient.ErrTooLarge, len(payload))}
		payload, watch = r.encode(op), nil
	}
	var last func() []byte
	if op.watched() && r.err == nil {
		last = func() []byte { return p.number(watch) }
	}
	_ = p.send(frame{kind: kindReply, stream: stream, payload: payload}, last)
}

// tellState sends the state of the host's session, now and when it changes.
func (p *peer) tellState(ctx context.Context) {
	for {
		state, changed := p.port.State()
		if p.send(frame{kind: kindState, stream: uint32(state)}, nil) != nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
