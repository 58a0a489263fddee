package bucket

import (
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

// A firing that was claimed and then delayed on purpose is one that was skipped,
// not one that fired: every instant is accounted for once.
func TestDelayedFiringIsSkipped(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(dawn)
	b.want(b.at(second(1)), "CLAIM 1")
	b.want(b.settle(1, 1, task.Result{Outcome: task.Skipped, Error: "delayed until 9"}), "SKIPPED")
	b.want(b.at(second(2)), "CLAIM 2")
	b.settle(2, 1, task.Result{Outcome: task.OK})
	b.restart()
	v, ok := b.s.View("u")
	if !ok || v.Counts.Fired != 1 || v.Counts.Skipped != 1 || v.Counts.OK != 1 || v.Last.Outcome != task.OK {
		t.Errorf("%+v", v.Counts)
	}
	r := b.s.Runs("u")[0]
	if r.Outcome != task.Skipped || r.Reason != task.ReasonBackoff || r.Error != "delayed until 9" || r.Skips != 1 || !r.Until.Equal(r.Scheduled) {
		t.Errorf("%+v", r)
	}
}
