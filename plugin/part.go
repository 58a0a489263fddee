package plugin

import (
	"context"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// part ends a membership for good, in good order within ctx. Once its session is
// lost there is nobody to settle with and nothing to give: what is left is cut
// short soon, and others find it as after a crash, which is no failure to stop.
func (p *Plugin) part(ctx context.Context, m *membership) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with ctx
		if awaitLoss(ctx, m.port) {
			wait(ctx, lostStop)
			cancel()
		}
	}()
	err := m.end(ctx)
	if state, _ := m.port.State(); state != coordclient.Lost {
		return err
	}
	p.d.Log.Warn("stopped without a session: others take over what this member owned, as after a crash", "member", m.port.ID(), "left", err)
	return nil
}

// awaitLoss waits until a session is lost. False: ctx ended before.
func awaitLoss(ctx context.Context, s coordclient.Session) bool {
	for {
		state, changed := s.State()
		if state == coordclient.Lost {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
