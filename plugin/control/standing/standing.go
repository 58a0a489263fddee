package standing

import (
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bucket tells how the tasks of one bucket stood when it was read. Views cache, so
// one goroutine at a time may ask for them; Runs may be asked for by any.
type Bucket struct {
	// Defined are the tasks that it was read with, tombstones too.
	Defined []task.Info
	// State is what its log and page say; nil where there is a Fault.
	State *bucket.State
	// Book has the calendars that its tasks name; nil: they name none.
	Book *calendar.Book
	// Fault is why there is no State; nil: there is.
	Fault error
	Owner Owner

	now func() time.Time
}

// Owner is who looks after a bucket.
type Owner struct {
	Node  string
	Known bool   // the bucket names one
	Alive bool   // and it is in the group
	Why   string // why nobody is known, a code and an explanation
}

// Of replays a bucket as its owner would, with its tasks as snap has them. Now is
// the clock by which they stand.
func Of(snap store.Snapshot, g Group, compile bucket.Compile, now func() time.Time) Bucket {
	b := Bucket{Defined: snap.Loaded.Definitions, Book: snap.Loaded.Calendars, now: now}
	if snap.Corrupt != nil {
		b.Fault = snap.Corrupt
		return b
	}
	b.State, b.Fault = bucket.Replay(snap.Loaded, compile, bucket.Rules{})
	b.Owner = g.Owner(snap.Bucket, snap.Node)
	return b
}

// Views gives those of the tasks that pass, by their definitions.
func (b Bucket) Views(pass func(*task.Info) bool) []contract.TaskView {
	var views []contract.TaskView
	for i := range b.Defined {
		if info := &b.Defined[i]; !info.Deleted && pass(info) {
			views = append(views, b.View(info))
		}
	}
	return views
}

// Group is what must be known of the hosts to tell how a bucket stands. The zero
// value is an empty group.
type Group struct {
	Live    map[coordclient.MemberID]coordclient.Member
	Paper   store.Placement
	Waiting bool // behind the start-up barrier
}

// Owner tells who has a bucket, whose node is n.
func (g Group) Owner(b int, n store.Node) Owner {
	_, alive := g.Live[n.Member]
	to, _ := g.Paper.Of(b)
	if n.Member == "" || n.Released || !alive && to == "" && len(g.Live) > 0 && len(g.Paper.Buckets) > 0 {
		return Owner{Why: g.ownerless(b)}
	}
	return Owner{Node: n.Member.Node(), Known: true, Alive: alive}
}

// ownerless says why nobody owns a bucket.
func (g Group) ownerless(b int) string {
	to, why := g.Paper.Of(b)
	switch {
	case len(g.Live) == 0:
		return contract.Because(contract.ReasonNoOwner, "no host is up")
	case g.Waiting:
		return contract.Because(contract.ReasonWaiting, why)
	case len(g.Paper.Buckets) == 0:
		return contract.Because(contract.ReasonNoOwner, "no host has taken its bucket")
	case to == "":
		return contract.Because(contract.ReasonNoNode, why)
	}
	if _, ok := g.Live[to]; !ok {
		return contract.Because(contract.ReasonNoOwner, "node "+to.Node()+", where it belongs, is gone")
	}
	return contract.Because(contract.ReasonNoOwner, "node "+to.Node()+", where it belongs, has not taken it yet")
}
