package plugin_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
)

// While the store is away for an hour a host keeps asking, and fills nobody's
// disk with saying so; when the store is back it says how long it took.
func TestLogOfALongOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		group := coordtest.NewCluster(time.Now)
		member, log := group.Join("n1", nil), &safe{}
		var away atomic.Bool
		var tries atomic.Int32
		p := plugin.New(plugin.Deps{
			Join: func(context.Context) (plugin.Port, error) {
				if away.Load() {
					tries.Add(1)
					return nil, fmt.Errorf("join: %w", coordclient.ErrUnavailable)
				}
				if tries.Load() > 0 {
					return group.Join("n1", nil), nil
				}
				return member, nil
			},
			Host: &shop{}, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
			Options: plugin.Options{Buckets: 8},
		})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		before := log.count("\n")

		away.Store(true)
		member.Expire()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := tries.Load(); n < 300 {
			t.Errorf("it was tried %d times in an hour, want about every 10 s", n)
		}
		if n := log.count("\n") - before; n < 60 || n > 65 {
			t.Errorf("an hour's outage is worth %d lines, want one a minute", n)
		}
		if n := log.count("session lost"); n != 1 {
			t.Errorf("the loss is told %d times", n)
		}

		away.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := log.count(`msg="joined again" member=n1.`); n != 1 || log.count("after=1h0m") != 1 {
			t.Errorf("that it joined again is told %d times", n)
		}
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}
