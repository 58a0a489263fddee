package plugin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
)

// The bounds of claims: how long commits fail before it is told, and the pause
// after which it is told again.
const (
	claimsPatience = 2 * time.Second
	claimsReminder = time.Minute
)

// claims watches whether commits of the claim log succeed. While they do not,
// nothing fires, though the session may be as healthy as before: the disk of the
// store is full, say. The engine tries on for as long as it takes, and says nothing.
// Safe for concurrent use.
type claims struct {
	log    *slog.Logger
	ailing func(ctx context.Context, reason string)

	failures atomic.Int64
	news     chan struct{} // capacity 1: told may be due to change

	mu    sync.Mutex
	since time.Time // guarded by mu; of the first failure since the last success; zero: none
	err   error     // guarded by mu; the last failure
}

func newClaims(log *slog.Logger, ailing func(ctx context.Context, reason string)) *claims {
	if ailing == nil {
		ailing = func(context.Context, string) {}
	}
	return &claims{log: log, ailing: ailing, news: make(chan struct{}, 1)}
}

// trouble is why nothing is claimed; empty: nothing is known to be in the way.
func (c *claims) trouble() (why string, since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() || time.Since(c.since) < claimsPatience {
		return "", time.Time{}
	}
	return c.err.Error(), c.since
}

// note takes what a commit came to.
func (c *claims) note(ctx context.Context, err error) {
	failed := errors.Is(err, bucket.ErrUnavailable) || errors.Is(err, bucket.ErrUnknownOutcome)
	if failed && ctx.Err() != nil {
		return // it was called off
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case failed:
		c.failures.Add(1)
		c.err = err
		if c.since.IsZero() {
			c.since = time.Now()
		}
	case err == nil:
		if c.since.IsZero() {
			return
		}
		c.since, c.err = time.Time{}, nil
	default:
		return // the store has answered; whether it takes anything is not said
	}
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// run tells administrators when claims begin to fail and when they end to, until
// ctx ends.
func (c *claims) run(ctx context.Context) {
	var since, told time.Time // zero: nothing is told to be wrong
	for {
		select {
		case <-c.news:
		case <-ctx.Done():
			return
		}
		why, began := c.trouble()
		switch {
		case why != "" && time.Since(told) >= claimsReminder:
			c.log.Error("claims cannot be committed: nothing fires here until they can", "since", began, "err", why)
			if since.IsZero() {
				c.ailing(ctx, why)
			}
			since, told = began, time.Now()
		case why == "" && !since.IsZero() && c.well():
			c.log.Info("claims are committed again", "after", time.Since(since).Round(time.Millisecond))
			c.ailing(ctx, "")
			since, told = time.Time{}, time.Time{}
		}
	}
}

// well tells whether the last commit succeeded.
func (c *claims) well() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since.IsZero()
}

// watch is a claim log whose commits are noted.
func (c *claims) watch(l engine.Log) engine.Log { return watchedLog{l, c} }

type watchedLog struct {
	engine.Log
	claims *claims
}

// Commit implements engine.Log.
func (l watchedLog) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	err := l.Log.Commit(ctx, f, w)
	l.claims.note(ctx, err)
	return err
}
