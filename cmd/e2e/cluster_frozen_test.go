//go:build e2e

package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host is frozen for a third of a session, and for two of them: it loses what
// it owned, joins again in the same process, and nothing is fired twice.
func TestClusterFrozenHost(t *testing.T) {
	// Not beside others: how late it is at most is judged.
	const lasts = 35 * time.Second
	payrolls := paidOn(t)
	hs := newCluster(t, startZooKeeper(t, 1), payrolls)
	hs.start()
	pulse := feel(t)
	first := shortly()
	last := first.Add(lasts)
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first)+time.Second)

	h := hs.leader(t)
	pid := h.cmd.Process.Pid
	freeze := func(d time.Duration) {
		// Between two instants, when no run of it holds a lock of a database.
		during(t, time.Until(time.Now().Truncate(time.Second).Add(1500*time.Millisecond)))
		h.signal(syscall.SIGSTOP)
		during(t, d)
		h.signal(syscall.SIGCONT)
	}
	// Its last acknowledged write is a quarter of a session old at most, and it
	// gives up by itself at two thirds.
	frozen := time.Now()
	freeze(session / 3)
	during(t, 2*time.Second)
	if held := pulse.worst(frozen); strings.Contains(h.logged(), "session lost") && held < session/24 {
		t.Errorf("a third of a session was enough to lose it, though the machine held nobody up for more than %s", held)
	}
	freeze(2 * session)
	eventually(t, patience, "the thawed host has joined again", func() bool { return strings.Contains(h.logged(), "joined again") })
	if h.cmd.Process.Pid != pid {
		t.Error("it is another process")
	}
	punctual(t, "a frozen host", lateness(judge(t, hs[0], payrolls, first, last), first, last), takeOver, pulse.worst(first))
	hs.stop()
}

// Each host in turn is asked to stop, and started again, under load: its tasks
// are handed over without a gap and no run is interrupted.
func TestClusterRollingRestart(t *testing.T) {
	// Not beside others: how late it is at most is judged.
	const lasts = 25 * time.Second
	payrolls := paidOn(t)
	hs := newCluster(t, startZooKeeper(t, 1), payrolls)
	hs.start()
	pulse := feel(t)
	first := shortly()
	last := first.Add(lasts)
	schedule(hs[0], payrolls, first, last)
	during(t, time.Until(first))
	for _, h := range hs {
		during(t, 2*time.Second)
		h.signal(syscall.SIGTERM)
		if err := <-h.done; err != nil {
			t.Errorf("belfryd did not stop cleanly: %v", err)
		}
		h.cmd = nil
		during(t, time.Second)
		h.start()
	}
	over := time.Now()
	by := lateness(judge(t, hs[0], payrolls, first, last), first, over)
	t.Logf("hand-over: late p99 %s, most %s", part(by, 0.99), part(by, 1))
	punctual(t, "a hand-over", by, time.Second, pulse.worst(first))
	for _, p := range payrolls {
		for _, run := range show[[]struct {
			Outcome string `json:"outcome"`
			Attempt int    `json:"attempt"`
			Error   string `json:"error"`
		}](hs[0], "run", "list", "--task", p.service) {
			if run.Outcome != "OK" || run.Attempt != 1 {
				t.Errorf("%s: a run ended %s in attempt %d: %s", p.service, run.Outcome, run.Attempt, run.Error)
			}
		}
	}
	hs.stop()
}
