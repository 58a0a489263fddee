package control

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

func saved(t *testing.T, c *Control) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := c.SaveBackup(t.Context(), &b, "ann", func(int) {}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func opener(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// empty is another group, without tasks and services.
func empty(t *testing.T) *Control {
	t.Helper()
	client := newEmpty()
	if _, err := store.New(client, store.Options{}).Init(t.Context(), store.Settings{Buckets: 2 * buckets}); err != nil {
		t.Fatal(err)
	}
	return New(Deps{KV: client, Members: client, Caller: client})
}

// What was saved is restored elsewhere: the same definitions, paused or not, in
// step, and chained as they were.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		paused := minutely("p")
		paused.Paused, paused.PauseReason = true, "not yet"
		w.create(paused)
		for _, name := range []string{"b", "c"} {
			follower := task.Info{Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock", After: &task.After{Tasks: []string{string(rune(name[0] - 1))}}}
			w.create(follower)
		}
		text := saved(t, w.control)
		time.Sleep(90 * time.Second)

		other := empty(t)
		dry, err := other.Restore(t.Context(), opener(text), RestoreOptions{DryRun: true})
		if err != nil || dry.Created != 4 || dry.Replaced+dry.Unchanged > 0 || dry.By != "ann" {
			t.Fatalf("%+v, %v", dry, err)
		}
		if tasks, err := other.Tasks(t.Context(), TaskFilter{}); err != nil || len(tasks) > 0 {
			t.Fatalf("a dry run made %v, %v", tasks, err)
		}
		var told int
		r, err := other.Restore(t.Context(), opener(text), RestoreOptions{Tell: func(done, of int) {
			if told++; done != told || of != 4 {
				t.Errorf("told %d of %d", done, of)
			}
		}})
		if err != nil || r.Created != 4 || told != 4 || r.Left != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		for _, name := range []string{"a", "b", "c", "p"} {
			key := task.Key{Name: name}
			before, err := w.control.Define(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			after, err := other.Define(t.Context(), key)
			if err != nil || !same(&before, &after) {
				t.Errorf("%s: %v %+v", name, err, definition.Changes(&before, &after))
			}
		}
		// In step: the instants are those of the task that was saved.
		now := time.Now()
		was, err := w.control.Next(t.Context(), task.Key{Name: "a"}, 3, now)
		if err != nil {
			t.Fatal(err)
		}
		is, err := other.Next(t.Context(), task.Key{Name: "a"}, 3, now)
		if err != nil || fmt.Sprint(was) != fmt.Sprint(is) {
			t.Errorf("%v, %v; want %v", is, err, was)
		}
		if b, err := other.Define(t.Context(), task.Key{Name: "b"}); err != nil || b.Followers == nil || len(*b.Followers) != 1 {
			t.Errorf("b is followed by %+v, %v", b.Followers, err)
		}
		again, err := other.Restore(t.Context(), opener(text), RestoreOptions{})
		if err != nil || again.Unchanged != 4 {
			t.Errorf("again: %+v, %v", again, err)
		}
		if _, err := other.store.Update(t.Context(), task.Key{Name: "a"}, 0, func(i *task.Info) error { i.Description = "other"; return nil }); err != nil {
			t.Fatal(err)
		}
		e := refused(t, second(other.Restore(t.Context(), opener(text), RestoreOptions{})), failure.CodeExists)
		if !strings.Contains(e.Message, "different: a") {
			t.Errorf("%v", e)
		}
		forced, err := other.Restore(t.Context(), opener(text), RestoreOptions{Force: true})
		if err != nil || forced.Replaced != 1 {
			t.Errorf("%+v, %v", forced, err)
		}
		if a, err := other.Define(t.Context(), task.Key{Name: "a"}); err != nil || a.Description != "" {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// Of a backup that is not whole nothing is restored.
func TestDamagedBackups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(minutely("a"))
	w.create(minutely("b"))
	text := saved(t, w.control)
	lines := strings.SplitAfter(text, "\n")
	other := empty(t)
	for _, damaged := range []string{"", lines[0] + lines[1], lines[0] + lines[2] + lines[3], strings.Replace(text, "getLowStock", "getLowStocK", 1)} {
		refused(t, second(other.Restore(t.Context(), opener(damaged), RestoreOptions{})), failure.CodeInvalid)
	}
	if tasks, err := other.Tasks(t.Context(), TaskFilter{}); err != nil || len(tasks) > 0 {
		t.Errorf("restored: %v, %v", tasks, err)
	}
}

// Interrupted, it says how far it came, and the next one goes on.
func TestRestoreIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 600
	for i := range many {
		info := minutely(fmt.Sprintf("t%03d", i))
		info.Delivery = task.AtLeastOnce
		if _, err := w.control.store.Create(t.Context(), info); err != nil {
			t.Fatal(err)
		}
	}
	text := saved(t, w.control)
	other := empty(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := other.Restore(ctx, opener(text), RestoreOptions{Tell: func(done, _ int) {
		if done == 100 {
			cancel()
		}
	}})
	if err == nil || r.Left == 0 || r.Left > many-100 {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err = other.Restore(t.Context(), opener(text), RestoreOptions{})
	if err != nil || r.Unchanged < 100 || r.Unchanged+r.Created != many {
		t.Errorf("%+v, %v", r, err)
	}
}

// A backup carries the calendars, and restores them before the tasks that name
// them.
func TestBackupCarriesCalendars(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := calendar.Definition{Name: "office", Weekly: []string{"mon-fri 09:00-17:00"}}
	if _, err := w.control.SetCalendar(t.Context(), office, 0); err != nil {
		t.Fatal(err)
	}
	info := minutely("a")
	info.Windows = &task.Windows{Allow: []string{"office"}}
	w.create(info)
	text := saved(t, w.control)
	if !strings.HasPrefix(text, `{"belfry_backup":2,`) {
		t.Errorf("%.60s", text)
	}
	other := empty(t)
	r, err := other.Restore(t.Context(), opener(text), RestoreOptions{})
	if err != nil || r.Created != 2 || r.Tasks != 1 || r.Calendars != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if v, err := other.Calendar(t.Context(), "office"); err != nil || !slices.Equal(v.Weekly, office.Weekly) || !slices.Equal(v.Tasks, []string{"a"}) {
		t.Errorf("%+v, %v", v, err)
	}
	if r, err := other.Restore(t.Context(), opener(text), RestoreOptions{}); err != nil || r.Unchanged != 2 {
		t.Errorf("again: %+v, %v", r, err)
	}
	office.Weekly = []string{"sat 10:00-12:00"}
	if _, err := other.SetCalendar(t.Context(), office, 0); err != nil {
		t.Fatal(err)
	}
	e := refused(t, second(other.Restore(t.Context(), opener(text), RestoreOptions{})), failure.CodeExists)
	if !strings.Contains(e.Message, "different: calendar office") {
		t.Errorf("%v", e)
	}
	if r, err := other.Restore(t.Context(), opener(text), RestoreOptions{Force: true}); err != nil || r.Replaced != 1 {
		t.Errorf("forced: %+v, %v", r, err)
	}
	lines := strings.SplitAfter(text, "\n")
	refused(t, second(other.Restore(t.Context(), opener(lines[0]+lines[2]+lines[3]), RestoreOptions{})), failure.CodeInvalid)
}

// A task with a location of its own is decided for by a bucket of that location, and
// saved all the same.
func TestBackupHoldsTasksWithALocation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("here"))
		there := minutely("there")
		there.Location = &task.Location{Resolver: "round-robin"}
		w.create(there)
		text := saved(t, w.control)
		other := empty(t)
		r, err := other.Restore(t.Context(), opener(text), RestoreOptions{})
		if err != nil || r.Created != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if info, err := other.Define(t.Context(), there.Key); err != nil || info.Location == nil || info.Location.Resolver != "round-robin" {
			t.Errorf("%+v, %v", info, err)
		}
	})
}
