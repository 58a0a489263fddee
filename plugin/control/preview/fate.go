package preview

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Fates tells what becomes of instants, one after another in their order.
type Fates struct {
	w      *calendar.Windows
	merged time.Time // the opening at which one stands for others
	first  time.Time // that one
}

// Under begins to tell what becomes of instants under the windows of a task; nil: it
// has none.
func Under(w *calendar.Windows) *Fates { return &Fates{w: w} }

// Of notes what the windows do to an instant.
func (f *Fates) Of(v *contract.NextView) {
	why := f.w.Why(v.At)
	if why == "" {
		v.Runs = &v.At
		return
	}
	opening, ok := f.w.Opening(v.At)
	at := opening.UTC()
	code := string(task.ReasonWindow)
	switch outside := f.w.Outside(); {
	case outside == task.OutsideAgent:
		v.Runs = &v.At
		v.Why = contract.Because(code, why+": called all the same, with the window")
	case outside == task.OutsideSkip:
		v.Why = contract.Because(code, why+": skipped")
	case !ok:
		v.Why = contract.Because(code, why+": deferred, and no opening is in sight")
	case outside == task.OutsideOnce && f.merged.Equal(opening):
		v.Why = contract.Because(code, why+": stood for by "+f.first.UTC().Format(time.RFC3339))
	default:
		v.Runs, v.Why = &at, contract.Because(code, why+": deferred to the opening")
		f.merged, f.first = opening, v.At
	}
}
