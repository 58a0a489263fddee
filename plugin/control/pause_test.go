package control

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// A pause that ends of itself is seen everywhere to last, and then to be over,
// though nothing was stored about its end.
func TestAPauseEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, key := newWorld(t), task.Key{Name: "x"}
		ctx := t.Context()
		_, next, err := w.control.CreateTask(ctx, minutely("x"))
		if err != nil {
			t.Fatal(err)
		}
		for _, until := range []time.Time{time.Now(), time.Now().Add(MaxPause + time.Hour)} {
			_, err := w.control.PauseTaskUntil(ctx, key, "", until)
			refused(t, err, failure.CodeInvalid)
		}
		v, err := w.control.PauseTaskUntil(ctx, key, "db patch", time.Now().Add(150*time.Second))
		want := time.Now().Add(150 * time.Second).UTC()
		if err != nil || v.State != contract.Paused || v.PausedUntil == nil || !v.PausedUntil.Equal(want) || v.Next == nil || !v.Next.Equal(next[3]) ||
			v.Reason != "PAUSED_BY_USER: db patch; until "+want.Format(time.RFC3339) {
			t.Errorf("paused %+v, %v", v, err)
		}
		x, err := w.control.ExplainTask(ctx, key)
		if err != nil || len(x.Findings) == 0 || x.Findings[0].Code != string(task.ReasonPaused) || !strings.Contains(x.Findings[0].Text, "until ") {
			t.Errorf("explained %+v, %v", x.Findings, err)
		}
		coming, err := w.control.Next(ctx, key, 4, time.Now())
		if err != nil || coming[0].Note == "" || coming[2].Note == "" || coming[3].Note != "" {
			t.Errorf("coming %+v, %v", coming, err)
		}
		_, err = w.control.RunTask(ctx, key, "")
		refused(t, err, failure.CodeConflict)

		time.Sleep(151 * time.Second)
		if v, err = w.control.Task(ctx, key); err != nil || v.State == contract.Paused || v.PausedUntil != nil || v.Revision != 2 || !v.Next.Equal(next[3]) {
			t.Errorf("over: %+v, %v", v, err)
		}
		if _, err := w.control.RunTask(ctx, key, ""); err != nil {
			t.Error(err)
		}
		if v, err = w.control.ResumeTask(ctx, key); err != nil || v.Revision != 2 {
			t.Errorf("a resumption of what goes on changes something: %+v, %v", v, err)
		}
		// An edit of later on loses nothing that came due since the pause ended.
		time.Sleep(5 * time.Minute)
		if v, err = w.control.UpdateTask(ctx, key, 0, func(i *task.Info) error { i.Retry.Max = 1; return nil }); err != nil || !v.Next.Equal(next[3]) || v.State == contract.Paused {
			t.Errorf("edited: %+v, %v", v, err)
		}
	})
}

// Programs say until when, and what they read they can write back.
func TestAnOrderToPauseUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("x"))
		order := Order{Verb: VerbPause, Task: json.RawMessage(`{"name":"x"}`), Until: time.Now().Add(time.Hour)}
		done, err := w.control.Carry(t.Context(), order)
		if err != nil || !done.Changed || done.Task.PausedUntil == nil {
			t.Fatalf("%+v, %v", done, err)
		}
		if done, err = w.control.Carry(t.Context(), order); err != nil || done.Changed {
			t.Errorf("again: %+v, %v", done, err)
		}
		_, info, err := w.control.Defined(t.Context(), task.Key{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		document, err := definition.Document(info)
		if err != nil {
			t.Fatal(err)
		}
		if done, err = w.control.Carry(t.Context(), Order{Verb: VerbPut, Task: document}); err != nil || done.Changed {
			t.Errorf("put back: %+v, %v", done, err)
		}
		_, err = w.control.Carry(t.Context(), Order{Verb: VerbPatch, Task: json.RawMessage(`{"name":"x","paused":false}`)})
		refused(t, err, failure.CodeInvalid)
		time.Sleep(2 * time.Hour)
		order.Until = time.Time{}
		if done, err = w.control.Carry(t.Context(), order); err != nil || !done.Changed || done.Task.PausedUntil != nil || done.Task.State != contract.Paused {
			t.Errorf("until resumed: %+v, %v", done, err)
		}
	})
}
