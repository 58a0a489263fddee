package tui

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
	"github.com/seed42aab489/belfry/tui/ask"
	"github.com/seed42aab489/belfry/tui/order"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/tuitest"
)

// world is a real group in memory, with real hosts, and an administrator who
// looks at it through the screens. It lives in a synctest bubble.
type world struct {
	testing.TB
	cluster *coordtest.Cluster
	client  *counted
	control *control.Control
	// stop ends the screens, before the hosts and the bubble.
	stop context.CancelFunc
	ctx  context.Context
}

// counted counts what is written and read through an administrator's session.
type counted struct {
	*coordtest.Client
	commits, reads atomic.Int64
	told           sync.Map // by what was read: how often
}

func (c *counted) read(what string) {
	c.reads.Add(1)
	n, _ := c.told.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (c *counted) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	c.read("get " + key)
	return c.Client.Get(ctx, key)
}

func (c *counted) List(ctx context.Context, prefix string) ([]string, error) {
	c.read("list " + prefix)
	return c.Client.List(ctx, prefix)
}

func (c *counted) Sync(ctx context.Context, key string) error {
	c.read("sync " + key)
	return c.Client.Sync(ctx, key)
}

func (c *counted) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	c.read("members")
	return c.Client.Members(ctx)
}

func (c *counted) Commit(ctx context.Context, ops ...coordclient.Op) error {
	c.commits.Add(1)
	return c.Client.Commit(ctx, ops...)
}

// today is when the worlds begin.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// newWorld makes a group of so many buckets that no host has been in yet; none: it
// is not made yet either.
func newWorld(t testing.TB, buckets int) *world {
	t.Helper()
	time.Sleep(time.Until(today))
	w := &world{TB: t}
	w.make(buckets)
	t.Cleanup(synctest.Wait)
	return w
}

// make makes the group.
func (w *world) make(buckets int) {
	w.Helper()
	w.cluster = coordtest.NewCluster(nil)
	w.client = &counted{Client: w.cluster.Dial()}
	w.control = control.New(control.Deps{KV: w.client, Members: w.client, Caller: w.client, Cluster: "zk://zk1:2181/belfry"})
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.Cleanup(w.stop)
	if buckets > 0 {
		s := store.New(w.client, store.Options{})
		if _, err := s.Init(w.ctx, store.Settings{Buckets: buckets}); err != nil {
			w.Fatal(err)
		}
	}
}

// Follow follows the group, as it is looked at over one session.
func (w *world) Follow(ctx context.Context, tell func(follow.Picture)) error {
	if err := w.control.Follow(ctx, w.client, follow.Scope{}, tell); ctx.Err() == nil && err != follow.ErrSessionLost { //nolint:errorlint // this very one
		w.Errorf("the follower ended: %v", err)
	}
	<-ctx.Done()
	return ctx.Err()
}

// Hand carries orders out.
func (w *world) Hand() (order.Hand, error) { return w.control, nil }

// Oracle answers questions.
func (w *world) Oracle() (ask.Oracle, error) { return w.control, nil }

// open opens the screens.
func (w *world) open(width, height int, change ...func(*Options)) *tuitest.Driver {
	w.Helper()
	o := Options{Context: "prod-eu", By: "ops@desk", Theme: theme.Options{Name: "mono"}}
	for _, c := range change {
		c(&o)
	}
	return tuitest.Start(w, New(w.ctx, w, o), width, height)
}

// host brings up a host that fires tasks.
func (w *world) host(node string, ahead time.Duration, services ...contract.ServiceView) *coordtest.Member {
	w.Helper()
	value, err := json.Marshal(contract.NodeInfo{Version: "1.0", Address: node + ":8280", Cluster: "zk://zk1:2181/belfry"})
	if err != nil {
		w.Fatal(err)
	}
	member := w.cluster.Join(node, value)
	now := func() time.Time { return time.Now().Add(ahead) }
	owner := store.New(member, store.Options{}).Owner(member.ID(), member)
	if err := control.Publish(w.ctx, owner, services); err != nil {
		w.Fatal(err)
	}
	var compiler trigger.Compiler
	var group *cluster.Cluster
	e, err := engine.New(engine.Options{
		Log: owner, Watcher: owner, Invoker: operations{}, Targets: operations{}, Session: session{member}, Compile: bucket.Triggers(&compiler),
		Node: node, SessionTimeout: 4 * time.Second, Now: now, Output: 1 << 10, Left: func(b int, err error) { group.Left(b, err) },
	})
	if err != nil {
		w.Fatal(err)
	}
	group, err = cluster.New(cluster.Deps{Port: member, Store: owner, Owner: e, Deployed: control.Callable, Now: now})
	if err != nil {
		w.Fatal(err)
	}
	call.ServeRehearsals(member, rehearses{group})
	if err := e.Start(w.ctx); err != nil {
		w.Fatal(err)
	}
	if err := group.Start(w.ctx); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		member.Expire()
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = group.Stop(over) // nothing of it is to be waited for
		_ = e.Stop(over)     // nor of this
	})
	time.Sleep(time.Second)
	synctest.Wait()
	return member
}

// rehearses answers as a host's plugin does.
type rehearses struct{ group *cluster.Cluster }

func (r rehearses) Rehearse(without []string) call.Rehearsal {
	in, plan, leads := r.group.Rehearse(without)
	answer := call.Rehearsal{Leads: leads, SessionMS: 4000}
	for _, m := range in.Members {
		answer.Nodes = append(answer.Nodes, m.Node)
	}
	for _, a := range plan.Assignments {
		answer.Buckets = append(answer.Buckets, slices.IndexFunc(in.Members, func(m place.Member) bool { return m.ID == a.Member }))
	}
	return answer
}

// session is a member's as an engine asks for it.
type session struct{ s coordclient.Session }

func (s session) State() (bool, <-chan struct{}) {
	state, changed := s.s.State()
	return state == coordclient.Healthy, changed
}

// operations are what the hosts of a world can do.
type operations struct{}

func (operations) Target(task.Info) (task.Target, bool) { return task.Target{Hash: "h"}, true }

func (operations) Invoke(ctx context.Context, call task.Call) task.Result {
	took := 120 * time.Millisecond
	if strings.HasPrefix(call.Info.Operation, "rebuild") {
		took = 40 * time.Second
	}
	t := time.NewTimer(took)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return task.Result{Outcome: task.Interrupted, Error: "stopped"}
	}
	if strings.HasPrefix(call.Info.Operation, "broken") {
		return task.Result{Outcome: task.Failed, Error: "no such table: price"}
	}
	result := task.Result{Outcome: task.OK, Rows: 3}
	if call.Keep > 0 {
		result.Output = "{\"products\": {\"product\": [\n  {\"code\": \"S10\", \"left\": 3},\n  {\"code\": \"S12\", \"left\": 0}\n]}}"
	}
	return result
}

// catalogue is what the hosts have deployed.
func catalogue() []contract.ServiceView {
	op := func(service, name string) contract.OperationView {
		return contract.OperationView{Service: service, Name: name, Schedulable: true, Delivery: task.EffectivelyOnce, Reads: true}
	}
	hidden := op("Stock", "setQuantity")
	hidden.Schedulable, hidden.Why, hidden.Parameters = false, "it takes parameters: code, quantity", []string{"code", "quantity"}
	return []contract.ServiceView{
		{
			Name: "Stock", File: "Stock.dbs", Status: contract.StatusActive, Description: "Products and how many of each are left",
			Operations: []contract.OperationView{op("Stock", "getLowStock"), op("Stock", "brokenPrices"), op("Stock", "rebuildIndex"), hidden},
		},
		{Name: "Sheets", File: "Sheets.dbs", Status: contract.StatusActive, Operations: []contract.OperationView{op("Sheets", "readAll")}},
		{Name: "Orders", File: "Orders.dbs", Status: contract.StatusFailed, Error: "Orders.dbs:14:3: query getOrders: no data source is called orders-db"},
	}
}

func (w *world) create(name, operation string, t task.TriggerInfo, change ...func(*task.Info)) {
	w.Helper()
	info := task.Info{Key: task.Key{Name: name}, Service: "Stock", Operation: operation, Trigger: t}
	for _, c := range change {
		c(&info)
	}
	if _, _, err := w.control.CreateTask(w.ctx, info); err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	// The leader measures what was edited before the next edit comes.
	time.Sleep(5 * time.Second)
	synctest.Wait()
}

func every(d time.Duration) task.TriggerInfo {
	return task.TriggerInfo{Interval: task.Duration(d), Count: -1}
}

// windowed is a world in which tasks run in the hours of the office alone, and what
// falls outside of them is deferred or skipped. One is paused for a day.
func windowed(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 4)
	w.host("n1", 0, catalogue()...)
	for _, d := range []calendar.Definition{
		{Name: "office", Weekly: []string{"mon-fri 08:00-18:00"}},
		{Name: "freeze", Dates: []string{"2026-11-24"}},
	} {
		if _, err := w.control.SetCalendar(w.ctx, d, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, outside := range []task.Outside{task.OutsideDefer, task.OutsideSkip} {
		w.create("stock-"+string(outside), "getLowStock", task.TriggerInfo{Cron: "0 0 2,12 * * ?"}, func(i *task.Info) {
			i.Windows = &task.Windows{Allow: []string{"office"}, Forbid: []string{"freeze"}, Outside: outside}
		})
	}
	w.create("weekly-report", "getLowStock", task.TriggerInfo{Cron: "0 0 6 * * ?"})
	if _, err := w.control.PauseTaskUntil(w.ctx, task.Key{Name: "weekly-report"}, "", today.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return w
}

// full is a world in which something of everything happens.
func full(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, 8)
	w.host("n1", 0, catalogue()...)
	w.host("n2", 3*time.Millisecond, catalogue()...)
	w.create("nightly-sync", "getLowStock", task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "Europe/Berlin"}, func(i *task.Info) {
		i.Description = "copies the stock of the day to the warehouse"
	})
	w.create("stock-watch", "getLowStock", every(time.Minute))
	w.create("price-refresh", "brokenPrices", every(90*time.Second))
	w.create("orders-archive", "getLowStock", task.TriggerInfo{Cron: "0 0 * * * ?"})
	w.create("rebuild-index", "rebuildIndex", every(2*time.Minute), func(i *task.Info) { i.Overlap = task.OverlapSkip })
	w.create("year-end", "getLowStock", task.TriggerInfo{At: today.Add(3 * time.Minute)}, func(i *task.Info) { i.Output = true })
	if _, err := w.control.PauseTask(w.ctx, task.Key{Name: "orders-archive"}, "database upgrade"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(12*time.Minute + 10*time.Second)
	for _, e := range []store.Event{
		{Time: time.Now().Add(-5 * time.Minute), Level: "info", Code: "DEPLOYED", Object: "Stock", Text: "Stock.dbs"},
		{Time: time.Now().Add(-4 * time.Minute), Level: "warn", Code: "DEPLOYMENT_FAILED", Object: "Orders", Text: "no data source is called orders-db"},
		{Time: time.Now().Add(-time.Minute), Level: "error", Code: "RUN_FAILED", Object: "price-refresh", Text: "no such table: price"},
	} {
		if err := store.New(w.client, store.Options{}).Append(w.ctx, "n1", e); err != nil {
			t.Fatal(err)
		}
	}
	return w
}
