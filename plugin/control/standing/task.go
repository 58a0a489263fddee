package standing

import (
	"errors"
	"strconv"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// View tells how a task of the bucket stands.
func (b Bucket) View(info *task.Info) contract.TaskView {
	v := define(info)
	v.Node = b.Owner.Node
	if b.Fault != nil {
		v.State, v.Reason = contract.Unknown, contract.ReasonCorrupt+": "+b.Fault.Error()
		return v
	}
	seen, ok := b.State.View(info.UID)
	if !ok {
		v.State, v.Reason = contract.Unknown, contract.ReasonCorrupt+": the task is not in it"
		return v
	}
	if !seen.Next.IsZero() {
		next := seen.Next
		v.Next = &next
	}
	if seen.Last != nil {
		last := run(*seen.Last, info.Key)
		v.Last = &last
	}
	v.Fired, v.Failures, v.Skipped = seen.Counts.Fired, seen.Counts.Failed+seen.Counts.Unknown, seen.Counts.Skipped
	v.State, v.Reason = b.standing(info, &seen)
	return v
}

// standing is the state and why. Where a task stands by its own account
// (paused, finished) goes before whether somebody looks after it.
func (b Bucket) standing(info *task.Info, seen *bucket.View) (contract.State, string) {
	switch seen.Phase {
	case bucket.PhasePaused:
		return contract.Paused, contract.Because(string(task.ReasonPaused), paused(info))
	case bucket.PhaseFinished:
		if end := info.Trigger.End; !end.IsZero() && !b.now().Before(end) {
			return contract.Finished, contract.ReasonEnded
		}
		return contract.Finished, contract.ReasonExhausted
	}
	switch {
	case !b.Owner.Known:
		return contract.Unplaced, b.Owner.Why
	case !b.Owner.Alive:
		return contract.Unknown, contract.Because(contract.ReasonUnreachable, "node "+b.Owner.Node+" is not in the group")
	}
	switch seen.Phase {
	case bucket.PhaseRunning:
		return contract.Running, retrying(seen)
	case bucket.PhaseBlocked:
		return contract.Blocked, contract.Because(string(task.ReasonQueued), strconv.Itoa(len(seen.Queued))+" wait for the run before")
	case bucket.PhaseFailed:
		if missing, ok := errors.AsType[*calendar.MissingError](seen.Fault); ok {
			return contract.Failed, contract.Because(contract.ReasonNoCalendar, missing.Error())
		}
		if seen.Fault != nil {
			return contract.Failed, contract.Because(contract.ReasonTrigger, seen.Fault.Error())
		}
		if seen.Last.Reason == task.ReasonEgress {
			return contract.Failed, contract.Because(string(task.ReasonEgress), seen.Last.Error)
		}
		return contract.Failed, contract.Because(contract.ReasonRun, seen.Last.Error)
	}
	if start := info.Trigger.Start; b.now().Before(start) {
		return contract.Waiting, contract.Because(contract.ReasonNotStarted, "it starts at "+start.UTC().Format(time.RFC3339))
	}
	if seen.Shut {
		return contract.Waiting, contract.Because(string(task.ReasonWindow), "no opening is in sight; "+windowsLine(info.Windows))
	}
	return contract.Waiting, ""
}

// paused says why a task is, and until when if its pause ends of itself.
func paused(info *task.Info) string {
	switch {
	case info.PauseUntil == nil:
		return info.PauseReason
	case info.PauseReason == "":
		return "until " + info.PauseUntil.UTC().Format(time.RFC3339)
	}
	return info.PauseReason + "; until " + info.PauseUntil.UTC().Format(time.RFC3339)
}

func retrying(b *bucket.View) string {
	for _, open := range b.Open {
		if open.Outcome == task.Running {
			return ""
		}
	}
	last := b.Open[len(b.Open)-1]
	if last.Outcome == task.Waiting {
		return contract.Because(contract.ReasonReply, "until "+last.Deadline.UTC().Format(time.RFC3339))
	}
	return contract.Because(contract.ReasonRetry, last.Error)
}

// define is the part of a view that the definition alone tells.
func define(info *task.Info) contract.TaskView {
	v := contract.TaskView{
		Name: info.Name, Tenant: info.Tenant, Type: info.Type, UID: info.UID, Revision: info.Revision,
		Service: info.Service, Operation: info.Operation, Kind: info.Kind(), Calls: info.Calls(), Do: info.Do,
		Trigger: Line(info.Trigger), TZ: info.Trigger.TZ, Start: contract.Moment(info.Trigger.Start), End: contract.Moment(info.Trigger.End),
		Misfire: info.Misfire, Overlap: info.Overlap, Delivery: info.Delivery,
		Retry: info.Retry.Max, Timeout: info.RunTimeout().String(),
		Alerts: append([]task.Alert{}, info.Alerts...), Description: info.Description,
		Location: info.Location.String(), Moving: seat(info), Reply: info.Reply,
		Windows: info.Windows, Window: windowsLine(info.Windows),
		After: follows(info.After), Followers: []string{},
	}
	if info.PauseUntil != nil {
		v.PausedUntil = contract.Moment(*info.PauseUntil)
	}
	for _, f := range Followers(info) {
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
