package control

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// A task that calls something else than an operation is stored, shown and
// edited; what cannot be promised is refused.
func TestActionsAsTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := minutely("hook")
	info.Service, info.Operation = "", ""
	info.Do = &task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: "https://example.org/hook?token=x", Body: "{}"}}
	v := w.create(info)
	if v.Kind != task.KindHTTP || v.Calls != "POST https://example.org/hook?…" || v.Delivery != task.AtLeastOnce || v.Do == nil {
		t.Errorf("got %+v", v)
	}
	v, err := w.control.UpdateTask(w.Context(), info.Normal(), 0, func(i *task.Info) error {
		i.Do.HTTP.Body = `{"a":1}`
		return nil
	})
	if err != nil || v.Revision != 2 || v.Do.HTTP.Body != `{"a":1}` {
		t.Errorf("revision %d, %+v, %v", v.Revision, v.Do, err)
	}
	_, err = w.control.UpdateTask(w.Context(), info.Normal(), 0, func(i *task.Info) error {
		i.Do.HTTP.URL = "ftp://example.org"
		return nil
	})
	refused(t, err, failure.CodeInvalid)
	info.Delivery = task.EffectivelyOnce
	info.Name = "once"
	_, _, err = w.control.CreateTask(w.Context(), info)
	if e := refused(t, err, failure.CodeInvalid); !strings.Contains(e.Hint, "Idempotency-Key") {
		t.Errorf("hint %q", e.Hint)
	}
	timer := task.Info{Do: &task.Action{Timer: &task.TimerEvent{}}}
	if err := check.Policies(&timer); err != nil || timer.Overlap != task.OverlapSkip || v.Overlap != task.OverlapAllow {
		t.Errorf("overlap %s of timers, %s of others, %v", timer.Overlap, v.Overlap, err)
	}
	for _, do := range []*task.Action{{Timer: &task.TimerEvent{}}, {Code: &task.CodeCall{Name: "salaries"}}} {
		info.Delivery, info.Do = "", do
		_, _, err = w.control.CreateTask(w.Context(), info)
		refused(t, err, failure.CodeInvalid)
	}
}
