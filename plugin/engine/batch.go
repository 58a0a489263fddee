package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// flight is a batch on its way.
type flight struct {
	batch   bucket.Batch
	write   bucket.Write
	settles []bucket.Ended // that it settles
	starts  []*run         // that may start when it is committed
	claimed []reservation
	// messages is how large they are, about, in bytes
	messages int
	sent     time.Time // when the first try was
	// of a batch that met an edit, a taken request or a log entry
	moved   error
	fence   bucket.Fence
	changes bucket.Changes
}

// batchDue tells whether there is something to commit that should not wait.
func (o *owner) batchDue(now time.Time) bool {
	switch {
	case len(o.pending) > 0:
		return true
	case len(o.settles) > 0 && (o.draining || len(o.settles) >= batchSettles || now.Sub(o.oldest) >= settleWait):
		return true
	case o.draining:
		return false
	case len(o.woken) > 0:
		return true
	default:
		return o.untilDue(now) <= 0
	}
}

// commitBatch gathers all that is decided by now and commits it. False: there
// was nothing to decide.
func (o *owner) commitBatch() bool {
	now := o.e.o.Now()
	f := &flight{batch: bucket.Batch{
		Epoch: o.fence.Epoch, Seq: o.state.Seq() + 1, Op: o.op + 1, Time: now.UnixMilli(), Node: o.e.o.Node,
	}}
	f.write.Seq = f.batch.Seq
	o.gatherSettles(f, now)
	o.gatherDecisions(f, now)
	if len(f.batch.Records)+len(f.write.Take)+len(o.pending) == 0 {
		return false
	}
	o.op++
	f.write.Batch = f.batch.Encode()
	if o.e.planted.runFirst {
		o.launch(f.starts)
		f.starts = nil
	}
	o.flight = f
	fence, leaving := o.fence, o.draining
	o.begin(func(ctx context.Context) func() {
		err := o.send(ctx, fence, f, leaving)
		return func() { o.answered(f, err) }
	})
	return true
}

// inTurn commits when it is a batch's turn. Buckets that leave do not wait for
// theirs: they claim nothing more. Error: ctx ended before, or that of commit.
func (e *Engine) inTurn(ctx context.Context, leaving bool, commit func() error) error {
	if leaving {
		return commit()
	}
	if err := e.turns.take(ctx); err != nil {
		return err
	}
	sent := time.Now()
	err := commit()
	e.turns.give(sent, err == nil)
	return err
}

// gatherSettles turns ended runs into records, with the messages that they
// raise.
func (o *owner) gatherSettles(f *flight, now time.Time) {
	text, n := 0, 0
	for _, a := range o.settles {
		if n == batchSettles || text >= batchText || f.full() {
			break
		}
		n++
		r, take, ok := o.state.Settle(a)
		if !ok {
			continue
		}
		text += len(r.Error) + len(r.Value)
		if take != "" {
			f.write.Take = append(f.write.Take, take)
		}
		o.note(f, &r, now)
		f.batch.Records = append(f.batch.Records, r)
	}
	f.settles, o.settles = o.settles[:n:n], o.settles[n:]
}

// gatherDecisions adds what the state says is due.
func (o *owner) gatherDecisions(f *flight, now time.Time) {
	if o.draining || f.full() {
		return
	}
	workers := &reserver{o: o}
	d := o.state.Decide(now, workers, batchDecisions)
	o.decided, o.full = time.Now(), d.Full
	o.e.pool.pass(o.woken)
	o.woken = nil
	for _, id := range d.Cancel {
		o.cancelRun(id)
	}
	for i := range d.Decisions {
		c := &d.Decisions[i]
		if f.full() {
			break // the rest is decided again for the next batch
		}
		switch c.Kind {
		case bucket.Claim, bucket.Reclaim:
			f.starts = append(f.starts, newRun(o, c, workers.made[len(f.starts)], now))
		case bucket.Forget:
			if c.Info != nil {
				f.write.Drop = append(f.write.Drop, *c.Info)
			}
		case bucket.Give:
			f.write.Give = append(f.write.Give, bucket.Given{Info: *c.Info, Parcel: c.Parcel})
		case bucket.Adopt:
			f.write.Adopt = append(f.write.Adopt, *c.Info)
		}
		if c.Take != "" {
			f.write.Take = append(f.write.Take, c.Take)
		}
		o.note(f, &c.Record, now)
		f.batch.Records = append(f.batch.Records, c.Record)
	}
	f.write.Take = append(f.write.Take, d.Take...) // there are few
	f.claimed = workers.made[:len(f.starts)]
	for _, spare := range workers.made[len(f.starts):] {
		o.e.pool.release(spare.limits)
	}
}

// full tells whether the commit has room for no more of what goes with records.
func (f *flight) full() bool {
	w := &f.write
	return max(len(w.Messages), len(w.Take), len(w.Drop)) >= batchOps || len(w.Give)+len(w.Adopt) >= batchMoves || f.messages >= batchMessages
}

// note adds the messages of the alerts that come true with a record.
func (o *owner) note(f *flight, r *bucket.Record, now time.Time) {
	if o.e.o.Announcer == nil {
		return
	}
	for _, n := range o.state.Notices(r, now, o.e.o.Node) {
		for _, m := range o.e.o.Announcer.Announce(n) {
			f.messages += len(m.Text) + len(m.Subject) + len(m.Event) + messageHead
			f.write.Messages = append(f.write.Messages, m)
		}
	}
}

// messageHead is about what a message takes beside its texts, in bytes.
const messageHead = 512

// send commits the batch until there is an answer, and reads what an answer
// that is none of ok and fenced needs to be understood.
func (o *owner) send(ctx context.Context, fence bucket.Fence, f *flight, leaving bool) error {
	tries := 0
	commit := func() error {
		if tries++; tries == 1 {
			f.sent = time.Now()
		} else {
			o.e.o.Metrics.Retried.Add(1)
		}
		return o.e.o.Log.Commit(ctx, fence, f.write)
	}
	err := persist(ctx, func() error { return o.e.inTurn(ctx, leaving, commit) })
	if tries > 0 {
		defer func() { o.e.o.Metrics.Commit.Observe(time.Since(f.sent)) }()
	}
	switch {
	case errors.Is(err, bucket.ErrMoved), errors.Is(err, bucket.ErrSeqTaken), errors.Is(err, bucket.ErrNoRequest):
		f.moved = err
		return persist(ctx, func() (err error) {
			f.fence, f.changes, err = o.e.o.Log.Refresh(ctx, fence, f.batch.Seq)
			return err
		})
	default:
		return err
	}
}

// answered acts on the answer to a batch, as the table in the package comment
// says.
func (o *owner) answered(f *flight, err error) {
	o.flight = nil
	switch {
	case err != nil:
		o.discard(f)
		o.lose(err)
		return
	case f.moved == nil:
		o.landed(f)
		return
	}
	landed, err := f.stored()
	switch {
	case err != nil:
		o.discard(f)
		o.log.Error("claim log entry is not mine: bucket stopped", "seq", f.batch.Seq, "error", err)
		o.lose(err)
		return
	case landed:
		o.landed(f)
	case errors.Is(f.moved, bucket.ErrSeqTaken):
		o.discard(f)
		o.lose(fmt.Errorf("log entry %d is taken and yet not there: %w", f.batch.Seq, bucket.ErrGap))
		return
	default:
		o.e.o.Metrics.Moved.Add(1)
		o.discard(f)
		var gone interface{ RequestID() string }
		if errors.As(f.moved, &gone) {
			o.state.DropRequest(gone.RequestID())
		}
	}
	o.edited(f.fence, f.changes)
}

// stored tells whether the log entry that was read is this batch. Error: it is
// another one.
func (f *flight) stored() (bool, error) {
	if f.changes.Landed.Data == nil {
		return false, nil
	}
	b, err := bucket.DecodeBatch(f.changes.Landed.Data)
	if err != nil {
		return false, err
	}
	if b.Epoch != f.batch.Epoch || b.Op != f.batch.Op {
		return false, fmt.Errorf("log entry %d has operation %d of epoch %d, not %d of %d: %w",
			f.batch.Seq, b.Op, b.Epoch, f.batch.Op, f.batch.Epoch, bucket.ErrSeqTaken)
	}
	return true, nil
}

// free gives the workers back that were reserved for what it claims.
func (f *flight) free(p *pool) {
	for _, r := range f.claimed {
		p.release(r.limits)
	}
}

// discard takes a batch back that is not and never will be in the log.
func (o *owner) discard(f *flight) {
	f.free(o.e.pool)
	if len(f.settles) > 0 {
		o.settles = append(f.settles, o.settles...)
		o.oldest = time.Now().Add(-settleWait)
	}
	o.state.Abandon()
}

// landed starts what a committed batch has claimed, if it is not too late for
// that (then the next commit opens a new window), and takes the batch in.
func (o *owner) landed(f *flight) {
	o.pending = append(o.pending, f.starts...)
	if time.Since(f.sent) <= o.e.o.window() && o.e.healthy.Load() {
		o.launch(o.pending)
		o.pending = nil
	} else {
		o.e.o.Metrics.Late.Add(int64(len(o.pending)))
	}
	o.state.Apply(&f.batch, f.write.Take)
	o.count(f)
	if o.unfolded == 0 {
		o.foldAt = time.Now().Add(foldAfter)
	}
	o.unfolded++
}

func (o *owner) count(f *flight) {
	m := o.e.o.Metrics
	m.Batches.Add(1)
	for i := range f.batch.Records {
		switch r := &f.batch.Records[i]; r.Kind {
		case bucket.Claim:
			m.Claims.Add(1)
		case bucket.Reclaim:
			m.Reclaims.Add(1)
		case bucket.Skip:
			m.Skips.Add(1)
		case bucket.Defer:
			m.Deferred.Add(1)
		case bucket.Settle:
			m.settled(r.Outcome)
		}
	}
}
