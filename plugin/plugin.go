// Package plugin is scheduling, as a host of data services mounts it: it owns
// buckets and fires what is due in them, evaluates event triggers, delivers
// messages, publishes what the host has deployed, and answers administrators.
//
// It knows the host by the small port Host, and the coordination store by Port.
// Alone, this member owns every bucket.
//
// New starts nothing. Start returns when every bucket is owned. Stop takes no
// new firings, lets runs finish, settles them, gives the buckets up, and ends
// the deliveries. Both may be called once each; Stop is legal before Start.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Port is the coordination store, joined as a member.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Caller
	coordclient.Handler
	coordclient.KV
	ID() coordclient.MemberID
}

// Host is what the plugin is mounted in.
type Host interface {
	invoke.Operations
	engine.Targets
	control.Host
	// Services lists what is deployed, for the catalogue.
	Services() []control.ServiceView
}

// Options of a Plugin. The zero value of those of a number means its default.
type Options struct {
	Buckets    int
	Workers    int
	Limit      func(name string) int // most runs that count against a target's limit; nil: none
	Rules      bucket.Rules
	Deliveries event.Limits
	// PreviousOwnerDead: see engine.Options.
	PreviousOwnerDead bool
}

// Deps are what a Plugin needs. All are required but Options.
type Deps struct {
	Port    Port
	Host    Host
	Sender  event.Sender
	Now     func() time.Time
	Log     *slog.Logger
	Options Options
}

// Plugin is one member's scheduling. Make it with New. Safe for concurrent use.
type Plugin struct {
	d          Deps
	store      *store.Store
	owner      *store.Owner
	engine     *engine.Engine
	triggers   *event.Triggers
	dispatcher *event.Dispatcher
	journal    *journal
	metrics    engine.Metrics

	life    context.Context
	end     context.CancelFunc
	work    sync.WaitGroup
	publish chan struct{} // capacity 1: the deployed set changed
}

// New makes a plugin. It starts nothing.
func New(d Deps) (*Plugin, error) {
	p := &Plugin{d: d, publish: make(chan struct{}, 1)}
	p.life, p.end = context.WithCancel(context.Background())
	p.store = store.New(d.Port, store.Options{Corrupt: func(e *store.CorruptError) {
		d.Log.Error("record cannot be read and is left out", "key", e.Key, "err", e.Err)
	}})
	p.owner = p.store.Owner(d.Port.ID(), d.Port)
	p.journal = newJournal(p.store, d.Port.ID().Node(), d.Log, d.Now)
	p.triggers = event.New(event.Config{States: states{p.store}, Sender: d.Sender, Reporter: p.journal, Now: d.Now})
	p.dispatcher = event.NewDispatcher(event.DispatcherConfig{
		Outbox: outbox{p.store}, Sender: reportedSender{d.Sender, p.journal, d.Now}, Reporter: p.journal, Now: d.Now,
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), Limits: d.Options.Deliveries,
	})
	var compiler trigger.Compiler
	var err error
	p.engine, err = engine.New(engine.Options{
		Log: p.owner, Watcher: p.owner, Targets: d.Host, Announcer: event.Alerts{}, Session: session{d.Port},
		Invoker: reportedInvoker{invoke.NewOperation(d.Host), p.journal, d.Now},
		Compile: func(info *task.Info) (bucket.Schedule, error) {
			return compiler.Compile(info.Trigger, info.From, info.UID)
		},
		Rules: d.Options.Rules,
		Node:  d.Port.ID().Node(), Workers: d.Options.Workers, Limit: d.Options.Limit,
		PreviousOwnerDead: d.Options.PreviousOwnerDead,
		Left:              p.left, Now: d.Now, Logger: d.Log, Metrics: &p.metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("scheduling: %w", err)
	}
	return p, nil
}

// Triggers evaluates event triggers: the host's hook hands on to it.
func (p *Plugin) Triggers() *event.Triggers { return p.triggers }

// Metrics counts what the engine did.
func (p *Plugin) Metrics() *engine.Metrics { return &p.metrics }

// Deliveries counts what became of messages.
func (p *Plugin) Deliveries() event.Counts { return p.dispatcher.Counts() }

// Report tells administrators of something. It does not block.
func (p *Plugin) Report(r event.Report) { p.journal.Report(r) }

// Republish tells that the host's services have changed. It does not block.
func (p *Plugin) Republish() {
	select {
	case p.publish <- struct{}{}:
	default:
	}
}

// Start makes the store ready, publishes the catalogue, takes every bucket and
// begins to deliver. If it fails, Stop cleans up.
func (p *Plugin) Start(ctx context.Context) error {
	cluster, err := p.store.Init(ctx, store.Settings{Buckets: p.d.Options.Buckets})
	if err != nil {
		return fmt.Errorf("prepare the store: %w", err)
	}
	p.work.Go(func() { p.journal.run(p.life) }) // ends with life
	if err := control.Publish(ctx, p.owner, p.d.Host.Services()); err != nil {
		return err
	}
	p.work.Go(p.publisher) // ends with life
	control.Serve(p.d.Port, p.d.Host)
	if err := errors.Join(p.triggers.Start(), p.dispatcher.Start(), p.engine.Start(ctx)); err != nil {
		return err
	}
	return p.acquireAll(ctx, cluster.Buckets)
}

// acquireAll takes every bucket, some at once so that they share commits.
func (p *Plugin) acquireAll(ctx context.Context, buckets int) error {
	const together = 32
	errs := make([]error, together)
	var all sync.WaitGroup
	for i := range together {
		all.Go(func() { // ends when its share is taken
			for b := i; b < buckets && errs[i] == nil; b += together {
				errs[i] = p.engine.Acquire(ctx, b)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// left takes a bucket again that was lost, until it succeeds or the plugin
// stops. Losing one alone means that the store failed for a while.
func (p *Plugin) left(b int, cause error) {
	p.d.Log.Error("bucket lost", "bucket", b, "err", cause)
	p.journal.Report(event.Report{At: p.d.Now(), Level: "error", Code: CodeBucketLost, Object: fmt.Sprintf("bucket %d", b), Text: cause.Error()})
	p.work.Go(func() { // ends when the bucket is taken, or with life
		for pause := time.Second; ; pause = min(2*pause, time.Minute) {
			select {
			case <-time.After(pause):
			case <-p.life.Done():
				return
			}
			err := p.engine.Acquire(p.life, b)
			if err == nil || errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrOwned) {
				return
			}
			p.d.Log.Error("bucket not taken", "bucket", b, "err", err, "again_in", pause)
		}
	})
}

// publisher keeps the catalogue up to date.
func (p *Plugin) publisher() {
	const again = 5 * time.Second
	for {
		select {
		case <-p.publish:
		case <-p.life.Done():
			return
		}
		if err := control.Publish(p.life, p.owner, p.d.Host.Services()); err != nil && p.life.Err() == nil {
			p.d.Log.Warn("catalogue not published", "err", err, "again_in", again)
			time.AfterFunc(again, p.Republish)
		}
	}
}

// Stop ends scheduling within ctx: what runs may finish until shortly before
// its deadline, then it is interrupted and will be run again.
func (p *Plugin) Stop(ctx context.Context) error {
	err := p.engine.Stop(ctx)
	err = errors.Join(err, p.dispatcher.Stop(ctx), p.triggers.Stop(ctx))
	p.end()
	p.work.Wait()
	return err
}

// session is the store's session as the engine asks for it.
type session struct{ s coordclient.Session }

func (s session) State() (bool, <-chan struct{}) {
	state, changed := s.s.State()
	return state == coordclient.Healthy, changed
}
