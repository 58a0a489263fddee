package plugin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// membership is one incarnation of this host in the group: what must die with a
// session and be made anew for the next.
type membership struct {
	port    Port
	owner   *store.Owner
	engine  *engine.Engine
	cluster *cluster.Cluster
	buckets int // of the group
}

// The pauses between attempts to join, how often it is said why they fail, and
// how long what a lost membership left may take to end.
const (
	minRejoin  = 100 * time.Millisecond
	maxRejoin  = 10 * time.Second
	rejoinNews = time.Minute
	lostStop   = time.Second
)

// join joins the group and begins to own what falls to this member.
func (p *Plugin) join(ctx context.Context) (*membership, error) {
	port, err := p.d.Join(ctx)
	if err != nil {
		return nil, err
	}
	m := &membership{port: port}
	m.owner = p.store.On(port).Owner(port.ID(), port)
	if err := p.begin(ctx, m); err != nil {
		return nil, errors.Join(err, m.end(ctx), port.Close())
	}
	return m, nil
}

// firstJoin joins, and tries again while nobody answers.
func (p *Plugin) firstJoin(ctx context.Context) (*membership, error) {
	until := time.Now().Add(p.d.Options.Wait)
	for pause := minRejoin; ; pause = min(2*pause, maxRejoin) {
		m, err := p.join(ctx)
		if err == nil || ctx.Err() != nil || !passes(err) {
			return m, err
		}
		left := time.Until(until)
		if left <= 0 || !p.d.Options.Waiting(err, left) {
			return nil, err
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// passes tells whether a failure to join may pass by itself.
func passes(err error) bool {
	unanswered := errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome)
	return unanswered && !errors.Is(err, coordclient.ErrUnauthorised)
}

func (p *Plugin) begin(ctx context.Context, m *membership) error {
	group, err := m.owner.Init(ctx, store.Settings{Buckets: p.d.Options.Buckets})
	if err != nil {
		return fmt.Errorf("prepare the store: %w", err)
	}
	m.buckets = group.Buckets
	if err := control.Publish(ctx, m.owner, p.services()); err != nil {
		return err
	}
	call.ServeTries(m.port, p.d.Host)
	call.ServeFetches(m.port, p.calls)
	call.ServeReplies(m.port, control.New(control.Deps{KV: m.port, Members: m.port, Caller: m.port, Now: p.d.Now, Log: p.d.Log}))
	if m.engine, err = p.newEngine(m); err != nil {
		return err
	}
	m.cluster, err = cluster.New(cluster.Deps{
		Port: m.port, Store: m.owner, Owner: m.engine, Resolver: p.d.Options.Resolver, Describe: p.d.Options.Describe,
		Formerly: p.d.Options.Formerly, Doubt: func(b int, cause error) { p.doubt(m, b, cause) },
		Deployed: control.Callable, Now: p.d.Now, Log: p.d.Log, Options: p.d.Options.Cluster,
	})
	if err != nil {
		return err
	}
	call.ServeRehearsals(m.port, rehearser{m.cluster, p.d.Options.SessionTimeout})
	if err := m.engine.Start(ctx); err != nil {
		return err
	}
	return m.cluster.Start(ctx)
}

func (p *Plugin) newEngine(m *membership) (*engine.Engine, error) {
	var compiler trigger.Compiler
	return engine.New(engine.Options{
		Log: p.claims.watch(p.d.Faults.Log(m.owner)), Watcher: m.owner, Targets: targets{p}, Announcer: announcers{event.Alerts{Every: p.d.Options.Rules.AlertEvery}}, Session: session{m.port},
		Invoker: p.d.Faults.Invoker(reportedInvoker{&reply.Asker{
			Invoker: p.kinds, Secrets: p.secrets, Addresses: p.d.Options.ReplyAddresses, Now: p.d.Now,
		}, p.journal, p.d.Now}),
		Compile: bucket.Triggers(&compiler), Rules: p.d.Options.Rules, Node: m.port.ID().Node(), Workers: p.d.Options.Workers, Limit: p.d.Options.Limit,
		Output:         p.d.Options.Output,
		SessionTimeout: p.d.Options.SessionTimeout, PreviousOwnerDead: p.d.Options.PreviousOwnerDead,
		Left: func(b int, cause error) { p.left(m, b, cause) },
		Now:  p.d.Now, Logger: p.d.Log, Metrics: &p.metrics,
	})
}

// left hears that a bucket was lost, which is news unless the session is over.
func (p *Plugin) left(m *membership, b int, cause error) {
	if state, _ := m.port.State(); state != coordclient.Lost {
		p.d.Log.Error("bucket lost", "bucket", b, "err", cause)
		p.journal.Report(event.Report{
			At: p.d.Now(), Level: "error", Code: CodeBucketLost, Object: fmt.Sprintf("bucket %d", b), Text: cause.Error(),
		})
	}
	m.cluster.Left(b, cause)
}

// doubt hears that what the store gives of a bucket does not add up, and lets
// another of its servers answer: ZooKeeper's are known to lose writes that the
// others keep (ZOOKEEPER-4785 and its kin).
func (p *Plugin) doubt(m *membership, b int, cause error) {
	p.d.Log.Error("bucket cannot be owned", "bucket", b, "err", cause)
	p.journal.Report(event.Report{
		At: p.d.Now(), Level: "error", Code: CodeBucketBroken, Object: fmt.Sprintf("bucket %d", b),
		Text: cause.Error() + "; if it lasts: belfry cluster mend",
	})
	if r, ok := m.port.(coordclient.Replicated); ok {
		r.Leave("what it holds of bucket " + strconv.Itoa(b) + " does not add up")
	}
}

// end stops what begin began: buckets are given to others or up, runs drain.
func (m *membership) end(ctx context.Context) error {
	var err error
	if m.cluster != nil {
		err = m.cluster.Stop(ctx)
	}
	if m.engine != nil {
		err = errors.Join(err, m.engine.Stop(ctx))
	}
	return err
}

// keep joins again whenever the session is lost, until life ends.
func (p *Plugin) keep(m *membership) {
	for {
		select {
		case <-m.cluster.Done():
		case <-p.life.Done():
			return
		}
		if p.life.Err() != nil || p.stopping.Load() {
			return
		}
		lost := time.Now()
		p.d.Log.Warn("session lost: this host owns nothing, and joins again", "member", m.port.ID())
		p.link.set(nil)
		p.now.Store(nil)
		// Nothing of it can be settled any more: what it owned, others own.
		ctx, cancel := context.WithTimeout(p.life, lostStop)
		if err := errors.Join(m.end(ctx), m.port.Close()); err != nil {
			p.d.Log.Debug("what the lost session left", "err", err)
		}
		cancel()
		if m = p.rejoin(lost); m == nil {
			return
		}
		p.enter(m)
		p.d.Log.Info("joined again", "member", m.port.ID(), "after", time.Since(lost).Round(time.Millisecond))
		p.journal.Report(event.Report{At: p.d.Now(), Level: "warn", Code: CodeRejoined, Object: m.port.ID().Node(), Text: "joined again as " + string(m.port.ID())})
	}
}

// rejoin tries until it succeeds; nil: life ended. An outage may be long: why
// it fails is said at the first attempt and once a minute.
func (p *Plugin) rejoin(lost time.Time) *membership {
	var said time.Time
	for pause := minRejoin; ; pause = min(2*pause, maxRejoin) {
		m, err := p.join(p.life)
		if err == nil {
			return m
		}
		if time.Since(said) >= rejoinNews {
			said = time.Now()
			p.d.Log.Warn("not joined yet; it is tried again every few seconds", "for", time.Since(lost).Round(time.Second), "err", err)
		}
		select {
		case <-time.After(pause):
		case <-p.life.Done():
			return nil
		}
	}
}

// enter makes m the present membership.
func (p *Plugin) enter(m *membership) {
	p.now.Store(m)
	p.link.set(m.port)
	p.work.Go(func() { p.attend(m) }) // ends with the membership, or with life
}

// attend looks at the outbox again whenever other buckets are this member's.
func (p *Plugin) attend(m *membership) {
	for {
		_, changed := m.cluster.Status()
		p.store.WakeOutbox()
		select {
		case <-changed:
		case <-m.cluster.Done():
			return
		case <-p.life.Done():
			return
		}
	}
}

// session is the store's session as the engine asks for it.
type session struct{ s coordclient.Session }

func (s session) State() (bool, <-chan struct{}) {
	state, changed := s.s.State()
	return state == coordclient.Healthy, changed
}
