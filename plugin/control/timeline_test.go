package control

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
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
