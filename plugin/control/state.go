package control

import (
	"errors"
	"strconv"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// view tells how a task stands.
func (r reader) view(info *task.Info) contract.TaskView {
	v := define(info)
	v.Node = r.owner.node
	if r.fault != nil {
		v.State, v.Reason = contract.Unknown, contract.ReasonCorrupt+": "+r.fault.Error()
		return v
	}
	b, ok := r.state.View(info.UID)
	if !ok {
		v.State, v.Reason = contract.Unknown, contract.ReasonCorrupt+": the task is not in it"
		return v
	}
	if !b.Next.IsZero() {
		v.Next = &b.Next
	}
	if b.Last != nil {
		last := runView(*b.Last, info.Key)
		v.Last = &last
	}
	v.Fired, v.Failures, v.Skipped = b.Counts.Fired, b.Counts.Failed+b.Counts.Unknown, b.Counts.Skipped
	v.State, v.Reason = r.standing(info, &b)
	return v
}

// standing is the state and why. Where a task stands by its own account
// (paused, finished) goes before whether somebody looks after it.
func (r reader) standing(info *task.Info, b *bucket.View) (contract.State, string) {
	switch b.Phase {
	case bucket.PhasePaused:
		return contract.Paused, because(string(task.ReasonPaused), join(info.PauseReason, untilText(info)))
	case bucket.PhaseFinished:
		if end := info.Trigger.End; !end.IsZero() && !r.c.now().Before(end) {
			return contract.Finished, contract.ReasonEnded
		}
		return contract.Finished, contract.ReasonExhausted
	}
	switch {
	case !r.owner.known:
		return contract.Unplaced, r.owner.why
	case !r.owner.alive:
		return contract.Unknown, because(contract.ReasonUnreachable, "node "+r.owner.node+" is not in the group")
	}
	switch b.Phase {
	case bucket.PhaseRunning:
		return contract.Running, retrying(b)
	case bucket.PhaseBlocked:
		return contract.Blocked, because(string(task.ReasonQueued), strconv.Itoa(len(b.Queued))+" wait for the run before")
	case bucket.PhaseFailed:
		if missing, ok := errors.AsType[*calendar.MissingError](b.Fault); ok {
			return contract.Failed, because(contract.ReasonNoCalendar, missing.Error())
		}
		if b.Fault != nil {
			return contract.Failed, because(contract.ReasonTrigger, b.Fault.Error())
		}
		if b.Last.Reason == task.ReasonEgress {
			return contract.Failed, because(string(task.ReasonEgress), b.Last.Error)
		}
		return contract.Failed, because(contract.ReasonRun, b.Last.Error)
	}
	if start := info.Trigger.Start; r.c.now().Before(start) {
		return contract.Waiting, because(contract.ReasonNotStarted, "it starts at "+start.UTC().Format(time.RFC3339))
	}
	return contract.Waiting, ""
}

// untilText says when a pause is over of itself; empty: it is not.
func untilText(info *task.Info) string {
	if info.PauseUntil == nil {
		return ""
	}
	return "until " + info.PauseUntil.UTC().Format(time.RFC3339)
}

func retrying(b *bucket.View) string {
	for _, open := range b.Open {
		if open.Outcome == task.Running {
			return ""
		}
	}
	last := b.Open[len(b.Open)-1]
	if last.Outcome == task.Waiting {
		return because(contract.ReasonReply, "until "+last.Deadline.UTC().Format(time.RFC3339))
	}
	return because(contract.ReasonRetry, last.Error)
}

func because(code, text string) string {
	if text == "" {
		return code
	}
	return code + ": " + text
}

// define is the part of a view that the definition alone tells.
func define(info *task.Info) contract.TaskView {
	v := contract.TaskView{
		Name: info.Name, Tenant: info.Tenant, Type: info.Type, UID: info.UID, Revision: info.Revision,
		Service: info.Service, Operation: info.Operation, Kind: info.Kind(), Calls: info.Calls(), Do: info.Do,
		Trigger: Line(info.Trigger), TZ: info.Trigger.TZ, Start: moment(info.Trigger.Start), End: moment(info.Trigger.End),
		Misfire: info.Misfire, Overlap: info.Overlap, Delivery: info.Delivery,
		Retry: info.Retry.Max, Timeout: info.RunTimeout().String(),
		Alerts: append([]task.Alert{}, info.Alerts...), Description: info.Description,
		Location: info.Location.String(), Moving: seat(info), Reply: info.Reply,
		Windows: info.Windows, Window: windowsLine(info.Windows),
		After: follows(info.After), Followers: []string{},
	}
	if info.PauseUntil != nil {
		v.PausedUntil = moment(*info.PauseUntil)
	}
	for _, f := range followers(info) {
		v.Followers = append(v.Followers, f.Name)
	}
	if v.TZ == "" {
		v.TZ = "UTC"
	}
	if v.Misfire == "" {
		v.Misfire = task.MisfireFireOnce
	}
	if v.Overlap == "" {
		v.Overlap = task.OverlapAllow
	}
	return v
}

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

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func runView(r task.Run, key task.Key) contract.RunView {
	return contract.RunView{
		FireID: string(r.FireID), Task: key.Name, Tenant: key.Tenant, Type: key.Type,
		Scheduled: r.Scheduled.UTC(), Started: moment(r.Started), Ended: moment(r.Ended),
		Outcome: string(r.Outcome), Reason: string(r.Reason), Attempt: r.Attempt, Node: r.Node, Error: r.Error, Skips: r.Skips,
		Value: r.Value, Deadline: moment(r.Deadline),
	}
}
