package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/store"
)

// The judge is judged: each history that must not be is found, by its name, and
// one that may be is not.
func TestJudgeFindsBadHistories(t *testing.T) {
	t.Parallel()
	set := func(value string) coordclient.Op { return coordclient.Set("/buckets/7", []byte(value), 0) }
	log := func(seq, value string) coordclient.Op {
		return coordclient.Create("/buckets/7/log/"+seq, []byte(value))
	}
	paper := func(value string) coordclient.Op {
		return coordclient.Set("/placement", []byte(value), 0)
	}
	group := coordtest.NewCluster(nil)
	a, b := group.Join("a", nil), group.Join("b", nil)
	mine := func(m *coordtest.Member, epoch, rest string) string {
		return `{"format":1,"epoch":` + epoch + `,"member":"` + string(m.ID()) + `"` + rest + `}`
	}
	type write struct {
		by *coordtest.Member
		op coordclient.Op
	}
	for _, test := range []struct {
		name    string
		history []write
		want    error
	}{
		{"acquired, written, released, acquired", []write{
			{a, set(mine(a, "1", ""))},
			{a, log("000000000001", "x")},
			{a, set(mine(a, "1", `,"edit":3`))},
			{a, log("000000000002", "y")},
			{a, log("000000000001", "x")}, // late copy of one that was folded
			{a, set(mine(a, "1", `,"released":true`))},
			{b, set(mine(b, "2", ""))},
			{b, log("000000000003", "z")},
		}, nil},
		{"taken from a living owner", []write{{a, set(mine(a, "1", ""))}, {b, set(mine(b, "2", ""))}}, errStolen},
		{"an epoch twice", []write{{a, set(mine(a, "1", `,"released":true`))}, {b, set(mine(b, "1", ""))}}, errEpoch},
		{"given to another", []write{{a, set(mine(b, "1", ""))}}, errEpoch},
		{"written by another", []write{{a, set(mine(a, "1", ""))}, {b, log("000000000001", "x")}}, errNotOwner},
		{"written after the release", []write{{a, set(mine(a, "1", `,"released":true`))}, {a, log("000000000001", "x")}}, errNotOwner},
		{"a batch left out", []write{{a, set(mine(a, "1", ""))}, {a, log("000000000002", "x")}}, errLogOrder},
		{"another batch in its place", []write{
			{a, set(mine(a, "1", ""))}, {a, log("000000000001", "x")}, {a, log("000000000001", "y")},
		}, errLogOrder},
		{"a leader of an old term", []write{{a, paper(`{"term":2}`)}, {b, paper(`{"term":1}`)}}, errTwoReigns},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			j := newJudge()
			for _, w := range test.history {
				j.see(t.Context(), w.by, w.op)
			}
			err := errors.Join(j.faults...)
			if test.want == nil && err != nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// blind is a session that does not see the others of its group: who asks it
// takes every owner for gone.
type blind struct{ watched }

func (b blind) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	members, changed, err := b.watched.Members(ctx)
	var self []coordclient.Member
	for _, m := range members {
		if m.ID == b.ID() {
			self = append(self, m)
		}
	}
	return self, changed, err
}

// A planted fault: an owner that does not look who is in the group.
func TestJudgeCatchesAThief(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJudge()
		g := newGroup(t, 8)
		defer g.end()
		g.wrap = func(m *coordtest.Member) coordtest.Joined { return watched{m, j} }
		g.boot("n1")
		for i := range 8 {
			g.create(fmt.Sprintf("long-%d", i), "S", time.Hour)
		}
		time.Sleep(5 * time.Second)
		g.wrap = func(m *coordtest.Member) coordtest.Joined { return blind{watched{m, j}} }
		g.boot("n2")
		// n1 waits for its runs to end before it releases, n2 for nothing.
		if err := g.admin.Drain(t.Context(), "n1", store.Drain{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		j.mu.Lock()
		defer j.mu.Unlock()
		if err := errors.Join(j.faults...); !errors.Is(err, errStolen) {
			t.Errorf("%v, want %v", err, errStolen)
		}
	})
}

// deaf is a session without the word of the group: nothing wakes its user.
type deaf struct{ watched }

func (d deaf) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	e, _, err := d.watched.Get(ctx, key)
	return e, make(chan struct{}), err
}

func (d deaf) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	members, _, err := d.watched.Members(ctx)
	return members, make(chan struct{}), err
}

// Watches are hints: a group whose watches are all silent comes to rest too, if
// later.
func TestWithoutAnyWatch(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		j := newJudge()
		g.wrap = func(m *coordtest.Member) coordtest.Joined { return deaf{watched{m, j}} }
		n1 := g.boot("n1")
		g.boot("n2")
		g.quiet(time.Minute)
		n1.kill(4 * time.Second)
		g.quiet(time.Minute)
		g.boot("n1")
		time.Sleep(2 * time.Minute)
		g.quiet(time.Minute)
		if c := g.count(); c["n1"] < 6 {
			t.Errorf("%v", c)
		}
	})
}
