package plugin_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Whoever is told to stop when the session is lost, or loses it meanwhile, has
// nothing to give and nobody to wait for: it stops soon, and that is no failure.
func TestStopWithoutASession(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*coordtest.Member){
		"lost before": func(m *coordtest.Member) { m.Expire() },
		"lost meanwhile": func(m *coordtest.Member) {
			m.Cut()
			time.AfterFunc(2*time.Second, m.Expire)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				group := coordtest.NewCluster(time.Now)
				member, other := group.Join("n1", nil), group.Join("n2", nil)
				p := plugin.New(plugin.Deps{
					Join: func(context.Context) (plugin.Port, error) { return member, nil },
					Host: &shop{}, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.DiscardHandler),
					Options: plugin.Options{Buckets: 8},
				})
				if err := p.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				admin := control.New(control.Deps{KV: other, Members: other, Caller: other, Now: time.Now})
				schedule(t, admin, task.Info{Trigger: task.TriggerInfo{Interval: task.Duration(50 * time.Millisecond), Count: -1}})
				time.Sleep(time.Second)
				lose(member)
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				began := time.Now()
				if err := p.Stop(ctx); err != nil {
					t.Errorf("stop: %v", err)
				}
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}
