//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

const (
	// soakVariable says for how long TestSoak lasts; `make soak` sets it.
	soakVariable = "BELFRY_SOAK_FOR"
	// shortSoak is for CI.
	shortSoak = 10 * time.Second
	// calm is how long the rest of a soak has no faults, so that it can come to an
	// end.
	calm = 2 * time.Second
)

// Three hosts and three ZooKeeper servers, the original's salary raised every
// second on PostgreSQL and SQLite, an administrator who creates, runs, pauses and
// deletes tasks, and one fault after the other at random: each instant raises the
// salary once, what was acknowledged holds, and nothing is left behind.
func TestSoak(t *testing.T) {
	t.Parallel()
	lasts := shortSoak
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil || lasts < shortSoak {
			t.Fatalf("%s is %q: want a time of at least %s", soakVariable, text, shortSoak)
		}
	}
	t.Logf("%s", lasts)
	s := &soak{t: t, random: seeded(t), zk: startZooKeeper(t, 3)}
	payrolls := paidOn(t)
	guest := newPayroll(t, "guests", open(t, "sqlite", sourcetest.OpenSQLite(t)))
	s.hs = newCluster(t, s.zk, append(payrolls, guest))
	s.hs.start()
	first := shortly()
	last := first.Add(lasts)
	schedule(s.hs[0], payrolls, first, last)
	during(t, time.Until(first))
	before := s.footprint()

	stop := make(chan struct{})
	var busy sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); busy.Wait() })
	defer end()
	busy.Go(func() { s.administer(stop) }) // ends with stop
	looked := time.Now()
	for time.Until(last) > calm {
		s.fault(last)
		if time.Since(looked) > 30*time.Second {
			looked = time.Now()
			now := countZnodes(t, s.zk)
			t.Logf("%d znodes, %d more than at first:\n%s", now.all(), now.all()-before.znodes.all(), now.grown(before.znodes))
		}
		during(t, min(time.Duration(500+s.random.IntN(2500))*time.Millisecond, max(time.Until(last), 0)))
	}
	end()
	all := judge(t, s.hs[0], payrolls, first, last)
	t.Logf("faults: %s; late p50 %s; %d commands of the administrator, %d of them refused meanwhile",
		strings.Join(s.done, ", "), part(lateness(all, first, last), 0.5), s.commands, s.refused)
	if runs := int(guest.salary(t) / 10_000); runs < s.ran || runs > s.ran+s.doubted {
		t.Errorf("%d runs by hand took effect, want %d, or up to %d more of which nobody knew", runs, s.ran, s.doubted)
	}
	s.leavesNothing(before)
	s.hs.stop()
}

// soak is what a soak works on. The administrator's goroutine has fields of its
// own.
type soak struct {
	t      *testing.T
	random *rand.Rand
	zk     zktest.Ensemble
	hs     hosts
	done   []string // faults, in order

	commands, refused, ran, doubted int // of the administrator: of runs, those known to have ended, and others
}

// fault does one thing to the cluster and undoes it. One that takes long is left
// out when the end is near.
func (s *soak) fault(last time.Time) {
	faults := []struct {
		name  string
		takes time.Duration // about
		do    func()
	}{
		{"host killed", 2 * time.Second, func() {
			h := s.host()
			h.kill()
			s.pause(0, 1500)
			h.start()
		}},
		{"host killed and taken over", takeOver + time.Second, func() {
			h := s.host()
			h.kill()
			during(s.t, takeOver)
			h.start()
		}},
		{"host frozen for half a session", session / 2, func() { s.freeze(session / 2) }},
		{"host frozen for three sessions", 3 * session, func() { s.freeze(3 * session) }},
		{"host restarted", 3 * time.Second, func() {
			h := s.host()
			h.stop()
			h.start()
		}},
		{"all hosts killed", 5 * time.Second, func() {
			for _, h := range s.hs {
				h.kill()
			}
			s.hs.start()
		}},
		{"ZooKeeper's leader killed", 4 * time.Second, func() {
			leader := s.zk.Leader(s.t)
			leader.Kill(s.t)
			s.pause(500, 3000)
			leader.Restart(s.t)
		}},
		{"a ZooKeeper server frozen", session, func() {
			follower := s.zk.Follower(s.t)
			follower.Freeze(s.t)
			s.pause(500, int(session.Milliseconds()))
			follower.Thaw(s.t)
		}},
		{"ZooKeeper without a majority", 12 * time.Second, func() {
			s.zk[0].Kill(s.t)
			s.zk[1].Kill(s.t)
			s.pause(1000, 8000)
			s.zk[0].Launch(s.t)
			s.zk[1].Restart(s.t)
		}},
		{"all ZooKeeper servers killed", 8 * time.Second, func() {
			for _, z := range s.zk {
				z.Kill(s.t)
			}
			s.zk[0].Launch(s.t)
			s.zk[1].Launch(s.t)
			s.zk[2].Restart(s.t)
		}},
	}
	left := time.Until(last)
	fits := slices.DeleteFunc(slices.Clone(faults), func(f struct {
		name  string
		takes time.Duration
		do    func()
	},
	) bool {
		return f.takes > left
	})
	if len(fits) == 0 {
		return
	}
	f := fits[s.random.IntN(len(fits))]
	s.t.Logf("%s: %s", time.Now().Format(time.TimeOnly), f.name)
	f.do()
	s.done = append(s.done, f.name)
}

func (s *soak) host() *host { return s.hs[s.random.IntN(len(s.hs))] }

func (s *soak) pause(least, most int) {
	during(s.t, time.Duration(least+s.random.IntN(most-least))*time.Millisecond)
}

func (s *soak) freeze(d time.Duration) {
	h := s.host()
	h.signal(syscall.SIGSTOP)
	during(s.t, d)
	h.signal(syscall.SIGCONT)
}

// zookeeper is where the companion finds the cluster, whichever host is alive.
func (s *soak) zookeeper() string { return "zk://" + strings.Join(s.zk.Addresses(), ",") + "/belfry" }

// administer edits tasks until stop: each comes, is run by hand, rests and goes.
// What is refused because nobody answers is tried again; what is said to be done
// must be so.
func (s *soak) administer(stop <-chan struct{}) {
	connect := s.zookeeper()
	for n := 1; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		name := "guest-" + strconv.Itoa(n)
		for _, step := range []struct {
			args  []string
			again []int // exit codes that a repetition of what was done already has
			state string
		}{
			{[]string{"task", "create", name, "--service", "guests", "--operation", "incrementEmployeeSalary", "--interval", "1h", "--start", "+1h"}, []int{5}, "waiting"},
			{[]string{"task", "run", name, "--wait"}, nil, "waiting"},
			{[]string{"task", "pause", name}, nil, "paused"},
			{[]string{"task", "delete", name, "--yes"}, []int{3}, ""},
		} {
			if !s.insist(append(step.args, "--connect", connect), step.again, stop) {
				return
			}
			s.holds(name, connect, step.state, stop)
		}
	}
}

// insist repeats a command until it is done. False: it was not, and it is time to
// end.
func (s *soak) insist(args []string, again []int, stop <-chan struct{}) bool {
	for try := 0; ; try++ {
		out, errs, code := s.hs[0].belfry(args...)
		s.commands++
		if by := slices.Contains(args, "run"); by && code == 0 {
			s.ran++
		} else if by {
			s.doubted++
		}
		switch {
		case code == 0 || try > 0 && slices.Contains(again, code):
			return true
		case code != 6 && code != 7: // unavailable, or nobody knows
			s.t.Errorf("belfry %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
			return true
		}
		s.refused++
		select {
		case <-stop:
			return false
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// holds looks whether the task is in the state that was acknowledged; empty: it is
// gone, or going.
func (s *soak) holds(name, connect, state string, stop <-chan struct{}) {
	for {
		out, _, code := s.hs[0].belfry("task", "list", "--connect", connect, "-o", "csv")
		s.commands++
		if code == 0 {
			line := ""
			for l := range strings.Lines(out) {
				if strings.HasPrefix(l, name+",") {
					line = l
				}
			}
			// While nobody owns it, or who does is dead, that is what is told first.
			nobody := strings.Contains(line, ",unplaced,") || strings.Contains(line, ",unknown,")
			if (state == "") != (line == "") || !strings.Contains(line, state) && !nobody {
				s.t.Errorf("%s is to be %q, and is listed as %q", name, state, line)
			}
			return
		}
		s.refused++
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// footprint is what a cluster takes.
type footprint struct {
	znodes   znodes
	resident []int // of hosts, MiB
}

func (s *soak) footprint() footprint {
	s.t.Helper()
	f := footprint{znodes: countZnodes(s.t, s.zk)}
	for _, h := range s.hs {
		f.resident = append(f.resident, resident(s.t, h.cmd.Process.Pid))
	}
	return f
}

// leavesNothing: the administrator's tasks are gone, ZooKeeper holds no more of any
// kind than its bound, and hosts have not grown beyond measure.
func (s *soak) leavesNothing(before footprint) {
	s.t.Helper()
	const grown = 192 // MiB
	// A last guest may be left by an administrator who was told to stop.
	guests := 0
	for _, v := range show[[]struct{ Name string }](s.hs[0], "task", "list") {
		if strings.HasPrefix(v.Name, "guest-") {
			guests++
		}
	}
	if guests > 1 {
		s.t.Errorf("%d of the administrator's tasks are left", guests)
	}
	after := s.footprint()
	s.t.Logf("MiB of hosts: %v, were %v; %d znodes, were %d:\n%s", after.resident, before.resident,
		after.znodes.all(), before.znodes.all(), after.znodes.grown(before.znodes))
	for _, over := range after.znodes.unbounded(before.znodes) {
		s.t.Error(over)
	}
	if most := slices.Max(after.resident); most > slices.Max(before.resident)+grown {
		s.t.Errorf("a host has %d MiB, had %d", most, slices.Max(before.resident))
	}
}

// resident is the memory of a process in MiB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib >> 10
}
