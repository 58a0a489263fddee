// Package app is the composition root of belfryd: it makes the data services
// and the scheduling plugin, introduces them to each other, and undoes all of
// it in reverse. Everything that knows both sides is here.
//
// Start-up: the HTTP addresses are bound, data services (first deployment pass),
// coordination store and plugin, the companion's socket, and only then requests
// are answered. Shutdown is the reverse, bounded:
// not ready; no new requests; no new firings, runs drain, are settled, buckets
// are given up; deliveries end; data sources and the store close.
package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
	"github.com/seed42aab489/belfry/cmd/internal/egress"
	"github.com/seed42aab489/belfry/coordclient/socket"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/source"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/fault"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
)

// Options of an App.
type Options struct {
	Loaded  conf.Loaded
	Version string
	// Sample fills the sample database and schedules the sample task, once.
	Sample bool
	// Code that the program has built in, by name.
	Code code.Registry
	Log  *slog.Logger
}

// App is a running host. Make it with Start.
type App struct {
	o        Options
	log      *slog.Logger
	teardown teardown
	services *host.Host
	plugin   *plugin.Plugin
	addr     net.Addr          // plain, if there is a plain listener
	secure   net.Addr          // nil: there is no https listener
	leaf     *x509.Certificate // of the https listener, as it was at the start; nil: none
	fatal    chan error        // capacity 1: why the process cannot go on
}

// Start sets everything up and returns when the host is ready. If it fails,
// what was started is stopped.
func Start(ctx context.Context, o Options) (*App, error) {
	a := &App{o: o, log: o.Log, teardown: teardown{log: o.Log}, fatal: make(chan error, 1)}
	if err := a.start(ctx); err != nil {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.Loaded.Config.Shutdown.HardStop)
		defer cancel()
		return nil, errors.Join(err, a.teardown.run(bounded))
	}
	return a, nil
}

// Addr is where the HTTP listener is, the https one if there is no other.
func (a *App) Addr() string { return a.addr.String() }

// SecureAddr is where the https listener is; empty if there is none.
func (a *App) SecureAddr() string {
	if a.secure == nil {
		return ""
	}
	return a.secure.String()
}

// Fatal gives an error when the host cannot go on: the embedded store failed.
func (a *App) Fatal() <-chan error { return a.fatal }

// start is one straight line on purpose: the order is the point.
func (a *App) start(ctx context.Context) error {
	c := a.o.Loaded.Config
	faults, err := fault.Read(a.log)
	if err != nil {
		return err
	}
	now := faults.Clock(time.Now)
	join, err := a.coordination(now)
	if err != nil {
		return err
	}
	doors, err := a.bind(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if a.o.Sample {
		if err := sampleDatabase(ctx, c); err != nil {
			return err
		}
	}

	if err := quietDriver(slog.NewLogLogger(a.log.With("component", "mysql").Handler(), slog.LevelDebug)); err != nil {
		return err
	}
	elsewhere, err := mappings(c.DatasourceMap)
	if err != nil {
		return err
	}
	general, webhooks, err := outward(c)
	if err != nil {
		return err
	}
	files := source.Files{Folder: c.Files.Folder, Size: int64(c.Files.Size), Client: general.Client(egress.ClientOptions{Redirects: fileRedirects})}
	databases := source.NewSet(source.Options{Mappings: elsewhere, Files: files, Secrets: sourceSecrets(c), Log: a.log.With("component", "source")})
	queries, err := query.New(query.Options{
		Sources:  databases,
		LimitsOf: func(service string) query.Limits { return queryLimits(c.LimitsOf(service)) },
		Inbox:    query.InboxOptions{Off: !c.Inbox.Enabled, Table: c.Inbox.Table, Retention: c.Inbox.Retention},
		Now:      now,
		Log:      a.log.With("component", "query"),
	})
	if err != nil {
		return err
	}
	a.sweepInboxes(queries)
	meters := newMeters(a.o.Version)
	opens := newNatures(queries, c.Inbox.Enabled, a.log.With("component", "query"))
	who, err := a.guard(c)
	if err != nil {
		return err
	}
	services, err := host.New(host.Options{
		Dir: c.Services, Opener: opens, Parse: descriptor.Parser{Mapped: databases.Maps}.Parse,
		MaxServices: c.Deploy.MaxServices, Poll: c.Deploy.Interval, Settle: c.Deploy.Settle, Drain: c.Deploy.Drain,
		HTTP: exchange.Options{Observe: meters.served}, Limits: func(service string) exchange.Limits { return requestLimits(c.LimitsOf(service)) },
		Auth: who, PublicURL: c.Describe.PublicURL, NoPages: !c.Describe.Pages, Log: a.log.With("component", "services"),
	})
	if err != nil {
		return err
	}
	a.services = services
	sender, err := a.senders(c, webhooks)
	if err != nil {
		return err
	}
	bridge := newBridge(services, opens)
	caller, err := a.caller(c.Calls, general)
	if err != nil {
		return err
	}
	events, err := handlers(c.Calls.Handlers)
	if err != nil {
		return err
	}
	a.plugin = plugin.New(plugin.Deps{
		Join: join.join, Host: bridge, Sender: sender, Web: caller, Handlers: events, Code: a.o.Code, Faults: faults, Node: c.Node, Now: now, Log: a.log.With("component", "scheduling"),
		Options: plugin.Options{
			Buckets: c.Scheduler.Buckets, Workers: c.Scheduler.Workers, Limit: limits(c.Scheduler),
			Rules: bucket.Rules{
				Misfire: c.Scheduler.MisfireThreshold, CatchUp: c.Scheduler.CatchUp, Window: c.Scheduler.CatchUpWindow,
				Queue: c.Scheduler.Queue, OpenFor: c.Inbox.Retention / 2, AlertEvery: c.Events.AlertEvery,
			},
			Deliveries: event.Limits{
				Concurrency: c.Events.Concurrency, PerTarget: c.Events.PerTarget, MaxAttempts: c.Events.Attempts,
				Backoff: c.Events.FirstRetry, MaxBackoff: c.Events.MaxRetry, MaxAge: c.Events.MaxAge, DeadRetention: c.Events.DeadRetention,
			},
			Output:         int(c.Calls.Output),
			Cluster:        cluster.Options{Servers: join.servers},
			Resolver:       join.resolver,
			Describe:       describe,
			Formerly:       formerly,
			ReplyAddresses: a.replyAddresses,
			Wait:           join.wait(),
			Waiting:        join.waiting,
			Ailing:         join.ail,
			SessionTimeout: join.timeout,
			// The embedded store's lock proves that whoever held a bucket before is dead.
			PreviousOwnerDead: join.alone,
		},
	})
	meters.services, meters.plugin = services, a.plugin

	services.Attach(hook{a.plugin.Triggers(), bridge})
	services.OnChange(a.plugin.Republish)
	services.OnChange(opens.look)
	a.watchNatures(opens)
	services.OnChange(a.reportServices())
	if err := services.Start(ctx); err != nil {
		return err
	}
	a.teardown.add("data services", services.Stop)

	a.teardown.add("scheduling", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, c.Shutdown.SoftStop)
		defer cancel()
		return a.plugin.Stop(ctx)
	})
	if err := a.plugin.Start(ctx); err != nil {
		return err
	}
	if a.o.Sample {
		if err := a.sampleTask(ctx); err != nil {
			return err
		}
	}
	if err := a.serveSocket(c.Socket); err != nil {
		return err
	}
	a.sweepReceipts()
	if err := a.consumeTasks(a.control()); err != nil {
		return err
	}
	programs, err := a.programs(who)
	if err != nil {
		return err
	}
	a.serveHTTP(doors, meters, programs)
	a.warnOfReplies()
	a.plugin.Report(event.Report{At: time.Now(), Level: "info", Code: "HOST_STARTED", Object: c.Node, Text: "belfryd " + a.o.Version + " on " + a.Addr()})
	a.notify(daemon.SdNotifyReady)
	a.log.Info("ready", "listen", a.Addr(), "https", a.SecureAddr(), "socket", c.Socket, "coordination", join.named(), "node", c.Node, "services", len(services.Services()), "version", a.o.Version)
	return nil
}

// serveSocket opens the companion's socket.
func (a *App) serveSocket(path string) error {
	listener, err := socket.Listen(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { // ends when cancel is called
		done <- socket.Serve(ctx, listener, a.plugin.Link(), socket.ServeOptions{Logger: a.log.With("component", "socket")})
	}()
	a.teardown.add("companion's socket", func(context.Context) error {
		cancel()
		return <-done
	})
	return nil
}

// watchNatures finds out in the background what databases offer, and publishes
// what it found.
func (a *App) watchNatures(n *natures) {
	a.background("probe of databases", func(ctx context.Context) { n.run(ctx, a.plugin.Republish) })
}

// Stop undoes everything: what runs may finish for Shutdown.SoftStop, and all
// of it is over after Shutdown.HardStop.
func (a *App) Stop(ctx context.Context) error {
	a.notify(daemon.SdNotifyStopping)
	a.log.Info("stopping", "soft_stop", a.o.Loaded.Config.Shutdown.SoftStop, "hard_stop", a.o.Loaded.Config.Shutdown.HardStop)
	ctx, cancel := context.WithTimeout(ctx, a.o.Loaded.Config.Shutdown.HardStop)
	defer cancel()
	err := a.teardown.run(ctx)
	if err == nil {
		a.log.Info("stopped")
	}
	return err
}

// notify tells systemd, where it listens.
func (a *App) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("systemd was not told", "state", state, "err", err)
	}
}
