package place_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/place"
)

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
// differ by more than a tenth of the mean: of load, or for a bucket without any
// of the number of such buckets.
func (w *world) balanced(t *testing.T) {
	t.Helper()
	w.level(t, func(b place.Bucket) float64 {
		return 1000*float64(b.Load.Tasks) + math.Floor(1000*b.Load.PerMinute)
	})
	w.level(t, func(b place.Bucket) float64 {
		if b.Load.Tasks == 0 {
			return 1
		}
		return 0
	})
}

// level holds balance on the scale of those that weigh something.
func (w *world) level(t *testing.T, weigh func(place.Bucket) float64) {
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
		if b.Owner == "" || b.Open || weigh(b) == 0 {
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
