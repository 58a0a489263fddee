package cluster_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/store"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "simulate this group alone")
	simSeeds = flag.Int("sim.seeds", 0, "simulate so many groups (default 250, or a quarter of BELFRY_SIM_SEEDS)")
	simFirst = flag.Int("sim.first", 1, "the first of those seeds")
)

func seeds(t *testing.T) int {
	t.Helper()
	if *simSeeds > 0 {
		return *simSeeds
	}
	if text := os.Getenv("BELFRY_SIM_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("BELFRY_SIM_SEEDS=%q: give a number above 0", text)
		}
		return max(n/4, 1) // a group costs more than an engine
	}
	if testing.Short() {
		return 25
	}
	return 250
}

// Groups of hosts under everything that may happen to them: kills, expiries,
// cuts, slow and lost and late messages, joins, stops in good order, drains,
// clocks that are set, edits. The judge sees every commit; in the end, when
// nothing happens any more, the group must come to rest, and lose a host once
// more within the promised time. What a seed draws is fixed; which of two
// goroutines goes first at the same instant is not.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *simSeed > 0 {
		simulate(t, *simSeed)
		return
	}
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for n := shard; n < seeds(t) && !t.Failed(); n += shards {
				simulate(t, uint64(*simFirst+n))
			}
		})
	}
}

// sim is one group's history.
type sim struct {
	*group
	judge *judge
	dying sync.WaitGroup

	mu   sync.Mutex // guards what follows
	rand *rand.Rand
	calm bool
}

func simulate(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		defer func() { // also when it was given up
			if t.Failed() {
				t.Logf("replay: go test ./plugin/cluster -run 'TestSimulation$' -v -sim.seed=%d", seed)
			}
		}()
		s := &sim{judge: newJudge(), rand: rand.New(rand.NewPCG(seed, 7))}
		s.group = newGroup(t, 1+s.draw(24))
		s.group.options.Servers = s.draw(4)
		s.group.wrap = func(m *coordtest.Member) coordtest.Joined { return watched{m, s.judge} }
		s.group.plan = s.fault
		defer s.end()
		s.live()
		for _, err := range s.verdict() {
			t.Errorf("seed %d: %v", seed, err)
		}
	})
}

func (s *sim) draw(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// fault is what happens to a host's call.
func (s *sim) fault(coordtest.Call) coordtest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := func(limit time.Duration) time.Duration { return time.Duration(s.rand.Int64N(int64(limit))) + 1 }
	if s.calm {
		return coordtest.Fault{}
	}
	switch n := s.rand.IntN(1000); {
	case n < 10:
		return coordtest.Fault{Drop: true}
	case n < 20:
		return coordtest.Fault{LoseReply: true}
	case n < 25:
		return coordtest.Fault{Drop: true, LoseReply: true}
	case n < 30:
		return coordtest.Fault{Late: some(5 * time.Second)}
	case n < 35:
		return coordtest.Fault{Hold: some(3 * time.Second)}
	case n < 150:
		return coordtest.Fault{Delay: some(20 * time.Millisecond)}
	}
	return coordtest.Fault{}
}

const simNodes = 4

func node(i int) string { return "n" + strconv.Itoa(i) }

// live is the whole of a history: a time of faults, then a time to come to rest.
func (s *sim) live() {
	s.apart(min(s.buckets, 3), "S", time.Duration(100+s.draw(900))*time.Millisecond)
	for i := range 1 + s.draw(simNodes) {
		s.boot(node(i))
	}
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		time.Sleep(time.Duration(s.draw(4000)) * time.Millisecond)
		s.disturb()
	}
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	s.dying.Wait()
	s.settle()
}

// disturb does something to the group.
func (s *sim) disturb() {
	hosts := s.living()
	switch what := s.draw(14); {
	case len(hosts) == 0 || what < 3:
		name := node(s.draw(simNodes))
		for _, h := range hosts {
			if h.node == name {
				s.kill(h) // and back before its session has expired
			}
		}
		s.boot(name)
	case what == 3:
		s.kill(hosts[s.draw(len(hosts))])
	case what == 4:
		h := hosts[s.draw(len(hosts))]
		h.member.Expire()
		h.bury()
	case what == 5:
		h := hosts[s.draw(len(hosts))]
		h.member.Cut()
		outage := time.Duration(1+s.draw(3000)) * time.Millisecond
		s.dying.Go(func() { // ends with the outage
			time.Sleep(outage)
			h.member.Heal()
		})
	case what < 8:
		h := hosts[s.draw(len(hosts))]
		h.gone()
		s.dying.Go(h.leave) // ends when it has left
	case what == 8:
		s.admits(s.admin.Drain(s.t.Context(), node(s.draw(simNodes)), store.Drain{Reason: "test"}))
	case what == 9:
		s.admits(s.admin.Undrain(s.t.Context(), node(s.draw(simNodes))))
	case what == 10:
		hosts[s.draw(len(hosts))].setClock(time.Duration(s.draw(20)-10) * time.Second)
	case what > 11:
		s.relocate()
	default:
		s.create("more-"+s.newID(), "S", time.Duration(100+s.draw(2000))*time.Millisecond)
	}
}

// kill kills a host, whose session ends some time later.
func (s *sim) kill(h *host) {
	h.gone()
	expires := time.Duration(1+s.draw(5000)) * time.Millisecond
	s.dying.Go(func() { h.kill(expires) }) // ends when it has expired
}

// admits fails on an administrator's error: there are no faults on his way.
func (s *sim) admits(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// settle ends all trouble, and looks whether the group comes to rest.
func (s *sim) settle() {
	there := map[string]bool{}
	for _, h := range s.living() {
		h.setClock(0)
		h.member.Heal()
		there[h.node] = true
	}
	for i := range simNodes {
		s.admits(s.admin.Undrain(s.t.Context(), node(i)))
		if !there[node(i)] {
			s.boot(node(i))
		}
	}
	time.Sleep(30 * time.Second) // what clocks said has been seen, strays set free
	s.quiet(15 * time.Second)
	time.Sleep(20 * time.Second)
	s.quiet(time.Second)
	for _, homecoming := range []bool{false, true} {
		if homecoming { // so that all can go elsewhere
			s.home()
			time.Sleep(10 * time.Second)
		}
		if err := s.inPlace(); err != nil {
			s.t.Error(err)
		}
	}

	hosts := s.living()
	h := hosts[s.draw(len(hosts))]
	h.kill(4 * time.Second)
	s.quiet(time.Second)
}

func (s *sim) verdict() []error {
	s.judge.mu.Lock()
	defer s.judge.mu.Unlock()
	faults := s.judge.faults
	if s.judge.taken == 0 || s.judge.placed == 0 || s.judge.batches == 0 {
		faults = append(faults, fmt.Errorf("nothing happened: %d acquisitions, %d placements, %d batches", s.judge.taken, s.judge.placed, s.judge.batches))
	}
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	seen := make(map[string]string)
	for _, r := range s.runs {
		key := fmt.Sprintf("%s, attempt %d", r.fire, r.attempt)
		if before, ok := seen[key]; ok {
			faults = append(faults, fmt.Errorf("%w: %s on %s and %s", errTwice, key, before, r.node))
		}
		seen[key] = r.node
	}
	return faults
}
