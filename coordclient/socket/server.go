package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Bounds of a server.
const (
	// MaxConns bounds the connections served at once; the next ones are closed.
	MaxConns = 128
	// maxInFlight bounds the requests of one connection that run at once.
	maxInFlight = 512
	// maxRequest bounds one request.
	maxRequest = coordclient.MaxMessage + 64<<10
	// acceptRetry is the wait after a failed accept (no file descriptors left).
	acceptRetry = 100 * time.Millisecond
)

// Port is what a host offers to companions.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Caller
	coordclient.KV
}

// ServeOptions are for Serve. The zero value is usable.
type ServeOptions struct {
	// Logger for connections that broke the protocol. Nil: nothing is logged.
	Logger *slog.Logger
}

// Serve answers companions until ctx ends: then it closes the listener and all
// connections, waits for the calls under way, and returns nil. It returns
// earlier, with an error, if the listener breaks.
func Serve(ctx context.Context, listener net.Listener, port Port, o ServeOptions) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	places := make(chan struct{}, MaxConns)
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("serve %s: %w", listener.Addr(), err)
			}
			o.Logger.Warn("companion not accepted", "err", err)
			pause(ctx, acceptRetry)
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			o.Logger.Warn("companion refused: too many are connected", "limit", MaxConns)
			_ = conn.Close()
			continue
		}
		conns.Go(func() { // ends with the connection
			defer func() { <-places }()
			if err := serveConn(ctx, conn, port); err != nil {
				o.Logger.Warn("companion cut off", "err", err)
			}
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// peer is one connection of a companion.
type peer struct {
	wire
	port    Port
	running sync.WaitGroup

	watches watches

	callMu sync.Mutex // guards calls
	calls  map[uint32]context.CancelFunc
}

// serveConn serves one companion until it leaves or ctx ends. Its error is
// that the companion broke the protocol.
func serveConn(ctx context.Context, conn net.Conn, port Port) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &peer{
		wire:    wire{conn: conn},
		port:    port,
		watches: newWatches(ctx.Done()),
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

func (p *peer) begin(ctx context.Context, stream uint32, req request) {
	ctx, cancel := context.WithCancel(ctx)
	p.callMu.Lock()
	_, twice := p.calls[stream]
	full := len(p.calls) >= maxInFlight
	if !twice && !full {
		p.calls[stream] = cancel
	}
	p.callMu.Unlock()
	if twice || full {
		cancel()
		err := fmt.Errorf("%w: more than %d requests at once, or one number twice", coordclient.ErrUnavailable, maxInFlight)
		// Here, not in a goroutine: who does not read is not read from.
		_ = p.send(frame{kind: kindReply, stream: stream, payload: reply{err: err}.encode(req.op)}, nil)
		return
	}
	p.running.Go(func() { // ends with the request
		defer cancel()
		r, watch := p.answer(ctx, req)
		p.callMu.Lock()
		delete(p.calls, stream)
		p.callMu.Unlock()
		p.reply(stream, req.op, r, watch)
	})
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
