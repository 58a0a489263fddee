package query

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/inbox"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// savepoint is where a failed firing goes back to, so that its row can still be
// committed.
const savepoint = "belfry_effect"

// fire executes a request that carries a fire key.
func (x *run) fire(ctx context.Context, c *compiled, b *bound, out result.Sink, rings bool) (Outcome, error) {
	box := x.engine.inbox.Of(c.db)
	if box == nil {
		if c.writes {
			return x.write(ctx, c, b, out, rings)
		}
		return x.read(ctx, c, b, out)
	}
	if !c.writes {
		o, err := x.fireRead(ctx, box, c, b, out, rings)
		if source.Classify(err) != source.ReadOnly {
			return o, err
		}
		// It looked like a query and writes after all: a function has an effect.
		x.reset()
	}
	loose, err := box.Loose(ctx, c.words)
	if err != nil {
		return Outcome{}, err
	}
	if loose != "" {
		return x.write(ctx, c, b, out, rings)
	}
	return x.withInbox(ctx, box, func() (Outcome, error) { return x.fireWrite(ctx, box, c, b, out, rings) })
}

// reset forgets what an attempt counted.
func (x *run) reset() {
	x.rows, x.change, x.kept, x.seen, x.tx = 0, 0, 0, nil, nil
}

// withInbox does f, once more if the inbox had to be created first.
func (x *run) withInbox(ctx context.Context, box *inbox.Box, f func() (Outcome, error)) (Outcome, error) {
	o, err := f()
	if !errors.Is(err, inbox.ErrNoTable) {
		return o, err
	}
	if err := box.Create(ctx); err != nil {
		return Outcome{}, err
	}
	x.reset()
	return f()
}

// guard bounds a firing's transaction.
func (x *run) guard(c *compiled) *source.Guard {
	o := x.engine.inbox.Options()
	return &source.Guard{LockWait: o.LockWait, Statement: c.timeout, Idle: o.Idle}
}

// enter begins the firing's transaction with its row. False: it was executed
// before, and the transaction is over.
func (x *run) enter(ctx context.Context, box *inbox.Box, c *compiled) (bool, error) {
	if err := x.begin(ctx, source.TxOptions{Guard: x.guard(c)}); err != nil {
		return false, err
	}
	fresh, err := box.Claim(ctx, x.tx, x.req.Fire, x.svc.Name, x.req.Name)
	if err == nil && fresh {
		err = x.tx.Relax(ctx)
	}
	if err != nil || !fresh {
		x.tx.Rollback()
		x.tx = nil
	}
	return fresh, err
}

// fireWrite has the effect and its record in one transaction.
func (x *run) fireWrite(ctx context.Context, box *inbox.Box, c *compiled, b *bound, out result.Sink, rings bool) (Outcome, error) {
	fresh, err := x.enter(ctx, box, c)
	if err != nil {
		return Outcome{}, err
	}
	if !fresh {
		return x.replay(ctx, box, out)
	}
	defer x.tx.Rollback()
	if _, err := x.tx.Exec(ctx, "SAVEPOINT "+savepoint); err != nil {
		return Outcome{}, err
	}
	rec := x.recording()
	if err := x.top(ctx, c, b, rec); err != nil {
		return Outcome{}, x.recordFailure(ctx, box, c, err)
	}
	e := inbox.Entry{Answer: rec}
	if rings {
		e.Hits = x.observe(ctx, c, rec)
	}
	o := x.outcome(c)
	e.Rows = o.Rows
	return o, x.settle(ctx, box, e, out)
}

// recordFailure commits the firing's row with a failure of the business and
// without the effect. Any other failure is given back as it is: the firing may be
// tried again.
func (x *run) recordFailure(ctx context.Context, box *inbox.Box, c *compiled, cause error) error {
	if !business(cause) {
		return cause
	}
	f := x.asFault(c, cause)
	if _, err := x.tx.Exec(ctx, "ROLLBACK TO SAVEPOINT "+savepoint); err != nil {
		return cause
	}
	if err := box.Finish(ctx, x.tx, x.req.Fire.ID, inbox.Entry{Fault: f}); err != nil {
		return cause
	}
	if err := x.commit(); err != nil {
		return err
	}
	f.Err, f.Final = errors.Join(ErrRecorded, f.Err), true
	return f
}

// business tells whether the same request will fail in the same way again.
func business(err error) bool {
	var limit *result.LimitError
	var f *dataservice.Fault
	switch {
	case errors.As(err, &limit):
		return true
	case errors.As(err, &f):
		return f.Kind == dataservice.FaultInput || f.Kind == dataservice.FaultUnsupported || f.Kind == dataservice.FaultLimit ||
			f.Kind == dataservice.FaultInternal && f.Err == nil
	}
	return source.Classify(err).Business()
}

// fireRead executes a firing that only reads. It needs no row, unless an event
// trigger has something to say.
func (x *run) fireRead(ctx context.Context, box *inbox.Box, c *compiled, b *bound, out result.Sink, rings bool) (Outcome, error) {
	if rings {
		if e, err := box.Load(ctx, x.req.Fire.ID); err != nil {
			return Outcome{}, err
		} else if e != nil {
			return x.replayEntry(ctx, e, out)
		}
	}
	rec := x.recording()
	if err := x.readOnly(ctx, c, b, rec); err != nil {
		return Outcome{}, err
	}
	e := inbox.Entry{Answer: rec}
	if rings {
		e.Hits = x.observe(ctx, c, rec)
	}
	o := x.outcome(c)
	e.Rows = o.Rows
	if len(e.Hits) == 0 {
		return o, toSink(rec.Replay(out))
	}
	return x.withInbox(ctx, box, func() (Outcome, error) {
		fresh, err := x.enter(ctx, box, c)
		if err != nil {
			return Outcome{}, err
		}
		if !fresh {
			return x.replay(ctx, box, out)
		}
		defer x.tx.Rollback()
		return o, x.settle(ctx, box, e, out)
	})
}

// readOnly executes the request in a transaction that may not write.
func (x *run) readOnly(ctx context.Context, c *compiled, b *bound, out result.Sink) error {
	if err := x.begin(ctx, source.TxOptions{ReadOnly: true}); err != nil {
		return err
	}
	defer func() {
		x.tx.Rollback()
		x.tx = nil
	}()
	return x.top(ctx, c, b, out)
}

// settle commits a firing that was executed, has its events accepted and answers.
func (x *run) settle(ctx context.Context, box *inbox.Box, e inbox.Entry, out result.Sink) error {
	if err := box.Finish(ctx, x.tx, x.req.Fire.ID, e); err != nil {
		return err
	}
	if err := x.commit(); err != nil {
		return err
	}
	if err := x.acceptFiring(ctx, e.Hits); err != nil {
		return err
	}
	return toSink(e.Answer.Replay(out))
}

// acceptFiring makes the hits durable. If that fails the call fails, without
// being recorded as failed: asked again, the inbox gives the same hits.
func (x *run) acceptFiring(ctx context.Context, hits [][]byte) error {
	if err := x.accept(ctx, hits); err != nil {
		return &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultInternal, Err: fmt.Errorf("accept events: %w", err),
			Message: "the request was executed, but its events could not be kept",
		}
	}
	return nil
}

// replay answers with what the inbox has recorded.
func (x *run) replay(ctx context.Context, box *inbox.Box, out result.Sink) (Outcome, error) {
	e, err := box.Load(ctx, x.req.Fire.ID)
	if err != nil {
		return Outcome{}, err
	}
	if e == nil {
		return Outcome{}, inbox.Expired(x.req.Fire.ID) // swept since
	}
	return x.replayEntry(ctx, e, out)
}

func (x *run) replayEntry(ctx context.Context, e *inbox.Entry, out result.Sink) (Outcome, error) {
	if err := x.acceptFiring(ctx, e.Hits); err != nil {
		return Outcome{}, err
	}
	o := Outcome{Rows: e.Rows, Replayed: true, Empty: e.Answer == nil}
	switch {
	case e.Fault != nil:
		return o, e.Fault
	case e.Answer != nil:
		return o, toSink(e.Answer.Replay(out))
	}
	return o, nil
}
