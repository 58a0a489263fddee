package cluster_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ledger is a session whose commits are written down in the order in which they
// were applied.
type ledger struct {
	coordtest.Joined
	*book
	proc int
}

type book struct {
	mu      sync.Mutex // also held while a commit is applied
	commits []firecheck.Event
	err     error // the first record that cannot be read
}

func (b *book) commit(ctx context.Context, kv coordclient.KV, proc int, ops []coordclient.Op) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := kv.Commit(ctx, ops...)
	if err == nil {
		events, unread := firecheck.Commit(time.Now(), proc, ops)
		b.commits = append(b.commits, events...)
		if b.err == nil {
			b.err = unread
		}
	}
	return err
}

func (l ledger) Commit(ctx context.Context, ops ...coordclient.Op) error {
	return l.commit(ctx, l.Joined, l.proc, ops)
}

// scribe is the same for the administrator.
type scribe struct {
	coordclient.KV
	*book
}

func (s scribe) Commit(ctx context.Context, ops ...coordclient.Op) error {
	return s.commit(ctx, s.KV, 0, ops)
}

// verdict judges what was committed and what ran.
func (b *book) verdict(g *group) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return []error{b.err}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var targets []firecheck.Event
	for _, r := range g.runs {
		for _, what := range []firecheck.Happening{firecheck.Began, firecheck.Effected, firecheck.Ended} {
			targets = append(targets, firecheck.Event{What: what, At: r.began, Proc: 1, Fire: r.fire, Attempt: r.attempt})
		}
	}
	return firecheck.Verdict(firecheck.Merge(b.commits, targets), firecheck.Rules{End: time.Now(), Misfire: time.Hour})
}

// server is what answers one session: one request after the other, and a commit
// keeps it busy.
type server struct {
	mu    sync.Mutex
	costs time.Duration
	free  time.Time
}

func (s *server) plan(c coordtest.Call) coordtest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	if c.Op == coordtest.OpCommit {
		s.free = s.free.Add(s.costs)
	}
	return coordtest.Fault{Delay: s.free.Sub(now)}
}

// Three hosts have more to fire than their store takes: with a commit of every
// bucket on its way, each takes a second, and what is read waits behind them. Still
// each host leaves in good order, and nothing is lost or fired twice.
func TestBusyHostsLeaveInGoodOrder(t *testing.T) {
	scene(t, 192, func(t *testing.T, g *group) {
		g.options.Servers = 3
		records := &book{}
		g.admin = store.New(scribe{g.kv.Dial(), records}, store.Options{NewID: g.newID})
		procs := 0
		g.wrap = func(m *coordtest.Member) coordtest.Joined {
			procs++
			return ledger{m, records, procs}
		}
		const tasks, every, more = 250, 2 * time.Second, 30 // after the first
		start := time.Now().Add(every)
		for i := range tasks {
			_, err := g.admin.Create(t.Context(), task.Info{
				Key: task.Key{Name: fmt.Sprintf("task-%d", i)}, Service: "S", Operation: "op", Delivery: task.AtLeastOnce,
				Trigger: task.TriggerInfo{Interval: task.Duration(every), Count: more, Start: start},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var hosts []*host
		for _, node := range []string{"n1", "n2", "n3"} {
			hosts = append(hosts, g.boot(node))
		}
		g.quiet(10 * time.Second)
		for _, h := range hosts {
			h.faulty.Plan((&server{costs: 16 * time.Millisecond}).plan)
		}
		time.Sleep(15 * time.Second)
		for _, h := range hosts[:2] {
			begun := time.Now()
			h.stop() // within 20 s, or it complains
			t.Logf("%s left after %s", h.node, time.Since(begun))
			time.Sleep(2 * time.Second)
		}
		hosts[2].faulty.Plan(nil)
		g.quiet(10 * time.Second)
		if c := g.count(); c["n3"] != 192 {
			t.Errorf("%v", c)
		}
		time.Sleep(more * every)
		for _, err := range records.verdict(g) {
			t.Error(err)
		}
		if n := len(g.runs); n != tasks*(more+1) {
			t.Errorf("%d runs, want %d", n, tasks*(more+1))
		}
	})
}
