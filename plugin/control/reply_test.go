package control

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/task"
)

// installs is a task whose agent replies later.
func installs(name string) task.Info {
	info := minutely(name)
	info.Service, info.Operation = "", ""
	info.Do = &task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: "http://agent.example.org/install"}}
	info.Delivery = task.AtLeastOnce
	info.Trigger = task.TriggerInfo{At: time.Now().Add(1000 * time.Hour)}
	info.Reply = &task.ReplyWait{Deadline: task.Duration(time.Hour)}
	return info
}

// waiting creates such a task, lets it fire once and gives the fire id and token.
func (w *world) waiting(info task.Info) (id, token string) {
	w.Helper()
	w.create(info)
	id, err := w.control.RunTask(w.Context(), info.Key, "")
	if err != nil {
		w.Fatal(err)
	}
	time.Sleep(time.Second)
	secret, err := w.control.store.ReplySecret(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return id, reply.Token(secret, task.FireID(id))
}

func TestReplies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.does(func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} })
		id, token := w.waiting(installs("x"))
		send := func(token string, r task.Reply) (call.ReplyAnswer, error) {
			return w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: r})
		}
		want := func(what string, r task.Reply, state call.Replied) {
			t.Helper()
			if a, err := send(token, r); err != nil || a.State != state {
				t.Errorf("%s: %+v, %v, want %s", what, a, err, state)
			}
		}
		if v := w.task("x"); v.State != contract.Running || !strings.HasPrefix(v.Reason, contract.ReasonReply) {
			t.Errorf("waiting: %s %s", v.State, v.Reason)
		}
		if runs, err := w.control.Runs(t.Context(), RunFilter{Outcome: "WAITING"}); err != nil || len(runs) != 1 || runs[0].Deadline == nil {
			t.Errorf("%+v, %v", runs, err)
		}

		_, err := send(token+"x", task.Reply{OK: true})
		refused(t, err, failure.CodeUnauthorised)
		_, err = send(reply.Token([]byte("another secret"), task.FireID(id)), task.Reply{OK: true})
		refused(t, err, failure.CodeUnauthorised)
		_, err = send(token, task.Reply{OK: true, Value: strings.Repeat("x", task.MaxReplyValue+1)})
		refused(t, err, failure.CodeInvalid)
		if v := w.task("x"); v.State != contract.Running {
			t.Errorf("after forged replies: %+v", v)
		}

		said := task.Reply{OK: true, Value: "3 packages"}
		want("the reply", said, call.ReplyAccepted)
		run, err := w.control.WaitRun(t.Context(), id)
		if err != nil || run.Outcome != "OK" || run.Value != "3 packages" {
			t.Errorf("%+v, %v", run, err)
		}
		want("the same again", said, call.ReplyRepeated)
		want("another one", task.Reply{Value: "no"}, call.ReplyAnswered)
		time.Sleep(time.Minute)
		if again, err := w.control.Run(t.Context(), id); err != nil || len(again) != 1 || again[0].Value != "3 packages" {
			t.Errorf("%+v, %v", again, err)
		}
		if v := w.task("x"); v.Fired != 1 || v.Failures != 0 {
			t.Errorf("%+v", v)
		}
	})
}

// The end of work that has failed must not hang on how its exception is worded.
func TestExceptionsAreKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ said, kept string }{
		"long":          {strings.Repeat("x", task.MaxReplyValue+1), strings.Repeat("x", task.MaxReplyValue-3) + "…"},
		"without words": {" ", "an exception without a message"},
		"not UTF-8":     {"disk \xff full", "disk \uFFFD full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.serve("n2")
				w.does(func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} })
				id, token := w.waiting(installs("x"))
				for _, state := range []call.Replied{call.ReplyAccepted, call.ReplyRepeated} {
					a, err := w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: task.Reply{Value: c.said}})
					if err != nil || a.State != state {
						t.Fatalf("%+v, %v, want %s", a, err, state)
					}
					run, err := w.control.WaitRun(t.Context(), id)
					if err != nil || run.Outcome != "FAILED" || run.Value != c.kept || run.Error == "" {
						t.Errorf("%s %q (%.80s), %v", run.Outcome, run.Value, run.Error, err)
					}
				}
			})
		})
	}
}

// A reply that is stored when its deadline has just passed does not count, and whoever
// sent it is told so: the clock of the store decides, whatever the owner's says.
func TestReplyStoredLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.does(func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} })
		id, token := w.waiting(installs("late"))
		w.leave() // nobody is there to see the deadline pass
		time.Sleep(time.Hour + lateReply/2)
		for range 2 {
			a, err := w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: task.Reply{OK: true}})
			if err != nil || a.State != call.ReplyEnded || a.Outcome != "TIMED_OUT" {
				t.Errorf("%+v, %v", a, err)
			}
		}
	})
}

func TestRepliesThatChangeNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		w.does(func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} })
		id, token := w.waiting(installs("late"))
		time.Sleep(2 * time.Hour)
		a, err := w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: task.Reply{OK: true}})
		if err != nil || a.State != call.ReplyEnded || a.Outcome != "TIMED_OUT" {
			t.Errorf("late: %+v, %v", a, err)
		}

		id, token = w.waiting(installs("cancelled"))
		if err := w.control.CancelRun(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		a, err = w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: task.Reply{OK: true}})
		if err != nil || a.State != call.ReplyEnded || a.Outcome != "CANCELLED" {
			t.Errorf("cancelled: %+v, %v", a, err)
		}

		id, token = w.waiting(installs("unseen"))
		w.leave() // nobody is there to see the deadline pass
		time.Sleep(2 * time.Hour)
		a, err = w.control.Reply(t.Context(), call.ReplyRequest{FireID: id, Token: token, Reply: task.Reply{OK: true}})
		if err != nil || a.State != call.ReplyEnded {
			t.Errorf("late, and nobody there: %+v, %v", a, err)
		}

		secret, err := w.control.store.ReplySecret(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, unknown := range []string{"0-nobody:5", id + "0", "900-nobody:5"} {
			_, err = w.control.Reply(t.Context(), call.ReplyRequest{FireID: unknown, Token: reply.Token(secret, task.FireID(unknown))})
			refused(t, err, failure.CodeNotFound)
		}
	})
}

func TestWhatMayWaitForReplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*task.Info){
		"an operation":                func(i *task.Info) { i.Do, i.Service, i.Operation = nil, minutely("x").Service, minutely("x").Operation },
		"a deadline that is too long": func(i *task.Info) { i.Reply.Deadline = task.Duration(2 * task.MaxReplyDeadline) },
		"an unknown word":             func(i *task.Info) { i.Reply.OnDeadline = "hope" },
		"retry without retries":       func(i *task.Info) { i.Reply.OnDeadline = task.DeadlineRetry },
		"retry at most once": func(i *task.Info) {
			i.Reply.OnDeadline, i.Retry.Max, i.Delivery = task.DeadlineRetry, 1, task.AtMostOnce
		},
	} {
		info := installs("x")
		change(&info)
		if _, _, err := w.control.CreateTask(t.Context(), info); failure.Of(err) == nil || failure.Of(err).Code != failure.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := w.control.CreateTask(t.Context(), installs("x")); err != nil {
		t.Error(err)
	}
}
