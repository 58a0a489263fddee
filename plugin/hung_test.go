package plugin_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/task"
)

// hung is a mail server that accepts connections and says nothing.
type hung struct{ post }

func (*hung) Send(ctx context.Context, _ task.Message) error {
	<-ctx.Done()
	return ctx.Err()
}

// A mail server that hangs does not make a stop fail: what it was to be given is
// given to it after the next start.
func TestStopWhileADeliveryHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		group := coordtest.NewCluster(time.Now)
		member, admin, log := group.Join("n1", nil), group.Join("n2", nil), &safe{}
		host := &shop{fail: &invoke.Failure{Final: true, Err: errors.New("no such table")}}
		begin := func(port plugin.Port, s event.Sender) *plugin.Plugin {
			p := plugin.New(plugin.Deps{
				Join: func(context.Context) (plugin.Port, error) { return port, nil },
				Host: host, Sender: s, Node: "n1", Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
				Options: plugin.Options{Buckets: 8},
			})
			if err := p.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			return p
		}
		p := begin(member, &hung{})
		schedule(t, control.New(control.Deps{KV: admin, Members: admin, Caller: admin, Now: time.Now}), task.Info{
			Trigger: task.TriggerInfo{At: time.Now().Add(time.Second)},
			Alerts:  []task.Alert{{On: task.AlertFailed, To: []string{"mailto:ops@example.org"}}},
		})
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if n := log.count("deliveries were cut short"); n != 1 {
			t.Errorf("it is told %d times", n)
		}

		sent := &post{}
		p = begin(group.Join("n1", nil), sent)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := sent.count(); n != 1 {
			t.Errorf("%d messages after the next start, want the one that was cut short", n)
		}
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}
