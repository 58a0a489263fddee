package standing

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Runs gives those of a task that are kept, oldest first.
func (b Bucket) Runs(info *task.Info) []contract.RunView {
	if b.Fault != nil {
		return nil
	}
	var views []contract.RunView
	for _, r := range b.State.Runs(info.UID) {
		views = append(views, run(r, info.Key))
	}
	return views
}

// Open tells whether a firing waits for its turn, its first attempt goes, or it may
// have another.
func (b Bucket) Open(id task.FireID) bool {
	v, _ := b.State.View(id.UID())
	return slices.ContainsFunc(v.Open, func(r task.Run) bool { return r.FireID == id }) ||
		slices.ContainsFunc(v.Queued, func(at time.Time) bool { return task.ScheduledID(id.UID(), at) == id })
}

// Queued counts the firings of a task that wait: for the run before, or for a
// window.
func (b Bucket) Queued(uid string) int {
	v, ok := b.State.View(uid)
	if !ok {
		return 0
	}
	return len(v.Queued)
}

// run shows a run of a task.
func run(r task.Run, key task.Key) contract.RunView {
	return contract.RunView{
		FireID: string(r.FireID), Task: key.Name, Tenant: key.Tenant, Type: key.Type,
		Scheduled: r.Scheduled.UTC(), Started: contract.Moment(r.Started), Ended: contract.Moment(r.Ended),
		Outcome: string(r.Outcome), Reason: string(r.Reason), Attempt: r.Attempt, Node: r.Node, Error: r.Error, Skips: r.Skips,
		Value: r.Value, Deadline: contract.Moment(r.Deadline),
	}
}
