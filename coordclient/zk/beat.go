package zk

import (
	"context"
	"errors"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// beatNow asks for a beat out of turn.
func (c *Client) beatNow() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// beats makes the session prove itself as often as every says, and at once when it
// has a new connection, for as long as it lasts.
func (c *Client) beats(every func(t time.Duration) time.Duration, beat func(context.Context) error) {
	for {
		t := c.health.t()
		timer := time.NewTimer(every(t))
		select {
		case <-timer.C:
		case <-c.kick:
		case <-c.health.lost:
			timer.Stop()
			return
		}
		timer.Stop()
		if c.usable() == nil {
			c.beatOnce(t, beat)
		}
	}
}

// beatOnce waits for one beat. A server that sends nothing at all for T/8, or
// acknowledges nothing for T/4, is left for another while there is time. But if
// a timer fires late it was this process that stood still: then the server is
// given the time again.
func (c *Client) beatOnce(t time.Duration, beat func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), t/4)
	defer cancel()
	sent := time.Now()
	stalled := func(due time.Duration) bool { return time.Since(sent) > due+t/16 }
	mute := time.AfterFunc(t/8, func() {
		if !c.line.heardSince(sent) && !stalled(t/8) {
			c.Leave("it sends nothing")
			cancel()
		}
	})
	defer mute.Stop()
	err := beat(ctx)
	switch {
	case err == nil:
		c.health.acked(sent, time.Now())
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && stalled(t/4):
		c.beatNow()
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		c.Leave("it acknowledges nothing")
	default:
		c.log.Debug("no heartbeat", "err", err)
		if c.usable() == nil { // refused, not cut off: try again soon
			c.rest(t / 16)
			c.beatNow()
		}
	}
}

// Leave drops the connection to a server that is of no use; see
// coordclient.Replicated.
func (c *Client) Leave(why string) {
	if c.usable() != nil {
		return
	}
	c.log.Warn("leaving a ZooKeeper server", "server", c.conn.Server(), "because", why)
	c.hosts.blame()
	c.line.cut()
}

func (c *Client) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.health.lost:
	}
}

// prove is the beat of a companion: a round trip to the leader.
func (c *Client) prove(ctx context.Context) error { return c.Sync(ctx, "/") }

// healthy waits until the session is. Errors: ctx's; ErrUnavailable when it is
// Lost.
func (c *Client) healthy(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		state, changed := c.State()
		switch state {
		case coordclient.Healthy:
			return nil
		case coordclient.Lost:
			return c.usable()
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}
