package cluster

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
)

// patience is how often a bucket may fail to be acquired before it is told.
const patience = 5

// acquire begins to go after a bucket. It needs mu.
func (c *Cluster) acquire(b int) {
	ctx, cancel := context.WithCancel(c.loops)
	w := &work{acquires: true, cancel: cancel}
	c.work[b] = w
	rest := time.Until(c.lost[b].last.Add(c.lost[b].pause))
	c.workers.Go(func() { // ends when it is acquired, or with ctx
		defer cancel()
		if rest <= 0 || wait(ctx, rest) {
			c.pursue(ctx, b)
		}
		c.finished(b)
	})
}

// pursue waits until a bucket is free and acquires it, as often as it takes. ctx
// bounds the waiting; an acquisition that has begun is brought to its end, since
// one that is cut short may leave the bucket with a member that does not serve
// it.
func (c *Cluster) pursue(ctx context.Context, b int) {
	failures, pause := 0, minPause
	for ctx.Err() == nil {
		_, turned := c.d.Port.State()
		holder, freed, err := c.d.Store.Holder(ctx, b)
		c.mu.Lock()
		regroup := c.regroup
		taken := holder.Member != "" && holder.Member != c.me && c.alive[holder.Member]
		c.mu.Unlock()
		if err == nil && taken {
			pause = minPause
			await(ctx, maxPause, freed, regroup)
			continue
		}
		if err == nil {
			if err = c.attempt(ctx, b); err == nil {
				return
			}
			c.doubt(b, err)
			c.soon()
		}
		// It may have been taken a moment ago; what lasts is told. The attempt itself
		// may have changed the node: there is nothing to wait for but time, and a
		// session that heals.
		if failures++; failures == patience {
			c.d.Log.Warn("bucket not acquired", "bucket", b, "err", err, "attempts", failures)
		}
		await(ctx, pause, turned, nil)
		pause = min(2*pause, longest(err))
	}
}

// doubt tells of a bucket whose stored state does not add up. Commits cannot make
// it so: either a record has rotted, or the server that answers lacks what the
// others have.
func (c *Cluster) doubt(b int, cause error) {
	if c.d.Doubt == nil || !doubtful(cause) {
		return
	}
	c.mu.Lock()
	if time.Since(c.doubted.last) > forgetDoubt {
		c.doubted = loss{}
	}
	due := time.Since(c.doubted.last) >= c.doubted.pause
	if due {
		c.doubted = loss{time.Now(), min(max(2*c.doubted.pause, minDoubt), maxDoubt)}
	}
	c.mu.Unlock()
	if due {
		c.d.Doubt(b, cause)
	}
}

// longest is how long to leave a bucket alone after err at most: not long, where
// the store, or another of its servers, may answer by now, or its owner be gone.
func longest(err error) time.Duration {
	for _, passes := range []error{coordclient.ErrUnavailable, bucket.ErrUnavailable, bucket.ErrUnknownOutcome, bucket.ErrTaken} {
		if errors.Is(err, passes) {
			return maxPause
		}
	}
	if doubtful(err) {
		return maxPause
	}
	return maxLost
}

func doubtful(err error) bool {
	return errors.Is(err, bucket.ErrGap) || errors.Is(err, bucket.ErrCorrupt)
}

// await waits for d, or until one of the channels closes, or ctx ends.
func await(ctx context.Context, d time.Duration, one, other <-chan struct{}) {
	timer := time.NewTimer(jittered(d))
	defer timer.Stop()
	select {
	case <-one:
	case <-other:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// attempt acquires a bucket, at most so many at once.
func (c *Cluster) attempt(ctx context.Context, b int) error {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.slots }()
	return c.d.Owner.Acquire(c.life, b)
}

// release begins to give a bucket up. It needs mu.
func (c *Cluster) release(b int) {
	c.work[b] = &work{}
	by := time.Now().Add(c.d.Options.HandOver)
	if !c.stopBy.IsZero() && c.stopBy.Before(by) {
		by = c.stopBy
	}
	c.workers.Go(func() { // ends by then
		ctx, cancel := context.WithDeadline(c.life, by)
		defer cancel()
		defer c.turn(ctx)()
		err := c.d.Owner.Release(ctx, b)
		if err != nil {
			c.d.Log.Warn("bucket not released in good order", "bucket", b, "err", err)
			c.soon()
		}
		c.finished(b)
		if err == nil {
			c.handed(ctx, b)
		}
	})
}

// turn waits until a bucket may begin to be released, and gives what ends its
// turn. If all were released at once, they would wait for their new owners all at
// once too. A bucket whose runs take their time, or that nobody takes, keeps the
// others waiting for no longer than turnTime.
func (c *Cluster) turn(ctx context.Context) func() {
	select {
	case c.turns <- struct{}{}:
	case <-ctx.Done():
		return func() {}
	}
	over := sync.OnceFunc(func() { <-c.turns })
	timer := time.AfterFunc(turnTime, over)
	return func() {
		timer.Stop()
		over()
	}
}

// handed waits until a bucket that was released has its new owner, but not for
// long.
func (c *Cluster) handed(ctx context.Context, b int) {
	holder, taken, err := c.d.Store.Holder(ctx, b)
	if err == nil && holder.Member == "" {
		await(ctx, turnTime, taken, nil)
	}
}

// soon makes the member look at every bucket's node soon.
func (c *Cluster) soon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := time.Now().Add(resyncSoon); at.Before(c.resyncs) {
		c.resyncs = at
	}
}

func (c *Cluster) finished(b int) {
	c.mu.Lock()
	delete(c.work, b)
	c.mu.Unlock()
	c.nudge()
}
