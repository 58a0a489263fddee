//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
)

// maxLate is how late a firing may be without a fault. It is generous, since the
// machine may be busy with other tests; what was late, and by how much, is
// reported.
const maxLate = 3 * time.Second

// history is what happened: the commits from the servers' own logs, the runs from
// the receiver, the effects from the ledgers.
func (a *arena) history() []firecheck.Event {
	a.t.Helper()
	a.zk.Whole(a.t)
	nodes := map[int64]int{} // by session
	var commits []firecheck.Event
	for _, c := range a.zk.History(a.t) {
		for _, change := range c.Changes {
			var node int
			if id, ok := strings.CutPrefix(change.Path, zk.DefaultRoot+"/members/n"); ok && change.Ephemeral {
				if _, err := fmt.Sscanf(id, "%d.", &node); err == nil {
					nodes[c.Session] = node
				}
			}
		}
		events, err := firecheck.Commit(c.At, nodes[c.Session], c.Ops(zk.DefaultRoot))
		if err != nil {
			a.t.Errorf("transaction %x: %v", c.Zxid, err)
		}
		commits = append(commits, events...)
	}
	targets := a.receiver.all()
	for _, p := range a.payrolls {
		targets = append(targets, p.effects(a.t)...)
	}
	return firecheck.Merge(commits, targets)
}

// judge waits until all has fired, stops the hosts in order, and judges what
// happened. Then it judges the judge: each mutation of this very history must be
// found. It gives the history.
func (a *arena) judge() []firecheck.Event {
	a.t.Helper()
	a.settle()
	a.stop()
	h := a.history()
	faults := a.verdict(h)
	for i, err := range faults {
		if i == 20 {
			a.t.Errorf("and %d more", len(faults)-i)
			break
		}
		a.t.Error(err)
	}
	for _, p := range a.payrolls {
		instants := a.instants(h, p.service)
		if got := p.salary(a.t); instants == 0 || got != instants*10_000 {
			a.t.Errorf("%s: salary %d after %d instants, want %d", p.service, got, instants, instants*10_000)
		}
	}
	a.report(h)
	if a.t.Failed() {
		a.keep(h)
		return h
	}
	for _, m := range firecheck.Mutations() {
		bad, ok := m.Apply(h, a.random.IntN)
		if !ok {
			a.t.Errorf("%s: this history has no place for it", m.Name)
			continue
		}
		if err := errors.Join(a.verdict(bad)...); !errors.Is(err, m.Want) {
			a.t.Errorf("%s: the checker must find %q, and finds %v", m.Name, m.Want, err)
		}
	}
	return h
}

// instants is how many a task has that was defined once: those after its creation.
func (a *arena) instants(h []firecheck.Event, name string) int64 {
	for _, e := range h {
		if e.What == firecheck.Defined && e.Info.Name == name {
			return int64(len(firecheck.Instants(e.Info, 0, a.last.UnixMilli())))
		}
	}
	return 0
}

// stop stops the hosts in order.
func (a *arena) stop() {
	a.t.Helper()
	for _, h := range a.hosts {
		h.stop()
	}
	a.stopped = time.Now()
}

func (a *arena) verdict(h []firecheck.Event) []error {
	return firecheck.Verdict(h, firecheck.Rules{End: a.stopped, Skew: a.skew, Misfire: time.Minute, Late: maxLate, Troubles: a.troubles})
}

// report tells what happened.
func (a *arena) report(h []firecheck.Event) {
	a.t.Helper()
	records := map[string]int{}
	claims := 0
	for _, e := range h {
		if e.What != firecheck.Committed {
			records[string(e.What)]++
			continue
		}
		for i := range e.Batch.Records {
			r := &e.Batch.Records[i]
			records[strings.TrimSpace(fmt.Sprintf("%s %s%s", r.Kind, r.Outcome, r.Reason))]++
			if r.Kind == bucket.Claim {
				claims++
			}
		}
	}
	lasted := a.last.Sub(a.first)
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(records)) {
		lines = append(lines, fmt.Sprintf("%6d %s", records[what], what))
	}
	rate := float64(claims) / lasted.Seconds()
	var all, calm []time.Duration
	for _, d := range firecheck.Delays(h) {
		all = append(all, d.By)
		if !slices.ContainsFunc(a.troubles, func(t firecheck.Trouble) bool { return !d.Instant.Before(t.From) && !d.Instant.After(t.To) }) {
			calm = append(calm, d.By)
		}
	}
	slices.Sort(all)
	slices.Sort(calm)
	a.t.Logf("REPORT\n%s\nwhat was committed and what reached the targets:\n%s\nedits acknowledged: %v\n"+
		"%d firings in %s, %.0f a second; late p50 %s, p99 %s, most %s; %d without any fault near: p50 %s, p99 %s, most %s",
		strings.Join(a.log, "\n"), strings.Join(lines, "\n"), a.edited, claims, lasted, rate, part(all, 0.5), part(all, 0.99), part(all, 1),
		len(calm), part(calm, 0.5), part(calm, 0.99), part(calm, 1))
	if rate < minLoad {
		a.t.Errorf("%.0f firings a second, want %d at least", rate, minLoad)
	}
}

// keep writes a history down that broke a promise.
func (a *arena) keep(h []firecheck.Event) {
	dir := os.Getenv("BELFRY_FAULTS_KEEP")
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, "belfry-history-*.txt")
	if err != nil {
		a.t.Log(err)
		return
	}
	defer f.Close()
	for _, line := range a.log {
		fmt.Fprintln(f, "#", line)
	}
	for _, e := range h {
		fmt.Fprintln(f, e)
	}
	for i, host := range a.hosts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-n%d.log", filepath.Base(f.Name()), i+1)), []byte(host.logged()), 0o600); err != nil {
			a.t.Log(err)
		}
	}
	a.t.Logf("the history and the hosts' logs are kept: %s", f.Name())
}
