//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// fault is one thing that may go wrong. It is over when it returns: all hosts and
// servers run again.
type fault struct {
	name string
	do   func(a *arena)
}

// recovery is what comes on top of a take-over on a busy machine: a process to be
// started, a session to be opened.
const recovery = 4 * time.Second

// points are where a host can be told to die, with the highest number of the
// passage at which it does; see package fault.
var points = []struct {
	name string
	most int
}{
	{"before-acquire", 20},
	{"after-acquire", 20},
	{"before-claim", 40},
	{"after-claim", 40},
	{"before-call", 60},
	{"after-call", 60},
	{"before-settle", 40},
	{"after-settle", 40},
	{"before-fold", 1},
	{"after-fold", 1},
	{"before-release", 4},
	{"after-release", 4},
}

// catalogue lists the faults of the issue, by name.
func catalogue() []fault {
	all := []fault{
		{"a host is killed", (*arena).killHost},
		{"a host is frozen for half a session", func(a *arena) { a.freezeHost(session / 2) }},
		{"a host is frozen for three sessions", func(a *arena) { a.freezeHost(3 * session) }},
		{"a host is cut off from ZooKeeper and healed", (*arena).cutHost},
		{"replies are lost after the commit", (*arena).loseReplies},
		{"requests are held back beyond the session", (*arena).holdRequests},
		{"ZooKeeper's leader is killed", (*arena).killLeader},
		{"a ZooKeeper follower is frozen and the leader killed", (*arena).freezeAndKill},
		{"each host is restarted in order", (*arena).rollingRestart},
	}
	for _, p := range points {
		all = append(all, fault{"a host dies " + p.name, func(a *arena) { a.die(p.name, 1+a.random.IntN(p.most)) }})
	}
	return all
}

// rare are those that stop everybody for a while.
func rare() []fault {
	return []fault{
		{"the quorum is lost for 30 s", func(a *arena) { a.loseQuorum(30 * time.Second) }},
		{"all hosts and servers are restarted", (*arena).restartAll},
		{"clocks are two seconds apart while owners change", (*arena).skewClocks},
	}
}

// do brings a fault about, under load.
func (a *arena) do(f fault) {
	a.t.Helper()
	a.flowing()
	a.note("%s", f.name)
	f.do(a)
}

func (a *arena) pick() int { return a.random.IntN(len(a.hosts)) }

func (a *arena) killHost() {
	i := a.pick()
	began := time.Now()
	a.hosts[i].kill()
	during(a.t, time.Duration(a.random.IntN(int(2*session))))
	a.hosts[i].start()
	a.trouble(began, takeOver)
}

// die lets a host die at a point: it is stopped in order and started with that in
// mind. One that is to die as it leaves is told to.
func (a *arena) die(point string, nth int) {
	i := a.pick()
	h := a.hosts[i]
	began := time.Now()
	h.stop()
	a.arm(i, fmt.Sprintf("%s#%d=kill", point, nth))
	ready := h.spawn(h.command())
	died := func(within time.Duration) bool {
		select {
		case <-h.done:
			return true
		case <-time.After(within):
			return false
		case <-a.t.Context().Done():
			return false
		}
	}
	leaves := strings.HasSuffix(point, "fold") || strings.HasSuffix(point, "release")
	if leaves {
		select {
		case <-ready:
			during(a.t, 2*time.Second)
		case err := <-h.done:
			h.done <- err
		}
		_ = h.cmd.Process.Signal(syscall.SIGTERM)
	}
	gone := died(20 * time.Second)
	if !gone || !strings.Contains(h.logged(), `"point":"`+point+`"`) {
		a.note("  it did not come to that")
		if !gone {
			h.kill()
		}
	} else {
		a.reached[point]++
	}
	h.cmd = nil
	a.arm(i, "")
	h.start()
	a.trouble(began, takeOver)
}

func (a *arena) freezeHost(d time.Duration) {
	i := a.pick()
	began := time.Now()
	a.hosts[i].signal(syscall.SIGSTOP)
	during(a.t, d)
	a.hosts[i].signal(syscall.SIGCONT)
	// What it had locked in a database is free when the database gives it up.
	a.trouble(began, takeOver+recovery)
}

// each does something to all proxies of a host.
func (a *arena) each(i int, do func(*zktest.Proxy)) {
	for _, p := range a.proxies[i] {
		do(p)
	}
}

func (a *arena) cutHost() {
	i := a.pick()
	began := time.Now()
	a.each(i, (*zktest.Proxy).Cut)
	during(a.t, session+time.Duration(a.random.IntN(int(session))))
	a.each(i, (*zktest.Proxy).Pass)
	a.trouble(began, takeOver)
}

// loseReplies lets requests through and drops their answers, a few times.
func (a *arena) loseReplies() {
	i := a.pick()
	began := time.Now()
	for range 4 {
		a.each(i, func(p *zktest.Proxy) { p.Hold(zktest.Replies) })
		during(a.t, time.Duration(50+a.random.IntN(300))*time.Millisecond)
		a.each(i, (*zktest.Proxy).Drop)
		a.each(i, (*zktest.Proxy).Pass)
		during(a.t, 500*time.Millisecond)
	}
	a.trouble(began, takeOver)
}

// holdRequests keeps what a host sends back until its session is over, and then
// lets it arrive.
func (a *arena) holdRequests() {
	i := a.pick()
	began := time.Now()
	a.each(i, func(p *zktest.Proxy) { p.Hold(zktest.Requests) })
	during(a.t, session+2*zkTick+time.Duration(a.random.IntN(int(session))))
	a.each(i, (*zktest.Proxy).Pass)
	a.trouble(began, takeOver)
}

func (a *arena) killLeader() {
	began := time.Now()
	leader := a.zk.Leader(a.t)
	leader.Kill(a.t)
	during(a.t, 3*time.Second)
	leader.Restart(a.t)
	a.trouble(began, recovery)
	a.zk.Whole(a.t)
}

func (a *arena) freezeAndKill() {
	began := time.Now()
	follower, leader := a.zk.Follower(a.t), a.zk.Leader(a.t)
	follower.Freeze(a.t)
	during(a.t, time.Duration(a.random.IntN(1000))*time.Millisecond)
	leader.Kill(a.t)
	during(a.t, 2*time.Second)
	follower.Thaw(a.t)
	leader.Launch(a.t)
	a.zk.Whole(a.t)
	a.trouble(began, takeOver+recovery)
}

func (a *arena) loseQuorum(d time.Duration) {
	began := time.Now()
	a.zk[0].Kill(a.t)
	a.zk[1].Kill(a.t)
	during(a.t, d)
	a.zk[0].Launch(a.t)
	a.zk[1].Launch(a.t)
	a.zk.Whole(a.t)
	a.trouble(began, takeOver+recovery)
}

func (a *arena) rollingRestart() {
	for _, h := range a.hosts {
		began := time.Now()
		h.stop()
		h.start()
		a.trouble(began, time.Second)
		during(a.t, time.Second)
	}
}

func (a *arena) restartAll() {
	began := time.Now()
	for _, h := range a.hosts {
		h.kill()
	}
	for _, s := range a.zk {
		s.Kill(a.t)
	}
	during(a.t, time.Second)
	for _, s := range a.zk {
		s.Launch(a.t)
	}
	a.zk.Whole(a.t)
	a.hosts.start()
	a.trouble(began, takeOver+recovery)
}

// setClock sets a host's clock.
func (a *arena) setClock(i int, ahead time.Duration) {
	if err := os.WriteFile(a.clocks[i], []byte(ahead.String()), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// skewClocks sets the clocks of two hosts a second off, one each way, lets them
// jump, and makes owners change meanwhile. Firings then follow the clock of
// whoever owns them.
func (a *arena) skewClocks() {
	a.skew = max(a.skew, time.Second)
	order := a.random.Perm(len(a.hosts))
	for _, ahead := range []time.Duration{time.Second, -time.Second} {
		began := time.Now()
		a.setClock(order[0], ahead)
		a.setClock(order[1], -ahead)
		h := a.hosts[order[a.random.IntN(2)]]
		during(a.t, 2*time.Second)
		h.stop()
		h.start()
		during(a.t, 2*time.Second)
		a.trouble(began, time.Second)
	}
	for i := range a.hosts {
		a.setClock(i, 0)
	}
}

// shuffled gives faults in random order.
func (a *arena) shuffled(all []fault) []fault {
	all = slices.Clone(all)
	a.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
