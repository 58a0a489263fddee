package event

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestLifeCycle(t *testing.T) {
	t.Parallel()
	d := newDispatcher(newMemory(), &receiver{}, &reports{}, Limits{})
	if err := d.Stop(t.Context()); err != nil {
		t.Errorf("stop before start: %v", err)
	}
	if err := d.Start(); err == nil {
		t.Error("started after stop")
	}
	e := newDispatcher(newMemory(), &receiver{}, &reports{}, Limits{})
	startDispatcher(t, e)
	if err := e.Start(); err == nil {
		t.Error("started twice")
	}
}

// TestStopWaits: a stop lets an attempt end and be recorded, and cuts it short
// when its time is over.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		patience time.Duration
		sent     int64
	}{{10 * time.Second, 1}, {time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			d := newDispatcher(m, lazy{}, &reports{}, Limits{})
			if err := d.Start(); err != nil {
				t.Fatal(err)
			}
			m.put(raised("a"))
			time.Sleep(time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			err := d.Stop(ctx)
			if (err == nil) != (c.sent == 1) || err != nil && !errors.Is(err, ErrCut) || d.Counts().Sent != c.sent || int64(len(m.messages())) != 1-c.sent {
				t.Errorf("%s: %v, %+v, %d are left", c.patience, err, d.Counts(), len(m.messages()))
			}
			if p, ok := m.pending("a"); ok && p.Attempts != 0 {
				t.Errorf("an attempt that was cut short counts: %+v", p.Message)
			}
		})
	}
}

// lazy takes five seconds.
type lazy struct{}

func (lazy) Check(string) error { return nil }

func (lazy) Send(ctx context.Context, _ task.Message) error {
	select {
	case <-time.After(5 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestSenderThatPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		startDispatcher(t, newDispatcher(m, panicking{}, &reports{}, Limits{}))
		m.put(raised("a"))
		time.Sleep(time.Second)
		synctest.Wait()
		if p, ok := m.pending("a"); !ok || p.Attempts != 1 || p.LastErr != "sender: oh" {
			t.Errorf("%v %+v", ok, p)
		}
	})
}

type panicking struct{}

func (panicking) Check(string) error { return nil }

func (panicking) Send(context.Context, task.Message) error { panic("oh") }
