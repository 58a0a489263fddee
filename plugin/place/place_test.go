package place_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestReasons(t *testing.T) {
	t.Parallel()
	east := place.Member{ID: "east.1", Node: "east", Services: map[string]bool{"A": true}}
	west := place.Member{ID: "west.1", Node: "west", Services: map[string]bool{"B": true}}
	drained := place.Member{ID: "d.1", Node: "d", Unfit: "it is being drained"}
	for _, test := range []struct {
		name    string
		in      place.Input
		want    string
		waiting bool
	}{
		{"nobody", place.Input{}, "no member is there", false},
		{"too few servers", place.Input{Members: hosts("a", "b"), Servers: 3}, "waiting for servers: 2 of 3", true},
		{
			"a node counts once",
			place.Input{Members: []place.Member{{ID: "a.1", Node: "a"}, {ID: "a.2", Node: "a"}, {ID: "b.1", Node: "b"}}, Servers: 3},
			"waiting for servers: 2 of 3", true,
		},
		{"all are drained", place.Input{Members: []place.Member{drained}}, "no member may own it: node d: it is being drained", false},
		{
			"services apart",
			place.Input{Members: []place.Member{east, west}, Buckets: []place.Bucket{holding("A", "B")}},
			"tasks of this bucket need different members: service A is on east, service B on west", false,
		},
		{
			"the only one is drained",
			place.Input{Members: append(hosts("a"), drained), Resolver: resolver(t, "nodes", "task_nodes", "d"), Buckets: []place.Bucket{holding("A")}},
			"none of the nodes d can take it", false,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.in.Buckets == nil {
				test.in.Buckets = make([]place.Bucket, 1)
			}
			plan := place.Place(test.in)
			if got := plan.Assignments[0]; got.Member != "" || got.Why != test.want || (plan.Waiting != "") != test.waiting {
				t.Errorf("%+v, want %q", plan, test.want)
			}
		})
	}
}

func TestThreeTasksSitApart(t *testing.T) {
	t.Parallel()
	for _, rates := range [][3]float64{{1, 1, 1}, {60, 1, 0.001}, {0, 0, 0}} {
		buckets := make([]place.Bucket, 256)
		for i, b := range []int{3, 77, 200} {
			buckets[b] = holding("S")
			buckets[b].Load.PerMinute = rates[i]
		}
		w := world{in: place.Input{Members: hosts("a", "b", "c"), Buckets: buckets}}
		w.settle(t)
		on := map[string]bool{}
		for _, b := range []int{3, 77, 200} {
			on[w.in.Buckets[b].Owner] = true
		}
		if len(on) != 3 {
			t.Errorf("rates %v: they sit on %v", rates, on)
		}
	}
}

// However unequal the few tasks are, empty buckets are spread by their number,
// and one that comes is given its part of them and no more.
func TestEmptyBucketsAreShared(t *testing.T) {
	t.Parallel()
	buckets := make([]place.Bucket, 256)
	for i, b := range []int{3, 77, 100, 200} {
		buckets[b] = holding("S")
		buckets[b].Load.PerMinute = []float64{30, 12, 1, 600}[i]
	}
	w := world{in: place.Input{Members: hosts("a", "b"), Buckets: buckets}}
	w.settle(t)
	before := w.nodes()
	w.in.Members = append(w.in.Members, hosts("c")...)
	w.settle(t)
	counts, moved := map[string]int{}, 0
	for b, node := range w.nodes() {
		counts[node]++
		if node != before[b] {
			moved++
			if node != "c" && w.in.Buckets[b].Load.Tasks == 0 {
				t.Errorf("empty bucket %d went from %s to %s, which was there before", b, before[b], node)
			}
		}
	}
	for _, node := range []string{"a", "b", "c"} {
		if n := counts[node]; n < 256/3-10 || n > 256/3+10 {
			t.Errorf("%s has %d of 256 buckets", node, n)
		}
	}
	if moved > 256/3+10 {
		t.Errorf("%d buckets were moved", moved)
	}
}

func TestNewIncarnationKeepsItsBuckets(t *testing.T) {
	t.Parallel()
	w := world{in: place.Input{Members: hosts("a", "b", "c"), Buckets: make([]place.Bucket, 32)}}
	w.settle(t)
	before := w.nodes()
	// b was killed and is back before its session has expired.
	w.in.Members = append(w.in.Members, place.Member{ID: "b.2", Node: "b"})
	for b := range w.in.Buckets[:8] { // they lost their place, and find one
		w.in.Buckets[b].Placed, w.in.Buckets[b].Owner = "", ""
	}
	plan := place.Place(w.in)
	for b, a := range plan.Assignments {
		if got := nodeOf(a.Member); b >= 8 && got != before[b] || got == "b" && a.Member != "b.2" {
			t.Fatalf("bucket %d was %s's, and is %s's", b, before[b], a.Member)
		}
	}
}

func TestActivePassive(t *testing.T) {
	t.Parallel()
	w := world{in: place.Input{Members: hosts("a", "b", "c"), Buckets: make([]place.Bucket, 16), Resolver: place.ActivePassive{}}}
	w.settle(t)
	first := w.nodes()[0]
	if !allAre(w.nodes(), first) {
		t.Fatalf("%v", w.nodes())
	}
	w.leave(first)
	w.settle(t)
	second := w.nodes()[0]
	if second == first || !allAre(w.nodes(), second) {
		t.Fatalf("%v", w.nodes())
	}
	w.in.Members = append(w.in.Members, hosts(first)...)
	w.settle(t)
	if !allAre(w.nodes(), second) {
		t.Errorf("they went back: %v", w.nodes())
	}
}

func TestRandomIsSpreadAndStays(t *testing.T) {
	t.Parallel()
	w := world{in: place.Input{Members: hosts("a", "b", "c"), Buckets: make([]place.Bucket, 300), Resolver: place.Random{Seed: 4}}}
	w.settle(t)
	before := w.nodes()
	counts := map[string]int{}
	for _, n := range before {
		counts[n]++
	}
	for n, c := range counts {
		if c < 60 || c > 140 {
			t.Errorf("%s has %d of 300", n, c)
		}
	}
	w.in.Members = append(w.in.Members, hosts("d")...)
	w.settle(t)
	if !slices.Equal(before, w.nodes()) {
		t.Error("a new member took something")
	}
	w.in.Resolver = place.Random{Seed: 5}
	for b := range w.in.Buckets {
		w.in.Buckets[b].Placed, w.in.Buckets[b].Owner = "", ""
	}
	w.settle(t)
	if slices.Equal(before, w.nodes()) {
		t.Error("another seed draws the same")
	}
}

func TestWeights(t *testing.T) {
	t.Parallel()
	members := hosts("a", "b")
	members[1].Weight = 3
	buckets := make([]place.Bucket, 40)
	for b := range buckets {
		buckets[b] = holding("S")
	}
	w := world{in: place.Input{Members: members, Buckets: buckets}}
	w.settle(t)
	n := 0
	for _, node := range w.nodes() {
		if node == "b" {
			n++
		}
	}
	if n != 30 {
		t.Errorf("weight 3 has %d of 40, weight 1 the rest", n)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	every := func(name string, d time.Duration) task.Info {
		return task.Info{
			Key: task.Key{Type: "T", Name: name}, UID: name, Service: "S", From: now,
			Trigger: task.TriggerInfo{Interval: task.Duration(d), Count: -1},
		}
	}
	paused, deleted, broken, once := every("p", time.Second), every("d", time.Second), every("b", time.Second), every("o", 0)
	paused.Paused, deleted.Deleted, broken.Trigger.Cron = true, true, "x"
	once.Trigger = task.TriggerInfo{At: now.Add(-time.Hour)}
	other := every("u", time.Minute)
	other.Service = "R"
	var m place.Meter
	l := m.Load([]task.Info{every("a", time.Minute), every("b2", time.Second), paused, deleted, broken, once, other}, nil, now)
	want := []place.Demand{{Service: "R"}, {Service: "S"}}
	if l.Tasks != 6 || l.PerMinute < 61 || l.PerMinute > 61*8.0/7+2 || !slices.Equal(l.Demands, want) {
		t.Errorf("%+v", l)
	}
}

// A service that is deployed nowhere keeps nothing from its place: somebody has to
// record that its firings fail. As soon as a member has it, the bucket goes there.
func TestServiceThatIsNowhere(t *testing.T) {
	t.Parallel()
	east := place.Member{ID: "east.1", Node: "east", Services: map[string]bool{"A": true}}
	in := place.Input{Members: []place.Member{east}, Buckets: []place.Bucket{holding("X")}}
	if got := place.Place(in).Assignments[0]; got.Member != "east.1" {
		t.Errorf("%+v", got)
	}
	in.Buckets[0].Placed, in.Buckets[0].Owner = "east.1", "east.1"
	in.Members = append(in.Members, place.Member{ID: "west.1", Node: "west", Services: map[string]bool{"X": true}})
	if got := place.Place(in).Assignments[0]; got.Member != "west.1" {
		t.Errorf("%+v", got)
	}
}

// Random groups, through joins, drains, losses and edits: whatever the input,
// the rules hold; a group that is left alone comes to rest, evenly loaded; who
// leaves moves nothing but what it had.
func TestPlans(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := randomWorld(rand.New(rand.NewPCG(seed, 1)))
			w.settle(t)
			w.balanced(t)
			w.joinAndDrain(t)
			w.loses(t)
		})
	}
}

func BenchmarkPlace(b *testing.B) {
	in := place.Input{Members: hosts("a", "b", "c", "d", "e")}
	for i := range 256 {
		bucket := holding("S")
		bucket.Load.Tasks = 1 + i%7
		in.Buckets = append(in.Buckets, bucket)
	}
	for b.Loop() {
		place.Place(in)
	}
}
