package firecheck

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Stretch is open time of a calendar, in Unix milliseconds; To is outside.
type Stretch struct{ From, To int64 }

// Calendar is one as it was stored.
type Calendar struct {
	Name string
	Open []Stretch
	Gone bool // it was deleted
}

// calendars are those that there are, by name.
type calendars map[string][]Stretch

func (c calendars) take(x Calendar) {
	if x.Gone {
		delete(c, x.Name)
	} else {
		c[x.Name] = x.Open
	}
}

// known tells whether all that windows name is there.
func (c calendars) known(w *task.Windows) bool {
	return !slices.ContainsFunc(w.Names(), func(name string) bool { return c[name] == nil })
}

// open tells whether a task may run at an instant, in Unix milliseconds.
func (c calendars) open(w *task.Windows, at int64) bool {
	if w == nil || w.Outside == task.OutsideAgent {
		return true
	}
	is := func(name string) bool {
		return slices.ContainsFunc(c[name], func(s Stretch) bool { return s.From <= at && at < s.To })
	}
	return (len(w.Allow) == 0 || slices.ContainsFunc(w.Allow, is)) && !slices.ContainsFunc(w.Forbid, is)
}

// hadTime tells whether what was deferred at an instant should have run by end.
func (c calendars) hadTime(w *task.Windows, at int64, end time.Time) bool {
	if w == nil {
		return true
	}
	const patience, enough = 20_000, 3
	inRow := 0
	for t := max(at+patience, end.Add(-80*time.Second).UnixMilli()); t < end.UnixMilli()-2000; t += 1000 {
		if inRow++; !c.open(w, t) {
			inRow = 0
		}
		if inRow > enough {
			return true
		}
	}
	return false
}

// claimInside judges a claim by its task's windows.
func (j *judge) claimInside(e Event, t *judged, r *bucket.Record) {
	def := t.def()
	switch {
	case r.Manual != "" || def.Windows == nil:
		return
	case !j.calendars.known(def.Windows):
		j.fault(ErrOutsideWindow, e, r.FireID(), "claimed, but of %v one is missing", def.Windows.Names())
	case !j.calendars.open(def.Windows, e.Batch.Time):
		j.fault(ErrOutsideWindow, e, r.FireID(), "claimed when they are closed")
	case !t.deferred[r.At] && skips(def.Windows) && !j.calendars.open(def.Windows, r.At):
		j.fault(ErrOutsideWindow, e, r.FireID(), "claimed, but was due when they were closed")
	}
}

func skips(w *task.Windows) bool { return w.Outside == "" || w.Outside == task.OutsideSkip }

// deferOutside judges a deferral that says that it is for the windows.
func (j *judge) deferOutside(e Event, t *judged, r *bucket.Record) {
	if r.Reason != task.ReasonWindow {
		return
	}
	w := t.def().Windows
	if w == nil || skips(w) || w.Outside == task.OutsideAgent || !j.calendars.known(w) {
		j.fault(ErrOutsideWindow, e, r.FireID(), "put off, though its windows are %+v", w)
		return
	}
	if j.calendars.open(w, r.At) && j.calendars.open(w, e.Batch.Time) {
		j.fault(ErrOutsideWindow, e, r.FireID(), "put off while they are open")
	}
}

// skipOutside judges a skip that says that it is for the windows.
func (j *judge) skipOutside(e Event, t *judged, r *bucket.Record) {
	if r.Reason != task.ReasonWindow {
		return
	}
	def := t.def()
	if def.Windows == nil || !j.calendars.known(def.Windows) {
		j.fault(ErrOutsideWindow, e, r.FireID(), "skipped, though its windows are %+v", def.Windows)
		return
	}
	for _, at := range Instants(def, t.cursor, r.Until) {
		if j.calendars.open(def.Windows, at) && j.calendars.open(def.Windows, e.Batch.Time) {
			j.fault(ErrOutsideWindow, e, task.ScheduledID(t.uid, time.UnixMilli(at)), "skipped while they are open")
		}
	}
}
