//go:build e2e && faults

package e2e

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/task"
)

// How often each is measured, and what is promised. In less than wholeTime it is
// measured less often.
const (
	wholeTime = 5 * time.Minute

	measuredKills     = 20
	measuredHandOvers = 9
	measuredElections = 5

	maxTakeOver = 6 * time.Second
	maxHandOver = 250 * time.Millisecond
	maxElection = 5 * time.Second
)

// How long tasks are silent when a host is killed, when one hands over as it
// stops, and when ZooKeeper elects another leader.
func TestFaultsFigures(t *testing.T) {
	share := min(1, faultsFor(t).Seconds()/wholeTime.Seconds())
	times := func(most int) int { return int(math.Ceil(float64(most) * share)) }
	a := newArena(t, 3)
	const each = 20 * time.Second // more than one measurement takes
	a.schedule((measuredKills + measuredHandOvers + measuredElections) * each)

	var kills, hands, elections []time.Duration
	for n := range times(measuredKills) {
		a.flowing()
		h := a.hosts[a.pick()]
		if n%4 == 0 {
			h = a.hosts.leader(t)
		}
		began := time.Now()
		h.kill()
		silent := a.silence(began)
		a.note("kill %d: all tasks fire again after %s", n+1, silent.Round(time.Millisecond))
		kills = append(kills, silent)
		h.start()
		a.trouble(began, takeOver)
		during(t, time.Second)
	}
	for n := range times(measuredHandOvers) {
		a.flowing()
		h := a.hosts[n%len(a.hosts)]
		began := time.Now()
		h.stop()
		stopped := time.Now()
		during(t, 2*time.Second)
		late := a.latest(began, stopped)
		a.note("hand-over %d: a task was late by %s at most", n+1, late.Round(time.Millisecond))
		hands = append(hands, late)
		h.start()
		a.trouble(began, time.Second)
		during(t, time.Second)
	}
	for n := range times(measuredElections) {
		a.flowing()
		began := time.Now()
		leader := a.zk.Leader(t)
		leader.Kill(t)
		silent := a.silence(began)
		a.note("ZooKeeper's leader killed, %d: all tasks fire again after %s", n+1, silent.Round(time.Millisecond))
		elections = append(elections, silent)
		leader.Restart(t)
		a.zk.Whole(t)
		a.trouble(began, recovery)
		during(t, time.Second)
	}
	a.last = a.soon()
	h := a.judge()
	for _, f := range []struct {
		what string
		took []time.Duration
		most time.Duration
	}{
		{"a host killed", kills, maxTakeOver}, {"a hand-over", hands, maxHandOver}, {"ZooKeeper's leader killed", elections, maxElection},
	} {
		slices.Sort(f.took)
		t.Logf("%s, %d times: p50 %s, most %s (promised: %s)", f.what, len(f.took), part(f.took, 0.5), part(f.took, 1), f.most)
		if most := part(f.took, 1); most > f.most {
			t.Errorf("%s: %s, want %s at most", f.what, most, f.most)
		}
	}
	if t.Failed() {
		a.keep(h)
	}
}

// silence waits until each of the tasks that can has fired since a time, and tells
// how long the last one took.
func (a *arena) silence(since time.Time) time.Duration {
	a.t.Helper()
	var most time.Duration
	eventually(a.t, time.Minute, "all tasks fire again", func() bool {
		first := a.receiver.firsts(since)
		most = 0
		for uid := range a.calls {
			at, fired := first[uid]
			if !fired {
				return false
			}
			most = max(most, at.Sub(since))
		}
		return true
	})
	return most
}

// latest is by how much the latest firing of instants between two times came late.
func (a *arena) latest(from, to time.Time) time.Duration {
	var most time.Duration
	for _, d := range firecheck.Delays(a.receiver.all()) {
		if a.calls[d.Fire.UID()] && !d.Instant.Before(from) && !d.Instant.After(to) {
			most = max(most, d.By)
		}
	}
	return most
}

// soon ends all tasks a little later, and says when.
func (a *arena) soon() time.Time {
	a.t.Helper()
	a.stopEdits()
	a.edits.Wait()
	admin, err := a.admin(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	views, err := admin.Tasks(a.t.Context(), control.TaskFilter{})
	if err != nil {
		a.t.Fatal(err)
	}
	end := time.Now().Add(5 * time.Second).Truncate(time.Second)
	for _, v := range views {
		_, err := admin.UpdateTask(a.t.Context(), task.Key{Tenant: v.Tenant, Type: v.Type, Name: v.Name}, 0, func(i *task.Info) error {
			i.Trigger.End = end
			return nil
		})
		if err != nil {
			a.t.Fatalf("end %s: %v", v.Name, err)
		}
	}
	return end
}
