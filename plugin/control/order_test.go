package control

import (
	"encoding/json"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func document(t *testing.T, info task.Info) json.RawMessage {
	t.Helper()
	d, err := definition.Document(info)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) carry(o Order) Done {
	w.Helper()
	done, err := w.control.Carry(w.Context(), o)
	if err != nil {
		w.Fatalf("%s: %v (%s)", o.Verb, err, failure.Of(err).Hint)
	}
	return done
}

func TestOrders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		definition := document(t, minutely("stock"))
		created := w.carry(Order{Verb: VerbCreate, Task: definition})
		if !created.Created || !created.Changed || len(created.Next) == 0 || created.Task.Name != "stock" {
			t.Fatalf("created %+v", created)
		}
		_, err := w.control.Carry(t.Context(), Order{Verb: VerbCreate, Task: definition})
		refused(t, err, failure.CodeExists)

		// What is read back is no change, and a change is one.
		info, err := w.control.get(t.Context(), task.Key{Name: "stock"})
		if err != nil {
			t.Fatal(err)
		}
		if same := w.carry(Order{Verb: VerbPut, Task: document(t, info)}); same.Changed || same.Created {
			t.Errorf("put the same: %+v", same)
		}
		info.Description = "how much is left"
		if put := w.carry(Order{Verb: VerbPut, Task: document(t, info), Revision: 1}); !put.Changed || put.Task.Description != info.Description {
			t.Errorf("put: %+v", put)
		}
		_, err = w.control.Carry(t.Context(), Order{Verb: VerbPut, Task: document(t, info), Revision: 1})
		refused(t, err, failure.CodeConflict)

		patched := w.carry(Order{Verb: VerbPatch, Task: json.RawMessage(`{"name":"stock","description":null,"retry":{"max":3}}`)})
		if patched.Task.Description != "" || patched.Task.Retry != 3 || patched.Task.Operation != "getLowStock" {
			t.Errorf("patched: %+v", patched.Task)
		}
		name := json.RawMessage(`{"name":"stock"}`)
		if paused := w.carry(Order{Verb: VerbPause, Task: name, Reason: "stocktaking"}); !paused.Changed || paused.Task.State != contract.Paused {
			t.Errorf("paused: %+v", paused)
		}
		if again := w.carry(Order{Verb: VerbPause, Task: name, Reason: "again"}); again.Changed || !strings.Contains(again.Task.Reason, "stocktaking") {
			t.Errorf("paused again: %+v", again)
		}
		if resumed := w.carry(Order{Verb: VerbResume, Task: name}); !resumed.Changed || resumed.Task.State == contract.Paused {
			t.Errorf("resumed: %+v", resumed)
		}
		if run := w.carry(Order{Verb: VerbRun, Task: name}); run.FireID == "" {
			t.Errorf("run: %+v", run)
		}
		if gone := w.carry(Order{Verb: VerbDelete, Task: name}); !gone.Changed || gone.Task != nil {
			t.Errorf("deleted: %+v", gone)
		}
		if gone := w.carry(Order{Verb: VerbDelete, Task: name}); gone.Changed {
			t.Errorf("deleted again: %+v", gone)
		}
	})
}

func TestOrdersThatComeAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		create := Order{ID: "c1", Verb: VerbCreate, Task: document(t, minutely("stock"))}
		first := w.carry(create)
		if again := w.carry(create); !again.Repeated || again.Changed || again.Task.UID != first.Task.UID {
			t.Errorf("created again: %+v", again)
		}
		run := Order{ID: "r1", Verb: VerbRun, Task: json.RawMessage(`{"name":"stock"}`)}
		var fired atomic.Int32
		var ids sync.Map
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				done, err := w.control.Carry(t.Context(), run)
				if err != nil {
					t.Error(err)
				}
				if !done.Repeated {
					fired.Add(1)
				}
				ids.Store(done.FireID, true)
			})
		}
		all.Wait()
		different := 0
		ids.Range(func(any, any) bool { different++; return true })
		if fired.Load() != 1 || different != 1 {
			t.Errorf("%d runs asked for, %d fire ids: want one", fired.Load(), different)
		}
		w.carry(Order{Verb: VerbDelete, Task: json.RawMessage(`{"name":"stock"}`)})
		if again := w.carry(create); !again.Repeated || again.Task != nil {
			t.Errorf("created again after its deletion: %+v", again)
		}
		create.Task = document(t, minutely("other"))
		_, err := w.control.Carry(t.Context(), create)
		refused(t, err, failure.CodeConflict)
	})
}

func TestOrdersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for name, o := range map[string]Order{
			"verb":       {Verb: "creat", Task: json.RawMessage(`{"name":"x"}`)},
			"no task":    {Verb: VerbCreate},
			"no name":    {Verb: VerbRun, Task: json.RawMessage(`{}`)},
			"array":      {Verb: VerbRun, Task: json.RawMessage(`[]`)},
			"unknown":    {Verb: VerbCreate, Task: json.RawMessage(`{"name":"x","servise":"Stock"}`)},
			"not theirs": {Verb: VerbCreate, Task: json.RawMessage(`{"name":"x","uid":"1-2"}`)},
			"long id":    {ID: strings.Repeat("x", MaxOrderID+1), Verb: VerbRun, Task: json.RawMessage(`{"name":"x"}`)},
			"no service": {Verb: VerbPut, Task: json.RawMessage(`{"name":"x","trigger":{"cron":"@daily"}}`)},
		} {
			if _, err := w.control.Carry(t.Context(), o); err == nil || failure.Of(err).Code != failure.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
