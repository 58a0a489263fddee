package tui

import (
	"context"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/order"
)

// desk is the effects of a Model: it follows the group and carries orders out.
// Of pictures that come faster than they are drawn, it keeps the last.
type desk struct {
	life  context.Context //nolint:containedctx // of the program, which bubbletea's commands are not given
	ctx   context.Context //nolint:containedctx // of the desk: it ends when another group is looked at
	stop  context.CancelFunc
	group Group
	bell  chan struct{} // holds one ring

	mu     sync.Mutex
	latest *follow.Picture // guarded by mu
}

func newDesk(life context.Context, group Group) *desk {
	d := &desk{life: life, group: group, bell: make(chan struct{}, 1)}
	d.ctx, d.stop = context.WithCancel(life)
	return d
}

// leave ends what the desk does, and begins one with another group.
func (d *desk) leave(next Group) *desk {
	d.stop()
	return newDesk(d.life, next)
}

// follow is a command that lasts as long as the program.
func (d *desk) follow() tea.Msg {
	_ = d.group.Follow(d.ctx, func(p follow.Picture) { // it ends with ctx alone
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
	return pictureMsg{d, d.latest}
}

// tick is a command that waits for the next full second, whatever group is looked
// at.
func (d *desk) tick(now func() time.Time) tea.Msg {
	at := now()
	t := time.NewTimer(at.Truncate(time.Second).Add(time.Second).Sub(at))
	defer t.Stop()
	select {
	case <-d.life.Done():
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

// ask puts a question to the group. It changes nothing.
func (d *desk) ask(q ask.Question, now func() time.Time) ask.Answer {
	ctx, cancel := context.WithTimeout(d.ctx, orderTime)
	defer cancel()
	oracle, err := d.group.Oracle()
	if err != nil {
		return ask.Answer{Question: q, At: now(), Err: err}
	}
	return q.Put(ctx, oracle, now)
}
