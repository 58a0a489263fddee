package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// "Install these packages at noon next Tuesday": asked for on a Saturday, called
// at noon of that Tuesday where the task lives, and ended by a reply three hours
// later, while no worker is held.
func TestNextTuesdayAtNoon(t *testing.T) {
	t.Parallel()
	onStage(t, func(s *stage) {
		s.invoke = func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} }
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		noon := time.Date(2000, 1, 4, 12, 0, 0, 0, berlin)
		info := s.create("install", func(i *task.Info) {
			i.Trigger = task.TriggerInfo{Cron: "0 0 12 ? * TUE", TZ: "Europe/Berlin", End: noon.Add(time.Hour)}
			i.Reply = &task.ReplyWait{Deadline: task.Duration(48 * time.Hour)}
		})
		time.Sleep(time.Until(noon) - time.Second)
		if n := s.called(); n != 0 {
			t.Fatalf("called %d times before noon", n)
		}
		time.Sleep(3 * time.Hour)
		if n := s.called(); n != 1 || !s.calls[0].Scheduled.Equal(noon) {
			t.Fatalf("called %d times: %v", n, s.calls)
		}
		if v, _ := s.view(info); v.Phase != bucket.PhaseRunning || v.Open[0].Outcome != task.Waiting || !v.Open[0].Deadline.Equal(noon.Add(48*time.Hour)) {
			t.Errorf("waiting: %+v", v)
		}
		id := task.ScheduledID(info.UID, noon)
		if err := s.store.Reply(t.Context(), info.Key, id, task.Reply{OK: true, Value: "installed"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		v, runs := s.view(info)
		if v.Phase != bucket.PhaseFinished || v.Counts.OK != 1 || len(v.Open) != 0 || runs[len(runs)-1].Value != "installed" {
			t.Errorf("ended: %+v, %+v", v, runs)
		}
	})
}
