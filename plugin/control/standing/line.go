package standing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Line is a trigger in one line: "cron:0 0/5 * * * ?", "every:1m0s",
// "every:10s*10" (ten firings), "at:2027-01-01T00:00:00Z", "once".
func Line(t task.TriggerInfo) string {
	switch {
	case t.Cron != "":
		return "cron:" + t.Cron
	case !t.At.IsZero():
		return "at:" + t.At.UTC().Format(time.RFC3339Nano)
	case t.Interval == 0:
		return "once"
	case t.Count >= 0:
		return "every:" + t.Interval.String() + "*" + strconv.Itoa(t.Count+1)
	default:
		return "every:" + t.Interval.String()
	}
}

// seat tells where a task with a location of its own is, or is going.
func seat(info *task.Info) string {
	switch {
	case info.Seat.To() != nil:
		return "moving: its owner hands it over when none of its runs is going"
	case len(info.Seat.Carried()) > 0:
		return "moving: the owner of its new bucket has not taken it yet"
	}
	return ""
}

// windowsLine says windows in one line; empty: there are none.
func windowsLine(w *task.Windows) string {
	if w == nil {
		return ""
	}
	var parts []string
	if len(w.Allow) > 0 {
		parts = append(parts, "in "+strings.Join(w.Allow, " or "))
	}
	if len(w.Forbid) > 0 {
		parts = append(parts, "not in "+strings.Join(w.Forbid, " or "))
	}
	outside := w.Outside
	if outside == "" {
		outside = task.OutsideSkip
	}
	return strings.Join(parts, ", ") + "; outside: " + string(outside)
}

// follows says in one line what a task follows; empty: nothing.
func follows(a *task.After) string {
	if a == nil {
		return ""
	}
	on := a.On
	if on == "" {
		on = task.OnSuccess
	}
	how := "any of "
	if a.All {
		how = "all of "
	}
	if len(a.Tasks) == 1 {
		how = ""
	}
	return fmt.Sprintf("%s of %s%s", on, how, strings.Join(a.Tasks, ", "))
}

// Followers lists those that follow a task; the caller may change the list.
func Followers(info *task.Info) []task.Follower {
	if info.Followers == nil {
		return nil
	}
	return slices.Clone(*info.Followers)
}
