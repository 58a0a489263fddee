package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// wanted is n tasks, each tenth of which follows the one before it.
func wanted(n int) []Desired {
	all := make([]Desired, n)
	for i := range all {
		all[i].Info = minutely(fmt.Sprintf("t%03d", i))
		if i%10 == 9 {
			all[i].Trigger = task.TriggerInfo{}
			all[i].After = &task.After{Tasks: []string{fmt.Sprintf("t%03d", i-1)}}
		}
	}
	return all
}

func (w *world) plan(desired []Desired) Plan {
	w.Helper()
	plan, err := w.control.PlanTasks(w.Context(), desired, nil)
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

func (w *world) names() []string {
	w.Helper()
	list, err := w.control.Tasks(w.Context(), TaskFilter{})
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, v := range list {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return names
}

// A plan of many tasks is carried out as one of few: those that follow others come
// after them, one whose name is not free yet is waited for, and one that cannot be
// is refused alone.
func TestAPlanOfManyTasks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n1")
		w.create(minutely("t007"))
		plan := w.plan(append(wanted(300), Desired{Info: minutely("late")}))
		if plan.Unchanged != 1 || len(plan.Changes) != 300 {
			t.Fatalf("%d changes, %d unchanged", len(plan.Changes), plan.Unchanged)
		}
		faulty := slices.IndexFunc(plan.Changes, func(p PlannedTask) bool { return p.Name == "t100" })
		plan.Changes[faulty].Definition = []byte(`{"service":"Gone","operation":"gone"}`)
		w.create(minutely("late"))
		if err := w.control.DeleteTask(t.Context(), task.Key{Name: "late"}); err != nil { // its owner clears it away meanwhile
			t.Fatal(err)
		}
		var failed []string
		told := 0
		done, err := w.control.ApplyPlan(t.Context(), &plan, func(a Applied) {
			if told++; a.Err != nil {
				failed = append(failed, a.Name)
				refused(t, a.Err, failure.CodeInvalid)
			}
		})
		if err != nil || done != 299 || told != 300 || !slices.Equal(failed, []string{"t100"}) {
			t.Errorf("%d done, %d told of, failed %v, %v", done, told, failed, err)
		}
		if n := len(w.names()); n != 300 {
			t.Errorf("%d tasks are there", n)
		}
		if f := w.task("t008").Followers; len(f) != 1 {
			t.Errorf("t008 is followed by %v", f)
		}
		if again := w.plan(wanted(300)); len(again.Changes) != 1 || again.Changes[0].Name != "t100" {
			t.Errorf("afterwards %d changes are to be made", len(again.Changes))
		}
	})
}

// Who interrupts a plan is told of exactly those tasks that are there, and a new
// plan holds the rest.
func TestAPlanThatIsInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		plan := w.plan(wanted(600))
		ctx, interrupt := context.WithCancel(t.Context())
		var told []string
		done, err := w.control.ApplyPlan(ctx, &plan, func(a Applied) {
			if a.Err != nil {
				t.Errorf("%s: %v", a.Name, a.Err)
			}
			if told = append(told, a.Name); len(told) == 100 {
				interrupt()
			}
		})
		slices.Sort(told)
		if there := w.names(); !slices.Equal(there, told) || done != len(told) || done == 600 || !errors.Is(err, context.Canceled) {
			t.Errorf("%d are there, %d were told of, %d done: %v", len(there), len(told), done, err)
		}
		if rest := w.plan(wanted(600)); len(rest.Changes) != 600-done {
			t.Errorf("%d of 600 were done, and %d are left", done, len(rest.Changes))
		}
	})
}
