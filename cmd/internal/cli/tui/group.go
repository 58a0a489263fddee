package tui

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/order"
)

// The wait before connecting again doubles from the one to the other; dialTime
// bounds one try.
const (
	redialFirst = 500 * time.Millisecond
	redialMost  = 5 * time.Second
	dialTime    = 15 * time.Second
)

// group is the group that the flags name, across sessions.
type group struct {
	env *env.Env

	mu      sync.Mutex
	control *control.Control // nil while not connected; guarded by mu
}

// Hand carries orders out over the session of the moment.
func (g *group) Hand() (order.Hand, error) {
	c, err := g.connected()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Oracle answers questions over the session of the moment.
func (g *group) Oracle() (ask.Oracle, error) {
	c, err := g.connected()
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (g *group) connected() (*control.Control, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.control == nil {
		return nil, &failure.Error{Code: failure.CodeUnavailable, Message: "there is no connection", Hint: "nothing was changed; it is tried again and again"}
	}
	return g.control, nil
}

func (g *group) have(c *control.Control) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.control = c
}

// Follow connects, follows, and connects again when the session is lost.
func (g *group) Follow(ctx context.Context, tell func(follow.Picture)) error {
	last := follow.Picture{Link: follow.LinkLoading, Since: g.env.Now()}
	for pause := redialFirst; ; pause = min(2*pause, redialMost) {
		err := g.follow(ctx, func(p follow.Picture) {
			if last.Read > 0 && p.Read < p.Buckets || p.Link == follow.LinkLoading {
				return // what there is stays until the new session has all of it
			}
			pause, last = redialFirst, p
			tell(p)
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if last.Fault = failure.Of(err).Message; errors.Is(err, follow.ErrSessionLost) {
			last.Fault += ": another is being opened"
		}
		if last.Link != follow.LinkLoading && last.Link != follow.LinkLost {
			last.Link, last.Since = follow.LinkLost, g.env.Now()
		}
		tell(last)
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// follow follows over one session.
func (g *group) follow(ctx context.Context, tell func(follow.Picture)) error {
	dialling, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	c, err := g.env.Open(dialling)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it is lost, or nothing is left to ask
	g.have(c.Control)
	defer g.have(nil)
	return c.Control.Follow(ctx, c.Session, follow.Scope{}, tell)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
