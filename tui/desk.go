package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/tui/order"
)

// desk is the effects of a Model: it follows the group and carries orders out.
// Of pictures that come faster than they are drawn, it keeps the last.
type desk struct {
	ctx   context.Context //nolint:containedctx // the life of the program, which bubbletea's commands are not given
	group Group
	bell  chan struct{} // holds one ring

	mu     sync.Mutex
	latest *control.Picture // guarded by mu
}

func newDesk(ctx context.Context, group Group) *desk {
	return &desk{ctx: ctx, group: group, bell: make(chan struct{}, 1)}
}

// follow is a command that lasts as long as the program.
func (d *desk) follow() tea.Msg {
	_ = d.group.Follow(d.ctx, func(p control.Picture) { // it ends with ctx alone
		d.mu.Lock()
		d.latest = &p
		d.mu.Unlock()
		select {
		case d.bell <- struct{}{}:
		default: // it has rung already
		}
	})
	return nil
}

// next is a command that waits for a picture.
func (d *desk) next() tea.Msg {
	select {
	case <-d.ctx.Done():
		return nil
	case <-d.bell:
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return pictureMsg{d.latest}
}

// tick is a command that waits for the next full second.
func (d *desk) tick(now func() time.Time) tea.Msg {
	at := now()
	t := time.NewTimer(at.Truncate(time.Second).Add(time.Second).Sub(at))
	defer t.Stop()
	select {
	case <-d.ctx.Done():
		return nil
	case <-t.C:
		return tickMsg(now())
	}
}

func (d *desk) carry(o order.Order) order.Done {
	ctx, cancel := context.WithTimeout(d.ctx, orderTime)
	defer cancel()
	hand, err := d.group.Hand()
	if err != nil {
		return o.Failed(err)
	}
	return o.Carry(ctx, hand)
}
