package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/store"
)

// leave gives the buckets to others, if there are any.
func (c *Cluster) leave(ctx context.Context) error {
	members, _, err := c.d.Port.Members(ctx)
	if err != nil {
		return nil //nolint:nilerr // whoever is not connected cannot hand over: what it owns is freed as after a crash
	}
	others := false
	for _, m := range members {
		others = others || m.ID.Node() != c.me.Node()
	}
	if !others || len(c.d.Owner.Owned()) == 0 {
		return nil
	}
	return c.handOver(ctx)
}

// handOver asks to be drained, and waits until nothing is owned any more.
func (c *Cluster) handOver(ctx context.Context) error {
	c.mu.Lock()
	by := c.stopBy
	c.mu.Unlock()
	if by.IsZero() {
		by = time.Now().Add(c.d.Options.HandOver)
	}
	ctx, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	drain := store.Drain{Member: c.me, Reason: "it is being stopped", At: c.d.Now().UTC()}
	if err := c.d.Store.Drain(ctx, c.me.Node(), drain); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	c.d.Log.Info("buckets are given to other hosts", "left", len(c.d.Owner.Owned()), "for_at_most", time.Until(by).Round(time.Second))
	for told := time.Now(); ; {
		_, changed := c.Status()
		owned := len(c.d.Owner.Owned())
		if owned == 0 {
			return nil
		}
		if time.Since(told) >= tellLeaving {
			told = time.Now()
			c.d.Log.Info("buckets are still given to other hosts", "left", owned, "for_at_most", time.Until(by).Round(time.Second))
		}
		timer := time.NewTimer(pace)
		select {
		case <-changed:
		case <-timer.C:
		case <-c.life.Done():
			return nil
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("hand over: %d buckets are still owned: %w", owned, context.Cause(ctx))
		}
		timer.Stop()
	}
}
