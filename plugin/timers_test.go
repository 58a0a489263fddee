package plugin_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/timer"
)

// A configuration outlives its timers: one whose only instant is past is no fault of
// it, which a host would have to tell again and again.
func TestTimersOfThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		member := coordtest.NewCluster(time.Now).Join("n1", nil)
		var log bytes.Buffer // read when the host has stopped
		p := plugin.New(plugin.Deps{
			Join: func(context.Context) (plugin.Port, error) { return member, nil },
			Host: &shop{}, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Options: plugin.Options{Buckets: 8, PreviousOwnerDead: true},
			Handlers: timer.Config{
				Handlers: []timer.Handler{{Name: "s", Handler: timer.HandlerService, Events: []string{timer.EventStart}}},
				Timers: []timer.Timer{
					{Name: "past", Trigger: task.TriggerInfo{At: time.Now().Add(-time.Hour)}},
					{Name: "due", Trigger: task.TriggerInfo{At: time.Now().Add(24 * time.Hour)}},
				},
			},
		})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		c := control.New(control.Deps{KV: member, Members: member, Caller: member, Now: time.Now})
		if tasks, err := c.Tasks(t.Context(), control.TaskFilter{}); err != nil || len(tasks) != 1 || tasks[0].Name != "due" {
			t.Errorf("%+v, %v", tasks, err)
		}
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
		if n := strings.Count(log.String(), "timer=past"); n != 1 || strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%d lines about it in\n%s", n, &log)
		}
	})
}
