// Package plugin is scheduling, as a host of data services mounts it: it joins
// the group, owns buckets and fires what is due in them, evaluates event
// triggers, delivers messages, publishes what the host has deployed, and answers
// administrators.
//
// It knows the host by the small port Host, and the coordination store by Port.
// A host that is alone is a group of one.
//
// # Memberships
//
// What must die with a session (the engine, the follower of the placement) is a
// membership; event triggers, deliveries and the journal outlive it. When a
// session is lost the plugin joins again as a new incarnation:
//
//	joined ──session lost──▶ end what it had ──▶ join again, with backoff ──▶ joined
//
// New starts nothing. Start joins and returns when this member owns what falls
// to it, or knows what it waits for. Stop gives buckets to others, takes no new
// firings, lets runs finish, settles them, and ends the deliveries. Both may be
// called once each; Stop is legal before Start.
package plugin

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/chain"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/fault"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/timer"
)

// Port is the coordination store, joined as a member. Close ends the membership.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Caller
	coordclient.Handler
	coordclient.Elector
	coordclient.KV
	ID() coordclient.MemberID
	Close() error
}

// Host is what the plugin is mounted in.
type Host interface {
	invoke.Operations
	engine.Targets
	call.Host
	// Services lists what is deployed, for the catalogue.
	Services() []contract.ServiceView
	// What handlers of events and code that is built in may do with them.
	code.Services
}

// Options of a Plugin. The zero value of those of a number means its default.
type Options struct {
	Buckets    int
	Workers    int
	Limit      func(name string) int // most runs that count against a target's limit; nil: none
	Rules      bucket.Rules
	Deliveries event.Limits
	Cluster    cluster.Options
	Resolver   place.Resolver                                  // nil: round robin
	Describe   func(coordclient.Member) place.Member           // see cluster.Deps
	Formerly   func(coordclient.Member) []coordclient.MemberID // see cluster.Deps
	Output     int                                             // see engine.Options
	// ReplyAddresses gives the base addresses at which hosts take replies now; see
	// reply.Asker. Nil: calls that wait for a reply carry no address.
	ReplyAddresses func(ctx context.Context) []string
	// Wait is for how long Start tries again to join while nobody answers. Zero: it
	// tries once. Waiting is told of each failure, with the time that is left;
	// false: trying again is of no use. Nil: nobody is told.
	Wait    time.Duration
	Waiting func(err error, left time.Duration) bool
	// Ailing hears that nothing can be claimed here for the given reason, or with ""
	// that it can be again. It is not called twice at a time. Nil: nobody does.
	Ailing func(ctx context.Context, reason string)
	// SessionTimeout and PreviousOwnerDead: see engine.Options.
	SessionTimeout    time.Duration
	PreviousOwnerDead bool
}

// Deps are what a Plugin needs. All are required but Handlers, Code, Faults and Options.
type Deps struct {
	// Join joins the group as a new incarnation. It is called once by Start, and
	// again whenever the session was lost.
	Join   func(ctx context.Context) (Port, error)
	Host   Host
	Sender event.Sender
	// Web calls others for http and soap tasks, and for kickers.
	Web web.Options
	// Handlers of events, and timers. The zero value: none, and no timer service.
	Handlers timer.Config
	// Code that is built into the host, for tasks and handlers.
	Code code.Registry
	// Faults that tests bring about. The zero value: none.
	Faults fault.Plan
	// Node is the host's name, under which it reports.
	Node    string
	Now     func() time.Time
	Log     *slog.Logger
	Options Options
}

// The codes of what a plugin reports, beside those of package event.
const (
	CodeRunFailed   = "RUN_FAILED"
	CodeMessageSent = "MESSAGE_SENT"
	CodeBucketLost  = "BUCKET_LOST"
	// CodeBucketBroken: what the store gives of a bucket does not add up.
	CodeBucketBroken = "BUCKET_BROKEN"
	CodeRejoined     = "REJOINED"
)

// Plugin is a host's scheduling. Make it with New. Safe for concurrent use.
type Plugin struct {
	d          Deps
	link       *Link
	store      *store.Store
	triggers   *event.Triggers
	dispatcher *event.Dispatcher
	journal    *journal
	claims     *claims
	metrics    engine.Metrics
	secrets    *reply.Secrets
	kinds      invoke.Kinds
	timers     *timer.Service
	code       *code.Code
	calls      *web.HTTP

	now      atomic.Pointer[membership] // nil while there is none
	stopping atomic.Bool
	life     context.Context
	end      context.CancelFunc
	work     sync.WaitGroup
	publish  chan struct{} // capacity 1: the deployed set changed
}

// New makes a plugin. It starts nothing.
func New(d Deps) *Plugin {
	p := &Plugin{d: d, link: newLink(), publish: make(chan struct{}, 1)}
	p.life, p.end = context.WithCancel(context.Background())
	p.store = store.New(p.link, store.Options{Corrupt: p.corrupt})
	p.secrets = reply.NewSecrets(p.store.ReplySecret)
	if p.d.Options.Waiting == nil {
		p.d.Options.Waiting = func(error, time.Duration) bool { return true }
	}
	if p.d.Options.ReplyAddresses == nil {
		p.d.Options.ReplyAddresses = func(context.Context) []string { return nil }
	}
	p.claims = newClaims(d.Log, d.Options.Ailing)
	p.journal = newJournal(p.store, d.Node, d.Log, d.Now)
	p.triggers = event.New(event.Config{States: states{p.store}, Sender: d.Sender, Reporter: p.journal, Now: d.Now, Log: d.Log})
	p.dispatcher = event.NewDispatcher(event.DispatcherConfig{
		Outbox: outbox{p.store, p.owned}, Sender: sender{reportedSender{d.Sender, p.journal, d.Now}, chain.NewDeliverer(followers{p.store})}, Reporter: p.journal, Now: d.Now,
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), Limits: d.Options.Deliveries,
	})
	p.build()
	return p
}

// Link is the coordination store, for the companion.
func (p *Plugin) Link() *Link { return p.link }

// Triggers evaluates event triggers: the host's hook hands on to it.
func (p *Plugin) Triggers() *event.Triggers { return p.triggers }

// Metrics counts what the engines did.
func (p *Plugin) Metrics() *engine.Metrics { return &p.metrics }

// Deliveries counts what became of messages.
func (p *Plugin) Deliveries() event.Counts { return p.dispatcher.Counts() }

// Trouble is why nothing is claimed here, though the session with the store may be
// healthy: it takes no commits. Empty: nothing is known to be in the way.
func (p *Plugin) Trouble() string {
	why, _ := p.claims.trouble()
	return why
}

// FailedCommits counts commits of the claim log that the store did not take, or
// may not have taken.
func (p *Plugin) FailedCommits() int64 { return p.claims.failures.Load() }

// Report tells administrators of something. It does not block.
func (p *Plugin) Report(r event.Report) { p.journal.Report(r) }

// Status tells how this member stands in the group; false: it is not in it.
func (p *Plugin) Status() (cluster.Status, bool) {
	m := p.now.Load()
	if m == nil {
		return cluster.Status{}, false
	}
	status, _ := m.cluster.Status()
	return status, true
}

// Buckets is how many the group has, however many Options name; 0: this member is
// not in it.
func (p *Plugin) Buckets() int {
	if m := p.now.Load(); m != nil {
		return m.buckets
	}
	return 0
}

// Republish tells that the host's services have changed. It does not block.
func (p *Plugin) Republish() {
	select {
	case p.publish <- struct{}{}:
	default:
	}
}

// settle bounds how long Start waits for what falls to this member.
const settle = 15 * time.Second

// Start joins, for as long as Options.Wait says, publishes the catalogue and begins
// to fire and deliver. If it fails, Stop cleans up.
func (p *Plugin) Start(ctx context.Context) error {
	m, err := p.firstJoin(ctx)
	if err != nil {
		return err
	}
	p.enter(m)
	// All end with life.
	p.work.Go(func() { p.journal.run(p.life) })
	p.work.Go(func() { p.claims.run(p.life) })
	p.work.Go(p.publisher)
	p.work.Go(func() { p.keep(m) })
	if err := errors.Join(p.triggers.Start(), p.dispatcher.Start()); err != nil {
		return err
	}
	if err := p.settled(ctx, m); err != nil {
		return err
	}
	p.timers.Start()
	return nil
}

// settled waits until m owns what falls to it, or knows what it waits for.
func (p *Plugin) settled(ctx context.Context, m *membership) error {
	patience := time.NewTimer(settle)
	defer patience.Stop()
	for {
		status, changed := m.cluster.Status()
		if why := status.Waiting + status.Unfit; why != "" {
			p.d.Log.Warn("nothing fires here yet", "why", why)
			return nil
		}
		if status.Settled {
			return nil
		}
		select {
		case <-changed:
		case <-patience.C:
			p.d.Log.Warn("started, though not everything that falls to this member is taken", "owned", status.Owned, "mine", status.Mine)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// owned are the buckets that this member owns now.
func (p *Plugin) owned() map[int]bool {
	m := p.now.Load()
	if m == nil {
		return nil
	}
	owned := map[int]bool{}
	for _, b := range m.engine.Owned() {
		owned[b] = true
	}
	return owned
}

func (p *Plugin) corrupt(e *store.CorruptError) {
	p.d.Log.Error("record cannot be read and is left out", "key", e.Key, "err", e.Err)
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
		m := p.now.Load()
		if m == nil {
			continue // joining publishes
		}
		err := control.Publish(p.life, m.owner, p.services())
		if err == nil {
			err = m.owner.Announce(p.life) // so that the leader looks at it at once
		}
		if err != nil && p.life.Err() == nil {
			p.d.Log.Warn("catalogue not published", "err", err, "again_in", again)
			time.AfterFunc(again, p.Republish)
		}
	}
}

// Stop ends scheduling within ctx: what runs may finish until shortly before
// its deadline, then it is interrupted and will be run again.
func (p *Plugin) Stop(ctx context.Context) error {
	p.stopping.Store(true)
	p.timers.Stop()
	// Runs and deliveries have the same time to end.
	var runs, deliveries error
	var ends sync.WaitGroup
	ends.Go(func() { deliveries = p.dispatcher.Stop(ctx) })
	m := p.now.Load()
	if m != nil {
		runs = p.part(ctx, m)
	}
	ends.Wait()
	if errors.Is(deliveries, event.ErrCut) {
		p.d.Log.Warn("deliveries were cut short: they are made again after the next start")
		deliveries = nil
	}
	err := errors.Join(runs, deliveries, p.triggers.Stop(ctx))
	p.end()
	p.work.Wait()
	if m != nil {
		p.link.set(nil)
		err = errors.Join(err, m.port.Close())
	}
	return err
}
