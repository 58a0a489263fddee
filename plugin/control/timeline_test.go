package control

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/timeline"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestTimeline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.create(minutely("x"))
		w.create(minutely("y"))
		time.Sleep(130 * time.Second)
		w.does(until(0, task.Failed))
		time.Sleep(time.Minute)
		if _, err := w.control.PauseTask(t.Context(), task.Key{Name: "y"}, ""); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		v, err := w.control.Timeline(t.Context(), TimelineAsk{From: now.Add(-5 * time.Minute), To: now.Add(5 * time.Minute), Cells: 10})
		if err != nil || len(v.Tasks) != 2 || v.CellMS != 60_000 {
			t.Fatalf("%+v, %v", v, err)
		}
		var text [2]string
		for i, s := range v.Tasks {
			for _, c := range s.Cells {
				switch {
				case c.OK > 0:
					text[i] += "+"
				case c.Failed > 0:
					text[i] += "x"
				case c.Planned:
					text[i] += "o"
				case c.Paused:
					text[i] += "="
				default:
					text[i] += "."
				}
			}
		}
		if text != [2]string{".+++xooooo", ".+++x====="} {
			t.Errorf("%q", text)
		}
		if v, err := w.control.Timeline(t.Context(), TimelineAsk{Names: []string{"x"}, From: now, To: now.Add(time.Hour), Cells: 6}); err != nil || len(v.Tasks) != 1 {
			t.Errorf("%+v, %v", v, err)
		}
		if v, err := w.control.Timeline(t.Context(), TimelineAsk{Strips: 1, From: now, To: now.Add(time.Hour), Cells: 6}); err != nil || len(v.Tasks) != 1 || v.More != 1 {
			t.Errorf("%+v, %v", v, err)
		}
		refused(t, second(w.control.Timeline(t.Context(), TimelineAsk{From: now, To: now, Cells: 6})), failure.CodeInvalid)
		refused(t, second(w.control.Timeline(t.Context(), TimelineAsk{Names: []string{"z"}, From: now, To: now.Add(time.Hour), Cells: 6})), failure.CodeNotFound)
	})
}

// What calendars and a pause do to instants is drawn as Next tells it, whatever
// part of time a cell is.
func TestTimelineOfWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		// It is Saturday, midnight.
		for _, d := range []calendar.Definition{
			{Name: "office", Weekly: []string{"mon-fri 08:00-18:00"}},
			{Name: "freeze", Dates: []string{"2000-01-05"}},
		} {
			if _, err := w.control.SetCalendar(t.Context(), d, 0); err != nil {
				t.Fatal(err)
			}
		}
		outsides := []task.Outside{task.OutsideSkip, task.OutsideDefer, task.OutsideOnce}
		for _, outside := range outsides {
			info := minutely(string(outside))
			info.Trigger = task.TriggerInfo{Cron: "0 20 0/3 * * ?"}
			info.Windows = &task.Windows{Allow: []string{"office"}, Forbid: []string{"freeze"}, Outside: outside}
			w.create(info)
		}
		gone := minutely("gone")
		gone.Trigger = task.TriggerInfo{Cron: "0 20 0/3 * * ?"}
		w.create(gone)
		if _, err := w.control.PauseTaskUntil(t.Context(), task.Key{Name: "gone"}, "", time.Now().Add(30*time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Hour) // by now some were deferred
		now := time.Now()
		for _, cell := range []time.Duration{40 * time.Minute, 3 * time.Hour, 7 * time.Hour, 24 * time.Hour} {
			cells := int(8*24*time.Hour/cell) + 1
			v, err := w.control.Timeline(t.Context(), TimelineAsk{From: now.Truncate(time.Hour), To: now.Truncate(time.Hour).Add(time.Duration(cells) * cell), Cells: cells})
			if err != nil || len(v.Tasks) != 4 {
				t.Fatalf("%+v, %v", v, err)
			}
			for _, s := range v.Tasks {
				want := make([]timeline.Cell, cells)
				next, err := w.control.Next(t.Context(), task.Key{Name: s.Task}, 100, now)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range next {
					at := int(n.At.Sub(v.From) / cell)
					switch {
					case at >= cells:
						continue
					case n.Note != "":
						want[at].Paused = true
						continue
					case n.Runs == nil || !n.Runs.Equal(n.At):
						want[at].Closed = true
					}
					if n.Runs != nil && int(n.Runs.Sub(v.From)/cell) < cells {
						want[int(n.Runs.Sub(v.From)/cell)].Planned = true
					}
				}
				for i, c := range s.Cells {
					// A cell in which it fires is looked at no further.
					if c.Planned != want[i].Planned || !c.Planned && (c.Closed != want[i].Closed || c.Paused != want[i].Paused) {
						t.Errorf("%s in parts of %s: %d (%s) is %+v, want %+v", s.Task, cell, i, v.From.Add(time.Duration(i)*cell), c, want[i])
					}
				}
			}
		}
	})
}
