package socket

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
)

// link is one connection to a host: its requests under way and its watches.
type link struct {
	wire

	table   sync.Mutex // guards what follows; not to be confused with wire.mu
	broken  error
	last    uint32
	pending map[uint32]*pending
	watches map[uint32]chan struct{}
}

// pending is a request under way.
type pending struct {
	req  request
	done chan answer
}

// answer is a reply, with its watch.
type answer struct {
	reply
	watch chan struct{}
}

func newLink(conn net.Conn) *link {
	return &link{
		wire:    wire{conn: conn},
		pending: make(map[uint32]*pending),
		watches: make(map[uint32]chan struct{}),
	}
}

// ask sends a request and waits for its answer. Its error is that there is
// none.
func (l *link) ask(ctx context.Context, req request) (answer, error) {
	p := &pending{req: req, done: make(chan answer, 1)}
	stream, err := l.enter(p)
	if err != nil {
		return answer{}, unavailable(err)
	}
	// If it fails the connection is broken, and breakOff answers.
	_ = l.send(frame{kind: kindRequest, stream: stream, payload: req.encode()}, nil)
	select {
	case a := <-p.done:
		return a, nil
	case <-ctx.Done():
	}
	if !l.leave(stream) {
		return <-p.done, nil // it came meanwhile
	}
	_ = l.write(frame{kind: kindCancel, stream: stream}, nil)
	return answer{}, noAnswer(req.op, ctx.Err())
}

// noAnswer is the error of a request whose answer will not come.
func noAnswer(op operation, cause error) error {
	if op.changes() {
		return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, cause)
	}
	return unavailable(cause)
}

func (l *link) enter(p *pending) (uint32, error) {
	l.table.Lock()
	defer l.table.Unlock()
	if l.broken != nil {
		return 0, l.broken
	}
	l.last++
	for l.pending[l.last] != nil {
		l.last++
	}
	l.pending[l.last] = p
	return l.last, nil
}

// leave gives a request up, unless its answer came.
func (l *link) leave(stream uint32) bool {
	l.table.Lock()
	defer l.table.Unlock()
	_, ok := l.pending[stream]
	delete(l.pending, stream)
	return ok
}

// listen receives until the connection breaks.
func (l *link) listen(told func(coordclient.State)) error {
	defer l.conn.Close()
	return l.receive(maxReply, func(f frame) error {
		switch f.kind {
		case kindReply:
			return l.answered(f)
		case kindChanged:
			l.table.Lock()
			defer l.table.Unlock()
			if watch, ok := l.watches[f.stream]; ok {
				delete(l.watches, f.stream)
				close(watch)
			}
		case kindState:
			told(coordclient.State(f.stream))
		default:
			return fmt.Errorf("%w: a host sent a frame of kind %d", errProtocol, f.kind)
		}
		return nil
	})
}

func (l *link) answered(f frame) error {
	l.table.Lock()
	defer l.table.Unlock()
	p, ok := l.pending[f.stream]
	if !ok {
		return nil // given up
	}
	a, id, err := decodeAnswer(p.req, f.payload)
	if err != nil {
		return err
	}
	if id != 0 {
		if l.watches[id] == nil {
			l.watches[id] = make(chan struct{})
		}
		a.watch = l.watches[id]
	}
	delete(l.pending, f.stream)
	p.done <- a
	return nil
}

// decodeAnswer reads a reply and the number of its watch.
func decodeAnswer(req request, payload []byte) (a answer, id uint32, err error) {
	if req.op.watched() && len(payload) > 0 && payload[0] == codeOK {
		rest, n, ok := cutWatch(payload)
		if !ok {
			return answer{}, 0, fmt.Errorf("%w: a reply without its watch", errProtocol)
		}
		payload, id = rest, n
	}
	a.reply, err = decodeReply(req, payload)
	return a, id, err
}

// breakOff answers what is under way and closes the watches: what they watched
// may change unheard.
func (l *link) breakOff(cause error) {
	l.table.Lock()
	defer l.table.Unlock()
	l.broken = cause
	for stream, p := range l.pending {
		delete(l.pending, stream)
		p.done <- answer{reply: reply{err: noAnswer(p.req.op, cause)}}
	}
	for id, watch := range l.watches {
		delete(l.watches, id)
		close(watch)
	}
}
