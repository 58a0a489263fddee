package query

import (
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// boxName is the element around the answer of a box.
var boxName = result.Name{Space: dataservice.DefaultNamespace, Local: dataservice.BoxResponse}

// RunBox executes the requests of a box in one transaction, in their order, and
// answers after its commit. Event triggers see them all, and what they raise is
// accepted at once, after the commit. The Limits hold for all of them together.
func (r *Runtime) RunBox(ctx context.Context, b dataservice.Box, out result.Sink) (Outcome, error) {
	if b.ID == "" {
		b.ID = requestID(nil)
	}
	box := &boxRun{run: &run{Runtime: r, req: &dataservice.Request{ID: b.ID}}, batch: b.Batch}
	for _, q := range b.Requests {
		q.ID = b.ID
		if err := box.plan(&q); err != nil {
			return Outcome{}, err
		}
	}
	if err := box.all(ctx); err != nil {
		return Outcome{}, box.asFault(nil, err)
	}
	return box.answer(out)
}

// boxRun is a box on its way: a run whose request is, in turn, each of the box's.
type boxRun struct {
	*run
	batch bool
	steps []step
	first string            // the request that decided on the source, and its query's source
	kept  *result.Recording // the answer; nil: none
	hits  [][]byte
}

// step is one request and its query.
type step struct {
	req *dataservice.Request
	c   *compiled
}

// plan adds a request, and finds what it needs before anything is executed.
func (b *boxRun) plan(q *dataservice.Request) error {
	b.req = q
	c, err := b.compiled()
	if err != nil {
		return err
	}
	b.steps = append(b.steps, step{q, c})
	switch {
	case !c.writes:
	case b.db == nil:
		b.db, b.first = c.db, fmt.Sprintf("%s to %q", q.Name, c.q.Source)
	case b.db != c.db:
		return b.asFault(c, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Final: true,
			Message: fmt.Sprintf("not supported: the requests of a box write to more than one data source (%s, %s to %q), and there are no transactions across sources (XA): "+
				"nothing was executed; put them into a box for each source", b.first, q.Name, c.q.Source),
		})
	}
	return nil
}

// all executes the steps and commits them.
func (b *boxRun) all(ctx context.Context) error {
	if b.db != nil {
		if err := b.begin(ctx, source.TxOptions{}); err != nil {
			return err
		}
		defer b.tx.Rollback()
	}
	for _, s := range b.steps {
		b.req = s.req
		if err := b.step(ctx, s.c); err != nil {
			return b.asFault(s.c, err)
		}
	}
	if b.tx != nil {
		if err := b.commit(); err != nil {
			return err
		}
	}
	b.acceptOrLog(ctx, b.hits)
	return nil
}

// step executes one request and shows it to its event triggers.
func (b *boxRun) step(ctx context.Context, c *compiled) error {
	values, err := c.bind(b.topValues, b.req.Caller, b.limits.Array)
	if err != nil {
		return err
	}
	rec := b.recording()
	if err := b.top(ctx, c, values, rec); err != nil {
		return err
	}
	if c.rings {
		b.hits = append(b.hits, b.observe(ctx, c, rec)...)
		b.seen = nil
	}
	switch {
	case rec.Empty():
		b.kept = nil
	case b.batch && b.kept != nil && c.shape != nil && c.shape.HasRow:
		return b.kept.Append(rec)
	default:
		b.kept = rec
	}
	return nil
}

// answer writes what the box answers.
func (b *boxRun) answer(out result.Sink) (Outcome, error) {
	o := Outcome{Rows: max(b.rows, b.change), Empty: b.batch && b.kept == nil}
	if b.batch {
		if b.kept == nil {
			return o, nil
		}
		return o, toSink(b.kept.Replay(out))
	}
	if err := out.Open(boxName, false); err != nil {
		return o, toSink(err)
	}
	if n := len(b.steps); n > 0 && b.steps[n-1].c.shape != nil && b.kept != nil {
		if err := b.kept.Replay(out); err != nil {
			return o, toSink(err)
		}
	}
	return o, toSink(out.Close())
}
