package control

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

func following(name string, after ...string) task.Info {
	info := minutely(name)
	info.Trigger = task.TriggerInfo{}
	info.After = &task.After{Tasks: after}
	return info
}

// followersOf reads what the definition says.
func (w *world) followersOf(name string) string {
	w.Helper()
	info, err := w.control.store.Get(w.Context(), task.Key{Name: name})
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, f := range standing.Followers(&info) {
		names = append(names, f.Name+" "+string(f.On))
	}
	return strings.TrimSpace(strings.Join(names, ","))
}

func TestFollowersAreKeptInStep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		w.create(minutely("b"))
		c := w.create(following("c", "a"))
		if c.State == contract.Finished || c.Next != nil {
			t.Errorf("a task that only follows: %s, next %v", c.State, c.Next)
		}
		if got := w.followersOf("a"); got != "c" {
			t.Errorf("followers of a: %q", got)
		}
		refused(t, w.control.DeleteTask(t.Context(), task.Key{Name: "a"}), failure.CodeConflict)

		// It follows another one from now on, and otherwise.
		w.carry(Order{Verb: VerbPatch, Task: json.RawMessage(`{"name":"c","after":{"tasks":["b"],"on":"end"}}`)})
		if a, b := w.followersOf("a"), w.followersOf("b"); a != "" || b != "c end" {
			t.Errorf("followers of a %q, of b %q", a, b)
		}
		// Who is followed keeps its followers, whatever else is changed.
		info, err := w.control.get(t.Context(), task.Key{Name: "b"})
		if err != nil {
			t.Fatal(err)
		}
		info.Description = "new"
		w.carry(Order{Verb: VerbPut, Task: document(t, info)})
		if b := w.followersOf("b"); b != "c end" {
			t.Errorf("followers of b after a change: %q", b)
		}
		if err := w.control.DeleteTask(t.Context(), task.Key{Name: "c"}); err != nil {
			t.Fatal(err)
		}
		if b := w.followersOf("b"); b != "" {
			t.Errorf("followers of b, when c is gone: %q", b)
		}
		if err := w.control.DeleteTask(t.Context(), task.Key{Name: "b"}); err != nil {
			t.Errorf("b: %v", err)
		}
	})
}

func TestChainsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		w.create(following("b", "a"))
		w.create(following("c", "b"))
		try := func(info task.Info) *failure.Error {
			t.Helper()
			_, _, err := w.control.CreateTask(t.Context(), info)
			return refused(t, err, failure.CodeInvalid)
		}
		try(following("x", "nobody"))
		try(following("x"))
		try(following("x", "a", "a"))
		try(following("x", "one/two"))
		try(following("x", "x"))
		wrong := following("x", "a")
		wrong.After.On = "won"
		try(wrong)
		wrong = following("x", "a")
		wrong.After.With = map[string]string{"code": "{{.Vallue}}"}
		try(wrong)
		_, err := w.control.Carry(t.Context(), Order{Verb: VerbPatch, Task: json.RawMessage(`{"name":"a","after":{"tasks":["c"]}}`)})
		if e := refused(t, err, failure.CodeInvalid); !strings.Contains(e.Message, "a after c after b after a") {
			t.Errorf("circle: %s", e.Message)
		}
		// An operation with parameters can follow, if it is given all of them.
		with := following("x", "a")
		with.Operation, with.After.With = "setStock", map[string]string{"code": "{{.FireID}}"}
		try(with)
		with.After.With["quantity"] = "{{.Value}}"
		w.create(with)
		// A web call finds in its templates what it is given, and nothing else.
		told := task.Info{
			Key: task.Key{Name: "told"}, After: &task.After{Tasks: []string{"a"}, With: map[string]string{"what": "{{.Value}}"}},
			Do: &task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: "https://example.org/", Body: "{{.Input.which}}"}},
		}
		if e := try(told); !strings.Contains(e.Message, "which") {
			t.Errorf("%+v", e)
		}
		told.Do.HTTP.Body = "{{.Input.what}}"
		w.create(told)
	})
}
