package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/task"
)

// pinned is the location of a task that one node may run.
func pinned(node string) *task.Location {
	return &task.Location{Resolver: "nodes", Properties: []task.Property{{Name: "task_nodes", Value: node}}}
}

// move gives a task another location.
func (g *group) move(name string, to *task.Location) {
	g.t.Helper()
	_, err := g.admin.Update(g.t.Context(), task.Key{Name: name}, 0, func(i *task.Info) error {
		i.Location = to
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// seat is the bucket that decides for a task.
func (g *group) seat(name string) int {
	g.t.Helper()
	info, err := g.admin.Get(g.t.Context(), task.Key{Name: name})
	if err != nil {
		g.t.Fatal(err)
	}
	b, err := g.admin.Seat(g.t.Context(), &info)
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

// steady fails unless the task has fired once at each instant of its interval, up
// to a few that may be on their way.
func (g *group) steady(name string, every time.Duration) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	var at []int64
	for _, r := range g.runs {
		if r.task == name {
			at = append(at, r.at.UnixMilli())
		}
	}
	slices.Sort(at)
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] != every.Milliseconds() {
			g.t.Errorf("%s fired at %d and then at %d", name, at[i-1], at[i])
		}
	}
	if len(at) < 5 {
		g.t.Errorf("%s fired %d times", name, len(at))
	}
}

// lastNode is where the task ran last.
func (g *group) lastNode(name string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := len(g.runs) - 1; i >= 0; i-- {
		if g.runs[i].task == name {
			return g.runs[i].node
		}
	}
	return ""
}

func TestPinnedTaskFollowsItsPin(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		for _, n := range []string{"n1", "n2", "n3"} {
			g.boot(n)
		}
		g.quiet(10 * time.Second)
		g.create("wanderer", "S", 200*time.Millisecond)
		for _, n := range []string{"n2", "n3", "n1", "n3"} {
			time.Sleep(3 * time.Second)
			g.move("wanderer", pinned(n))
			time.Sleep(6 * time.Second)
			if at := g.lastNode("wanderer"); at != n {
				t.Errorf("it runs on %s, not on %s", at, n)
			}
		}
		g.move("wanderer", nil)
		time.Sleep(6 * time.Second)
		if b := g.seat("wanderer"); b >= 16 {
			t.Errorf("without a location it is decided by bucket %d", b)
		}
		g.steady("wanderer", 200*time.Millisecond)
	})
}

// What is pinned to a host that is gone waits and says why; it can be sent
// elsewhere although nobody may own its bucket.
func TestPinnedTaskIsRescued(t *testing.T) {
	scene(t, 16, func(t *testing.T, g *group) {
		g.boot("n1")
		lost := g.boot("n2")
		g.quiet(10 * time.Second)
		for _, name := range []string{"stays", "goes"} {
			g.create(name, "S", time.Second)
			g.move(name, pinned("n2"))
		}
		time.Sleep(8 * time.Second)
		if at := g.lastNode("goes"); at != "n2" {
			t.Fatalf("it runs on %q", at)
		}
		lost.kill(4 * time.Second)
		time.Sleep(5 * time.Second)
		if why := g.why(g.seat("goes")); why != "none of the nodes n2 can take it" {
			t.Errorf("why: %q", why)
		}
		g.move("goes", pinned("n1"))
		time.Sleep(8 * time.Second)
		if at := g.lastNode("goes"); at != "n1" {
			t.Errorf("it runs on %q", at)
		}
		g.steady("goes", time.Second)
		if at := g.lastNode("stays"); at != "n2" {
			t.Errorf("what is pinned ran on %q", at)
		}
		g.boot("n2")
		time.Sleep(8 * time.Second)
		g.steady("stays", time.Second)
	})
}

// Tasks of different rules, and of services that are on different hosts, may fall
// into one bucket by their names: they are told apart.
func TestTasksThatNeedDifferentHostsAreParted(t *testing.T) {
	t.Parallel()
	for name, resolver := range map[string][]place.Property{
		"rules":    {{Name: "rule-1", Value: ".*,A-.*,n1"}, {Name: "rule-2", Value: ".*,B-.*,n2"}},
		"services": nil,
	} {
		t.Run(name, func(t *testing.T) {
			scene(t, 1, func(t *testing.T, g *group) {
				serviceOf := func(string) string { return "S" }
				if resolver != nil {
					made, err := place.Standard().Resolver("RuleBasedLocationResolver", resolver)
					if err != nil {
						t.Fatal(err)
					}
					g.resolver = made
				} else {
					serviceOf = func(name string) string { return name[:1] }
				}
				g.boot("n1", serviceOf("A-"))
				g.boot("n2", serviceOf("B-"))
				g.quiet(10 * time.Second)
				for i := range 3 {
					for _, kind := range []string{"A-", "B-"} {
						name := fmt.Sprint(kind, i)
						g.create(name, serviceOf(name), time.Second)
					}
				}
				time.Sleep(20 * time.Second)
				for i := range 3 {
					for kind, want := range map[string]string{"A-": "n1", "B-": "n2"} {
						name := fmt.Sprint(kind, i)
						if at := g.lastNode(name); at != want {
							t.Errorf("%s ran on %q, not on %s: %s", name, at, want, g.why(g.seat(name)))
						}
						g.steady(name, time.Second)
					}
				}
			})
		})
	}
}

func TestUnknownResolverIsAReason(t *testing.T) {
	scene(t, 4, func(t *testing.T, g *group) {
		g.boot("n1")
		g.quiet(10 * time.Second)
		g.create("odd", "S", time.Second)
		g.move("odd", &task.Location{Resolver: "org.example.Mine"})
		time.Sleep(6 * time.Second)
		if why := g.why(g.seat("odd")); !strings.HasPrefix(why, "unknown location resolver org.example.Mine") {
			t.Errorf("why: %q", why)
		}
		g.move("odd", nil)
		time.Sleep(6 * time.Second)
		g.steady("odd", time.Second)
	})
}

// inPlace tells whether tasks are where their locations say.
func (g *group) inPlace() error {
	all, err := g.admin.List(g.t.Context())
	if err != nil {
		return err
	}
	owners := g.owners()
	for i := range all {
		info := &all[i]
		b, err := g.admin.Seat(g.t.Context(), info)
		switch {
		case err != nil:
			return err
		case info.Seat.To() != nil || len(info.Seat.Carried()) > 0:
			return fmt.Errorf("task %s is on its way: %+v", info.Key, info.Seat)
		case (info.Location != nil) != (b >= g.buckets):
			return fmt.Errorf("task %s of location %q is in bucket %d", info.Key, info.Location, b)
		case info.Location != nil && owners[b] != info.Location.Properties[0].Value:
			return fmt.Errorf("task %s of location %s is on %q", info.Key, info.Location, owners[b])
		}
	}
	return nil
}

// home takes all locations away.
func (s *sim) home() {
	all, err := s.admin.List(s.t.Context())
	s.admits(err)
	for i := range all {
		s.move(all[i].Name, nil)
	}
}

// relocate moves a random task.
func (s *sim) relocate() {
	all, err := s.admin.List(s.t.Context())
	s.admits(err)
	to := pinned(node(s.draw(simNodes)))
	if s.draw(3) == 0 {
		to = nil
	}
	s.move(all[s.draw(len(all))].Name, to)
}
