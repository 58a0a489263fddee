package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// group is a cluster in memory, with hosts that come and go, and what ran on
// them.
type group struct {
	t       *testing.T
	kv      *coordtest.Cluster
	admin   *store.Store
	buckets int
	options cluster.Options
	// resolver of new hosts; nil: the default.
	resolver place.Resolver
	log      *slog.Logger
	// wrap goes between a host's session and its faults, which plan makes; nil:
	// nothing does, and there are none.
	wrap func(*coordtest.Member) coordtest.Joined
	plan func(coordtest.Call) coordtest.Fault
	// doubt hears a host's doubts of the store; nil: nobody does.
	doubt func(b int, cause error)

	mu    sync.Mutex // guards what follows
	ids   int
	runs  []ran
	hosts []*host
}

// ran is a run of a task on a node.
type ran struct {
	task, node string
	fire       task.FireID
	attempt    int
	at         time.Time // scheduled
	began      time.Time
}

func newGroup(t *testing.T, buckets int) *group {
	t.Helper()
	g := &group{t: t, kv: coordtest.NewCluster(nil), buckets: buckets, log: slog.New(slog.DiscardHandler)}
	g.admin = store.New(g.kv.Dial(), store.Options{NewID: g.newID})
	if _, err := g.admin.Init(t.Context(), store.Settings{Buckets: buckets}); err != nil {
		t.Fatal(err)
	}
	if err := g.admin.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *group) newID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ids++
	return "id" + strconv.Itoa(g.ids)
}

// host is a node's process with one membership.
type host struct {
	g       *group
	node    string
	member  *coordtest.Member
	faulty  *coordtest.Faulty
	store   *store.Owner
	engine  *engine.Engine
	cluster *cluster.Cluster
	compile trigger.Compiler

	mu    sync.Mutex // guards what follows
	ahead time.Duration
	dead  bool // nothing of it has an effect any more
}

// boot starts a host with services deployed; none: "S".
func (g *group) boot(node string, services ...string) *host {
	g.t.Helper()
	if len(services) == 0 {
		services = []string{"S"}
	}
	h := &host{g: g, node: node, member: g.kv.Join(node, nil)}
	var session coordtest.Joined = h.member
	if g.wrap != nil {
		session = g.wrap(h.member)
	}
	h.faulty = coordtest.NewFaulty(session)
	h.store = store.New(h.faulty, store.Options{NewID: g.newID}).Owner(h.member.ID(), h.faulty)
	e, err := engine.New(engine.Options{
		Log: h.store, Watcher: h.store, Invoker: h, Targets: h, Session: state{h.member}, Compile: bucket.Triggers(&h.compile),
		Node: node, SessionTimeout: 4 * time.Second, Now: h.now, Left: func(b int, err error) { h.cluster.Left(b, err) },
	})
	if err != nil {
		g.t.Fatal(err)
	}
	h.engine = e
	h.cluster, err = cluster.New(cluster.Deps{
		Port: h.faulty, Store: h.store, Owner: e, Resolver: g.resolver, Now: h.now, Log: g.log.With("node", node), Options: g.options,
		Doubt: g.doubt,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	published := make(map[string][]byte)
	for _, s := range services {
		published[s] = []byte("{}")
	}
	ctx := context.Background()
	// What follows is tried again by whoever starts a host; here it does not fail.
	if err := h.store.Publish(ctx, published); err != nil {
		g.t.Fatal(err)
	}
	if err := e.Start(ctx); err != nil {
		g.t.Fatal(err)
	}
	if err := h.cluster.Start(ctx); err != nil {
		g.t.Fatal(err)
	}
	h.faulty.Plan(g.plan)
	g.mu.Lock()
	g.hosts = append(g.hosts, h)
	g.mu.Unlock()
	return h
}

// stop ends a host in good order.
func (h *host) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := h.cluster.Stop(ctx); err != nil {
		h.g.t.Errorf("%s: %v", h.node, err)
	}
	if err := h.engine.Stop(ctx); err != nil {
		h.g.t.Errorf("%s: %v", h.node, err)
	}
	if err := h.member.Close(); err != nil {
		h.g.t.Errorf("%s: %v", h.node, err)
	}
	h.gone()
}

// leave stops a host in good order, as far as faults let it.
func (h *host) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = h.cluster.Stop(ctx) // it may be cut off
	_ = h.engine.Stop(ctx)  // what it could not release is freed with its session
	_ = h.member.Close()    // memory has nothing to close
	h.gone()
}

// kill ends a host without a word; its session lasts until it expires.
func (h *host) kill(expires time.Duration) {
	h.mu.Lock()
	h.dead = true
	h.mu.Unlock()
	h.member.Cut()
	time.Sleep(expires)
	h.member.Expire()
	h.bury()
}

// bury ends what a host without a session has left running.
func (h *host) bury() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.cluster.Stop(over) // nothing of it is to be waited for
	_ = h.engine.Stop(over)  // nor of this
	h.gone()
}

func (h *host) gone() {
	h.g.mu.Lock()
	defer h.g.mu.Unlock()
	for i, other := range h.g.hosts {
		if other == h {
			h.g.hosts = append(h.g.hosts[:i:i], h.g.hosts[i+1:]...)
		}
	}
}

func (g *group) living() []*host {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*host(nil), g.hosts...)
}

// end stops everybody.
func (g *group) end() {
	for _, h := range g.living() {
		h.bury()
		h.member.Expire()
	}
}

func (h *host) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *host) setClock(ahead time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead = ahead
}

// Target implements engine.Targets.
func (h *host) Target(task.Info) (task.Target, bool) { return task.Target{Hash: "h"}, true }

// longRun is how long a run of a task takes whose name begins with long.
const longRun = 20 * time.Second

// Invoke implements engine.Invoker.
func (h *host) Invoke(ctx context.Context, call task.Call) task.Result {
	h.mu.Lock()
	dead := h.dead
	h.mu.Unlock()
	if dead {
		return task.Result{Outcome: task.Interrupted}
	}
	h.g.mu.Lock()
	h.g.runs = append(h.g.runs, ran{call.Info.Name, h.node, call.FireID, call.Attempt, call.Scheduled, time.Now()})
	h.g.mu.Unlock()
	if strings.HasPrefix(call.Info.Name, "long") {
		select {
		case <-time.After(longRun):
		case <-ctx.Done():
			return task.Result{Outcome: task.Interrupted}
		}
	}
	return task.Result{Outcome: task.OK}
}

type state struct{ s coordclient.Session }

func (s state) State() (bool, <-chan struct{}) {
	state, changed := s.s.State()
	return state == coordclient.Healthy, changed
}

// create makes a task that fires every so often.
func (g *group) create(name, service string, every time.Duration) task.Info {
	g.t.Helper()
	info, err := g.admin.Create(g.t.Context(), task.Info{
		Key: task.Key{Name: name}, Service: service, Operation: "op", Delivery: task.AtLeastOnce,
		Trigger: task.TriggerInfo{Interval: task.Duration(every), Count: -1},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return info
}

// apart creates tasks, one in each of n different buckets.
func (g *group) apart(n int, service string, every time.Duration) []string {
	g.t.Helper()
	taken := make(map[int]bool)
	var names []string
	for i := 0; len(names) < n; i++ {
		name := fmt.Sprintf("task-%d", i)
		home, err := g.admin.HomeOf(g.t.Context(), task.Key{Name: name})
		if err != nil {
			g.t.Fatal(err)
		}
		if !taken[home] {
			taken[home] = true
			g.create(name, service, every)
			names = append(names, name)
		}
	}
	return names
}

// owners is who owns each bucket by its node: by node's name, "" nobody.
func (g *group) owners() []string {
	g.t.Helper()
	holders, err := g.admin.Holders(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	owners := make([]string, len(holders))
	for b, h := range holders {
		owners[b] = h.Member.Node()
	}
	return owners
}

// ownerOf is the node that owns a task's bucket.
func (g *group) ownerOf(name string) string {
	g.t.Helper()
	return g.owners()[g.seat(name)]
}

// count is how many buckets each node owns.
func (g *group) count() map[string]int {
	g.t.Helper()
	counts := make(map[string]int)
	for _, node := range g.owners() {
		counts[node]++
	}
	return counts
}

// why is why bucket b is nobody's on paper.
func (g *group) why(b int) string {
	g.t.Helper()
	p, _, _, err := g.admin.Placement(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	_, why := p.Of(b)
	return why
}

// quiet waits until everybody has what belongs to it, and gives how long it
// took; it fails after the limit.
func (g *group) quiet(limit time.Duration) time.Duration {
	g.t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		settled := true
		for _, h := range g.living() {
			s, _ := h.cluster.Status()
			settled = settled && s.Settled && s.Owned == len(h.engine.Owned())
		}
		free := 0
		for _, node := range g.owners() {
			if node == "" {
				free++
			}
		}
		if settled && free == 0 && g.true() == nil {
			return time.Since(began)
		}
		time.Sleep(10 * time.Millisecond)
	}
	g.t.Fatalf("%v: not within %s: %v; owners %v, and %v", errRestless, limit, g.standing(), g.count(), g.true())
	return 0
}

// true tells whether store and engines agree on who owns what.
func (g *group) true() error {
	owners := g.owners()
	for _, h := range g.living() {
		for _, b := range h.engine.Owned() {
			if owners[b] != h.node {
				return fmt.Errorf("%w: bucket %d: %s serves it, the store says %q", errTwoOwners, b, h.node, owners[b])
			}
			owners[b] = "served"
		}
	}
	for b, node := range owners {
		if node != "served" && node != "" {
			return fmt.Errorf("%w: bucket %d is %s's by the store, who does not serve it", errUnserved, b, node)
		}
	}
	return nil
}

func (g *group) standing() map[string]cluster.Status {
	all := make(map[string]cluster.Status)
	for _, h := range g.living() {
		all[h.node], _ = h.cluster.Status()
	}
	return all
}
