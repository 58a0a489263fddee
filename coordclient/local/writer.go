package local

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/tree"
)

// Bounds of the writer.
const (
	// queued is how many commits wait for the writer; the next ones wait for a
	// place.
	queued = 1024
	// groupOps and groupBytes bound one transaction.
	groupOps   = 4 * coordclient.MaxOps
	groupBytes = 8 * coordclient.MaxCommit
)

// request waits for the writer: a commit, or a read that must not meet a write.
type request struct {
	ops   []coordclient.Op
	read  func()
	taken atomic.Int32
	done  chan error
}

const (
	waiting = iota
	begun
	given // up by its caller
)

// intake is the way to the writer, which can be closed once.
type intake struct {
	queue   chan *request
	closing chan struct{}

	mu     sync.RWMutex // held for reading while sending; guards closed
	closed bool
	once   sync.Once
}

func (in *intake) init() {
	in.queue = make(chan *request, queued)
	in.closing = make(chan struct{})
}

// put hands a request over. Error: errClosed or ctx's; then it never begins.
func (in *intake) put(ctx context.Context, r *request) error {
	in.mu.RLock()
	defer in.mu.RUnlock()
	if in.closed {
		return errClosed
	}
	select {
	case in.queue <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-in.closing:
		return errClosed
	}
}

// close lets the writer finish what is queued. It reports whether it was open.
func (in *intake) close() bool {
	first := false
	in.once.Do(func() {
		first = true
		close(in.closing)
		in.mu.Lock()
		in.closed = true
		in.mu.Unlock()
		close(in.queue)
	})
	return first
}

// do has the writer handle a request and waits for it, or for ctx.
func (l *Local) do(ctx context.Context, r *request) error {
	r.done = make(chan error, 1)
	if err := l.intake.put(ctx, r); err != nil {
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.taken.CompareAndSwap(waiting, given) {
			return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, ctx.Err())
		}
		return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, ctx.Err())
	}
}

// write is the writer's loop.
func (l *Local) write() {
	for r := range l.intake.queue {
		l.group(l.gather(r))
	}
}

// gather takes with the first request those that came meanwhile.
func (l *Local) gather(first *request) []*request {
	group := []*request{first}
	ops, size := weigh(first)
	for ops < groupOps && size < groupBytes {
		select {
		case r, ok := <-l.intake.queue:
			if !ok {
				return group
			}
			n, bytes := weigh(r)
			ops, size, group = ops+n, size+bytes, append(group, r)
		default:
			return group
		}
	}
	return group
}

func weigh(r *request) (ops, bytes int) {
	for _, op := range r.ops {
		bytes += len(op.Key) + len(op.Value)
	}
	return len(r.ops), bytes
}

// group stages each request, writes what holds in one transaction, applies it,
// and answers all. None is answered before: a commit may have failed only
// because of another one that is not durable yet.
func (l *Local) group(requests []*request) {
	stage := l.tree.Stage() // only this goroutine changes the tree
	rules := tree.Rules[int64]{Member: l.isMember, Payload: l.rowID}
	verdicts := make([]error, len(requests))
	for i, r := range requests {
		if !r.taken.CompareAndSwap(waiting, begun) {
			requests[i] = nil
			continue
		}
		verdicts[i] = stage.Add(r.ops, rules)
	}
	err := l.flush(stage)
	for i, r := range requests {
		switch {
		case r == nil:
			continue
		case r.read != nil:
			r.read()
			r.done <- nil
		case err != nil && verdicts[i] != nil:
			// It wrote nothing, whatever became of the others.
			r.done <- fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
		case err != nil:
			r.done <- err
		default:
			r.done <- verdicts[i]
		}
	}
}

// flush makes a stage durable and applies it. Errors: ErrUnavailable,
// ErrUnknownOutcome, the latter only once: the session is Lost from then on.
func (l *Local) flush(stage *tree.Stage[int64]) error {
	if err := l.alive(); err != nil {
		return err
	}
	if len(stage.Writes) == 0 {
		return nil
	}
	err := l.disk.write(stage.Writes, l.now())
	switch {
	case errors.Is(err, errDoubt):
		l.log.Error("coordination store is in doubt and refuses further writes", "path", l.disk.path, "err", err)
		l.lose(fmt.Errorf("%w: %w", errBroken, err))
		return fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, explain(err))
	case errors.Is(err, errDamaged), isCode(err, sqlite3.SQLITE_CORRUPT), isCode(err, sqlite3.SQLITE_NOTADB):
		l.log.Error("coordination store is damaged and refuses further writes", "path", l.disk.path, "err", err)
		l.lose(explain(err))
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, explain(err))
	case err != nil:
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, explain(err))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stage.Apply()
	return nil
}

// rowID gives a new entry the row that is its own until it is deleted.
func (l *Local) rowID(op coordclient.Op, before int64) int64 {
	if op.Kind == coordclient.OpSet {
		return before
	}
	id := l.disk.nextID
	l.disk.nextID++
	return id
}
