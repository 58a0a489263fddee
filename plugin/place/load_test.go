package place

import (
	"slices"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// What is amended counts new tasks and what they demand, keeps what changed tasks
// were counted for, and changes nothing that the load before shares.
func TestAmend(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	of := func(service string, revision int64, change func(*task.Info)) task.Info {
		i := task.Info{
			Key: task.Key{Name: service}, UID: service, Revision: revision, Service: service, Operation: "o",
			Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1}, From: now,
		}
		change(&i)
		return i
	}
	as := func(*task.Info) {}
	var m Meter
	before := m.Load([]task.Info{of("b", 1, as), of("c", 1, as)}, nil, now)
	got := m.Amend(before, []task.Info{of("a", 1, as), of("d", 7, as), of("b", 2, func(i *task.Info) { i.Deleted = true })}, nil, now)
	if want := []Demand{{Service: "a"}, {Service: "b"}, {Service: "c"}, {Service: "d"}}; !slices.Equal(got.Demands, want) {
		t.Errorf("demands %v, want %v", got.Demands, want)
	}
	if got.Tasks != 3 || got.PerMinute != before.PerMinute*3/2 || got.Leaving != 0 {
		t.Errorf("%+v, want half as much again as %+v", got, before)
	}
	if want := []Demand{{Service: "b"}, {Service: "c"}}; !slices.Equal(before.Demands, want) || before.Tasks != 2 {
		t.Errorf("the load before has become %+v", before)
	}
}
