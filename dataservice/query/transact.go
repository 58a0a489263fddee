package query

import (
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/inbox"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// recording makes what keeps a result until it may be sent.
func (x *run) recording() *result.Recording {
	return &result.Recording{Limit: x.limits.Bytes}
}

// read executes a request that only reads and that event triggers look at: the
// answer waits until they have.
func (x *run) read(ctx context.Context, c *compiled, b *bound, out result.Sink) (Outcome, error) {
	rec := x.recording()
	if err := x.top(ctx, c, b, rec); err != nil {
		return Outcome{}, err
	}
	x.acceptOrLog(ctx, x.observe(ctx, c, rec))
	return x.outcome(c), toSink(rec.Replay(out))
}

// write executes a request that may change something, as one transaction. The
// answer is given after the commit and after its events are accepted.
func (x *run) write(ctx context.Context, c *compiled, b *bound, out result.Sink, rings bool) (Outcome, error) {
	rec := x.recording()
	if err := x.begin(ctx, source.TxOptions{}); err != nil {
		return Outcome{}, err
	}
	defer x.tx.Rollback()
	if err := x.top(ctx, c, b, rec); err != nil {
		return Outcome{}, err
	}
	var hits [][]byte
	if rings {
		hits = x.observe(ctx, c, rec)
	}
	if err := x.commit(); err != nil {
		return Outcome{}, err
	}
	x.acceptOrLog(ctx, hits)
	return x.outcome(c), toSink(rec.Replay(out))
}

// begin starts the request's transaction. Whatever fails here, nothing was sent.
func (x *run) begin(ctx context.Context, o source.TxOptions) error {
	tx, err := x.db.Begin(ctx, o)
	if err != nil {
		if source.Classify(err) == source.Lost {
			return &dataservice.Fault{
				Code: dataservice.ConnectionUnavailable, Kind: dataservice.FaultUnreachable,
				Message: "no connection to the data source", Err: err,
			}
		}
		return err
	}
	x.tx = tx
	return nil
}

func (x *run) commit() error {
	err := x.tx.Commit()
	if err != nil && source.Classify(err) == source.Lost {
		return &dataservice.Fault{
			Code: dataservice.ConnectionUnavailable, Kind: dataservice.FaultInternal,
			Message: "the connection to the data source broke during the commit: it may have happened", Err: err,
		}
	}
	return err
}

// acceptOrLog is for a request without a fire key: its effect has happened, so
// that it cannot fail any more.
func (x *run) acceptOrLog(ctx context.Context, hits [][]byte) {
	// The caller may have gone; what it changed still rings.
	if err := x.accept(context.WithoutCancel(ctx), hits); err != nil {
		x.engine.opts.Log.Error("events were not kept", "service", x.svc.Name, "request", x.req.Name, "id", x.req.ID, "hits", len(hits), "err", err)
	}
}

// Transactional tells whether a firing of the query has its effect once: whether
// its source can record the fire id in the transaction of the effect. If not, why
// says so, and the query offers at-least-once only. A query that only reads is
// always safe to repeat. It may ask the database; an error means that it did not
// answer.
func (r *Runtime) Transactional(ctx context.Context, queryID string) (ok bool, why string, err error) {
	c := r.queries[queryID]
	switch {
	case c == nil:
		return false, fmt.Sprintf("there is no query %q", queryID), nil
	case c.refused != "":
		return false, "not supported: " + c.refused, nil
	case !c.writes:
		return true, "", nil
	case r.engine.inbox.Options().Off:
		return false, "the inbox is switched off", nil
	case !inbox.Serves(c.db.Dialect()):
		return false, fmt.Sprintf("there is no inbox for %s", c.db.Dialect()), nil
	}
	box := r.engine.inbox.Of(c.db)
	if box == nil {
		return false, "the service is closed", nil
	}
	table, err := box.Loose(ctx, c.words)
	if err != nil {
		return false, "", err
	}
	if table != "" {
		return false, fmt.Sprintf("the table %s is on a storage engine without transactions", table), nil
	}
	return true, "", nil
}
