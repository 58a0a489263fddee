package place_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
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

// world applies plans, as hosts would.
type world struct{ in place.Input }

func nodeOf(member string) string { node, _, _ := strings.Cut(member, "."); return node }

func (w *world) nodes() []string {
	var nodes []string
	for _, b := range w.in.Buckets {
		nodes = append(nodes, nodeOf(b.Owner))
	}
	return nodes
}

func (w *world) leave(node string) {
	w.in.Members = slices.DeleteFunc(w.in.Members, func(m place.Member) bool { return m.Node == node })
	for b := range w.in.Buckets {
		if nodeOf(w.in.Buckets[b].Owner) == node {
			w.in.Buckets[b].Owner = ""
		}
	}
}

// settle plans and applies until nothing changes.
func (w *world) settle(t *testing.T) (rounds int) {
	t.Helper()
	for rounds = range 1000 {
		plan := place.Place(w.in)
		w.check(t, plan)
		changed := false
		for b, a := range plan.Assignments {
			bucket := &w.in.Buckets[b]
			changed = changed || bucket.Placed != a.Member || bucket.Owner != a.Member
			bucket.Placed, bucket.Owner = a.Member, a.Member
		}
		if !changed {
			return rounds
		}
	}
	t.Fatal("it does not settle")
	return 0
}

// check holds what must hold of every plan.
func (w *world) check(t *testing.T, plan place.Plan) {
	t.Helper()
	byID := map[string]*place.Member{}
	for i := range w.in.Members {
		byID[w.in.Members[i].ID] = &w.in.Members[i]
	}
	for b, a := range plan.Assignments {
		if (a.Member == "") == (a.Why == "") {
			t.Fatalf("bucket %d: %+v", b, a)
		}
		if a.Member == "" {
			continue
		}
		m := byID[a.Member]
		if m == nil || m.Unfit != "" {
			t.Fatalf("bucket %d is on %s: %+v", b, a.Member, m)
		}
		for _, d := range w.in.Buckets[b].Load.Demands {
			if m.Services != nil && !m.Services[d.Service] && w.deployed(d.Service) {
				t.Fatalf("bucket %d needs %s, which %s lacks", b, d.Service, m.ID)
			}
		}
	}
	share := w.in.Share
	if share == 0 {
		share = place.DefaultShare
	}
	limit := max(1, int(math.Ceil(share*float64(len(w.in.Buckets)))))
	if len(plan.Moved) > limit {
		t.Fatalf("%d moves, the bound is %d", len(plan.Moved), limit)
	}
	for _, b := range plan.Moved {
		if w.in.Buckets[b].Open {
			t.Fatalf("bucket %d was moved for balance although it has open claims", b)
		}
	}
	if again := place.Place(w.in); !reflect.DeepEqual(plan, again) {
		t.Fatal("the same input gave another plan")
	}
}

// deployed tells whether a member that may own something has the service.
func (w *world) deployed(service string) bool {
	return slices.ContainsFunc(w.in.Members, func(m place.Member) bool {
		return m.Unfit == "" && (m.Services == nil || m.Services[service])
	})
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

func randomWorld(r *rand.Rand) *world {
	w := &world{}
	services := []string{"A", "B", "C"}
	for i := range 1 + r.IntN(6) {
		m := place.Member{ID: fmt.Sprintf("n%d.1", i), Node: fmt.Sprintf("n%d", i), Weight: r.IntN(4)}
		if r.IntN(3) == 0 {
			m.Services = map[string]bool{}
			for _, s := range services {
				m.Services[s] = r.IntN(3) > 0
			}
		}
		if r.IntN(8) == 0 {
			m.Unfit = "it is being drained"
		}
		w.in.Members = append(w.in.Members, m)
	}
	for range 1 + r.IntN(100) {
		var b place.Bucket
		if r.IntN(3) > 0 {
			b = holding(services[r.IntN(3)])
			b.Load.Tasks, b.Load.PerMinute = 1+r.IntN(20), r.Float64()*60
		}
		if r.IntN(2) == 0 {
			m := w.in.Members[r.IntN(len(w.in.Members))].ID
			b.Placed = m
			if r.IntN(2) == 0 {
				b.Owner = m
			}
		}
		b.Open = r.IntN(10) == 0
		w.in.Buckets = append(w.in.Buckets, b)
	}
	return w
}

// balanced: no single bucket that may move would even out two members that
// differ by more than a tenth of the mean.
func (w *world) balanced(t *testing.T) {
	t.Helper()
	load, weight := map[string]float64{}, map[string]float64{}
	all, sum := 0.0, 0.0
	for _, m := range w.in.Members {
		if m.Unfit == "" {
			weight[m.ID] = float64(max(m.Weight, 1))
			sum += weight[m.ID]
		}
	}
	for _, b := range w.in.Buckets {
		load[b.Owner] += weigh(b)
		if b.Owner != "" {
			all += weigh(b)
		}
	}
	for i, b := range w.in.Buckets {
		if b.Owner == "" || b.Open {
			continue
		}
		for _, m := range w.in.Members {
			if weight[m.ID] == 0 || weight[b.Owner] == 0 || m.ID == b.Owner || m.Services != nil && len(b.Load.Demands) > 0 && !m.Services[b.Load.Demands[0].Service] {
				continue
			}
			from, to := load[b.Owner]/weight[b.Owner], load[m.ID]/weight[m.ID]
			if gap := from - to; gap > 0.1*all/sum+1e-6 && 2*gap > weigh(b)/weight[m.ID]+weigh(b)/weight[b.Owner]+1e-6 {
				t.Fatalf("bucket %d on %s (%.0f) would be better on %s (%.0f)", i, b.Owner, from, m.ID, to)
			}
		}
	}
}

func weigh(b place.Bucket) float64 {
	return math.Floor(1 + 1000*float64(b.Load.Tasks) + math.Floor(1000*b.Load.PerMinute))
}

// joinAndDrain: a member that can do everything comes and is used; drained, it
// holds nothing.
func (w *world) joinAndDrain(t *testing.T) {
	t.Helper()
	w.in.Members = append(w.in.Members, hosts("new")...)
	w.settle(t)
	w.balanced(t)
	if len(w.in.Buckets) >= 4*len(w.in.Members) && !slices.Contains(w.nodes(), "new") && !slices.ContainsFunc(w.in.Buckets, func(b place.Bucket) bool { return b.Open }) {
		t.Errorf("the new member has nothing of %d buckets", len(w.in.Buckets))
	}
	w.in.Members[len(w.in.Members)-1].Unfit = "it is being drained"
	w.settle(t)
	if slices.Contains(w.nodes(), "new") {
		t.Error("what is drained holds buckets")
	}
}

// loses: when a member goes, what others have stays in the first round.
func (w *world) loses(t *testing.T) {
	t.Helper()
	gone := w.in.Members[0].Node
	w.leave(gone)
	if len(w.in.Members) == 0 {
		return
	}
	plan := place.Place(w.in)
	w.check(t, plan)
	for b, a := range plan.Assignments {
		if had := w.in.Buckets[b].Placed; had != "" && nodeOf(had) != gone && a.Member != had && !slices.Contains(plan.Moved, b) {
			t.Errorf("bucket %d went from %s to %s because %s left", b, had, a.Member, gone)
		}
	}
	w.settle(t)
}

func allAre(nodes []string, node string) bool {
	return !slices.ContainsFunc(nodes, func(n string) bool { return n != node })
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
