package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// calendars is how many calendars there are.
const calendars = 3

func calendarName(n int) string { return fmt.Sprint("c", n) }

// open is open time in seconds since dawn, as the judge is told.
type open struct{ From, To int }

// setCalendar gives a calendar new times within the few minutes that a world
// lasts. Its description says them to the judge.
func (w *world) setCalendar(ctx context.Context, n int) {
	w.mu.Lock()
	var times []open
	d := calendar.Definition{Name: calendarName(n)}
	for at := w.rand.IntN(20); at < 1200; {
		s := open{at, at + 1 + w.rand.IntN(20)}
		times = append(times, s)
		at = s.To + 1 + w.rand.IntN(20)
		d.Weekly = append(d.Weekly, "sat "+clock(s.From)+"-"+clock(s.To))
	}
	w.mu.Unlock()
	text, err := json.Marshal(times)
	if err != nil {
		w.t.Error(err)
	}
	d.Description = string(text)
	if _, err := w.admin.SetCalendar(ctx, d, 0); err != nil {
		w.t.Errorf("set a calendar: %v", err)
	}
}

// dawn is when a world begins: midnight of a Saturday, UTC.
var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is a second since dawn.
func clock(second int) string {
	return dawn.Add(time.Duration(second) * time.Second).Format("15:04:05")
}

// editCalendar changes a calendar, deletes it, or makes it anew; or lets a task
// name others.
func (w *world) editCalendar(ctx context.Context, key task.Key) {
	n := w.draw(calendars)
	switch w.draw(6) {
	case 0:
		_ = w.admin.DeleteCalendar(ctx, calendarName(n), 0) // tasks may name it
	case 1:
		_, _ = w.admin.Update(ctx, key, 0, func(i *task.Info) error { // there may be no such task, or no such calendar
			w.mu.Lock()
			defer w.mu.Unlock()
			i.Windows = w.randomWindows()
			return nil
		})
	default:
		// Much is due at whole seconds, and then on its way to the store.
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second + time.Duration(w.draw(30))*time.Millisecond)))
		w.setCalendar(ctx, n)
	}
}

// randomWindows needs w.mu.
func (w *world) randomWindows() *task.Windows {
	if w.rand.IntN(2) == 0 {
		return nil
	}
	windows := &task.Windows{Outside: pick(w, "", task.OutsideSkip, task.OutsideDefer, task.OutsideOnce, task.OutsideAgent)}
	name := calendarName(w.rand.IntN(calendars))
	switch w.rand.IntN(3) {
	case 0:
		windows.Forbid = []string{name}
	case 1:
		windows.Allow, windows.Forbid = []string{name}, []string{calendarName(w.rand.IntN(calendars))}
	default:
		windows.Allow = []string{name, calendarName(w.rand.IntN(calendars))}
	}
	return windows
}

// recordCalendar writes down what a commit does to a calendar. It needs w.mu.
func (w *world) recordCalendar(proc int, op coordclient.Op, name string) {
	if op.Kind == coordclient.OpCheck {
		return
	}
	n := firecheck.Calendar{Name: name, Gone: op.Kind == coordclient.OpDelete}
	if !n.Gone {
		var c store.Calendar
		var times []open
		if err := json.Unmarshal(op.Value, &c); err != nil {
			w.complain(err)
		} else if err := json.Unmarshal([]byte(c.Description), &times); err != nil {
			w.complain(err)
		}
		for _, s := range times {
			n.Open = append(n.Open, firecheck.Stretch{From: second(s.From), To: second(s.To)})
		}
	}
	w.write(firecheck.Event{What: firecheck.Noted, Proc: proc, Calendar: n})
}

func second(n int) int64 { return dawn.Add(time.Duration(n) * time.Second).UnixMilli() }
