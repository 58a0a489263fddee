package control

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// peer is a host of several, which share the buckets.
type peer struct {
	w       *world
	node    string
	member  *coordtest.Member
	engine  *engine.Engine
	cluster *cluster.Cluster

	mu    sync.Mutex // guards ahead
	ahead time.Duration
}

// session is a member's as an engine asks for it.
type session struct{ s coordclient.Session }

func (s session) State() (bool, <-chan struct{}) {
	state, changed := s.s.State()
	return state == coordclient.Healthy, changed
}

// boot brings up a host that places buckets, or has its own placed. Its clock
// is ahead by so much.
func (w *world) boot(node string, ahead time.Duration, o cluster.Options, services ...contract.ServiceView) *peer {
	w.Helper()
	value, err := json.Marshal(contract.NodeInfo{Version: "1.2", Address: node + ":8280", Cluster: "zk://z:2181/belfry"})
	if err != nil {
		w.Fatal(err)
	}
	p := &peer{w: w, node: node, member: w.cluster.Join(node, value), ahead: ahead}
	owner := store.New(p.member, store.Options{}).Owner(p.member.ID(), p.member)
	if err := Publish(w.Context(), owner, services); err != nil {
		w.Fatal(err)
	}
	var compiler trigger.Compiler
	p.engine, err = engine.New(engine.Options{
		Log: owner, Watcher: owner, Invoker: w, Targets: w, Session: session{p.member}, Compile: bucket.Triggers(&compiler),
		Node: node, SessionTimeout: 4 * time.Second, Now: p.now, Left: func(b int, err error) { p.cluster.Left(b, err) },
	})
	if err != nil {
		w.Fatal(err)
	}
	p.cluster, err = cluster.New(cluster.Deps{
		Port: p.member, Store: owner, Owner: p.engine, Deployed: Callable, Now: p.now, Options: o,
	})
	if err != nil {
		w.Fatal(err)
	}
	if err := p.engine.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	if err := p.cluster.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(p.kill)
	return p
}

func (p *peer) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Add(p.ahead)
}

// kill ends a host whose session has expired. A second time it does nothing.
func (p *peer) kill() {
	p.member.Expire()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.cluster.Stop(over) // nothing of it is to be waited for
	_ = p.engine.Stop(over)  // nor of this
}

// stop ends a host in good order.
func (p *peer) stop() {
	p.w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.cluster.Stop(ctx); err != nil {
		p.w.Error(err)
	}
	if err := p.engine.Stop(ctx); err != nil {
		p.w.Error(err)
	}
	p.member.Expire()
}

// awaits waits for conditions, a minute at the longest.
func (w *world) awaits(conditions ...string) {
	w.Helper()
	var all []group.Condition
	for _, text := range conditions {
		c, err := group.ParseCondition(text)
		if err != nil {
			w.Fatal(err)
		}
		all = append(all, c)
	}
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	if err := w.control.Await(ctx, all, nil); err != nil {
		w.Fatal(err)
	}
}

func (w *world) node(name string) contract.NodeView {
	w.Helper()
	v, err := w.control.Node(w.Context(), name)
	if err != nil {
		w.Fatal(err)
	}
	return v
}
