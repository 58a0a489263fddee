//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// early is how much a clock may be off that is asked again.
const early = 5 * time.Millisecond

// paidOn gives payrolls on SQLite and PostgreSQL, one by cron and one by interval
// on each, that write down when they were raised: by a trigger of the database,
// in the transaction of the raise, and so without any help of the hosts.
func paidOn(t *testing.T) []payroll {
	t.Helper()
	var payrolls []payroll
	for _, d := range []database{open(t, "sqlite", sourcetest.OpenSQLite(t)), open(t, "postgres", sourcetest.StartPostgres(t))} {
		payrolls = append(payrolls, d.another(t, "another").paid(t, "cron_"+d.name), d.paid(t, "interval_"+d.name))
	}
	return payrolls
}

func (d database) paid(t *testing.T, service string) payroll {
	t.Helper()
	p := newPayroll(t, service, d)
	statements := []string{
		`CREATE TABLE Ledger (at REAL)`,
		`CREATE TRIGGER ledger AFTER UPDATE ON Employees BEGIN INSERT INTO Ledger VALUES ((julianday('now') - 2440587.5) * 86400.0); END`,
	}
	if d.name == "postgres" {
		statements = []string{
			`CREATE TABLE Ledger (at DOUBLE PRECISION)`,
			`CREATE FUNCTION ledger() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN INSERT INTO Ledger VALUES (extract(epoch from clock_timestamp())); RETURN NULL; END'`,
			`CREATE TRIGGER ledger AFTER UPDATE ON Employees FOR EACH ROW EXECUTE FUNCTION ledger()`,
		}
	}
	for _, statement := range statements {
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return p
}

// raises gives when the salary was raised, in order.
func (p payroll) raises(t *testing.T) []time.Time {
	t.Helper()
	rows, err := p.db.QueryContext(t.Context(), `SELECT at FROM Ledger ORDER BY at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []time.Time
	for rows.Next() {
		var at float64
		if err := rows.Scan(&at); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.UnixMicro(int64(at*1e6)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// late is by how much an instant's raise came late.
type late struct {
	service string
	instant time.Time
	by      time.Duration
}

// judge holds a payroll against its schedule, which are these instants: one raise
// for each, none before it. It knows nothing of fire ids: the raises in order belong
// to the instants in order, as they must if any order fits.
func (p payroll) judge(t *testing.T, schedule []time.Time) []late {
	t.Helper()
	instants := int64(len(schedule))
	raises := p.raises(t)
	if got := p.salary(t); got != instants*10_000 || int64(len(raises)) != instants {
		t.Errorf("%s: salary %d after %d raises, want %d after %d", p.service, got, len(raises), instants*10_000, instants)
		return nil
	}
	var all []late
	for i, at := range raises {
		instant := schedule[i]
		if at.Before(instant.Add(-early)) {
			t.Errorf("%s: raised at %s, before its instant %s", p.service, at, instant)
		}
		all = append(all, late{p.service, instant, at.Sub(instant)})
	}
	return all
}

// judge waits until all tasks have ended, judges all payrolls, and gives the
// lateness of all instants.
func judge(t *testing.T, h *host, payrolls []payroll, first, last time.Time) []late {
	t.Helper()
	var all []late
	for _, p := range payrolls {
		settled(t, h, p.service)
		instants := h.scheduled(p.service, first, time.Second, int(last.Sub(first)/time.Second)+1)
		if v := show[taskView](h, "task", "show", p.service); v.Fired != int64(len(instants)) {
			t.Errorf("%s: fired %d, want %d: counts do not continue over owners", p.service, v.Fired, len(instants))
		}
		all = append(all, p.judge(t, instants)...)
	}
	by := lateness(all, first, last)
	t.Logf("%d raises for as many instants; late p50 %s, p99 %s, most %s", len(all), part(by, 0.50), part(by, 0.99), part(by, 1))
	t.Cleanup(func() {
		for _, l := range all {
			if t.Failed() && l.by > takeOver {
				t.Logf("%s at %s was late by %s", l.service, l.instant.Format(time.TimeOnly), l.by)
			}
		}
	})
	return all
}

// judgePaused holds a payroll whose task was paused against its schedule, every second
// from first to the last instant that was claimed before the pause, as it is stored.
func (p payroll) judgePaused(t *testing.T, h *host, first time.Time) {
	t.Helper()
	var instants []time.Time
	eventually(t, patience, p.service+" is paused, and what was claimed before has ended", func() bool {
		last := first
		for _, run := range show[[]callRun](h, "run", "list", "--task", p.service, "--limit", "0") {
			if run.Scheduled.After(last) {
				last = run.Scheduled
			}
		}
		instants = h.scheduled(p.service, first, time.Second, int(last.Sub(first)/time.Second)+1)
		v := show[taskView](h, "task", "show", p.service)
		return v.State == "paused" && v.Fired == int64(len(instants)) && len(p.raises(t)) >= len(instants)
	})
	during(t, 2*time.Second) // for one too many to show
	p.judge(t, instants)
	t.Logf("%s: %d instants", p.service, len(instants))
}

// scheduled are the instants of a task whose trigger was never edited, of which n were
// planned: those that were still to come when it was stored. One that a slow machine
// creates late does not fire for the others.
func (h *host) scheduled(name string, first time.Time, every time.Duration, n int) []time.Time {
	h.t.Helper()
	history := show[[]struct {
		Revision   int64 `json:"revision"`
		Definition struct {
			From time.Time `json:"from"`
		} `json:"definition"`
	}](h, "task", "history", name)
	created := history[len(history)-1]
	if created.Revision != 1 {
		h.t.Fatalf("%s: its first definition is not kept any more", name)
	}
	var instants []time.Time
	for i := range n {
		if at := first.Add(time.Duration(i) * every); at.After(created.Definition.From) {
			instants = append(instants, at)
		}
	}
	if len(instants) == 0 {
		h.t.Fatalf("%s was stored at %s, after its last instant: nothing was tested", name, created.Definition.From)
	}
	return instants
}

// settled waits until a task has ended. Meanwhile the host may be without its
// session, and then says so.
func settled(t *testing.T, h *host, name string) {
	t.Helper()
	eventually(t, patience, name+" has ended", func() bool {
		out, _, code := h.belfry("task", "show", name, "-o", "json")
		var v taskView
		return code == 0 && json.Unmarshal([]byte(out), &v) == nil && v.State == "finished"
	})
}

// lateness of the instants from one time to another, in order.
func lateness(all []late, from, to time.Time) []time.Duration {
	var by []time.Duration
	for _, l := range all {
		if !l.instant.Before(from) && !l.instant.After(to) {
			by = append(by, l.by)
		}
	}
	slices.Sort(by)
	return by
}

// steps is how many times a machine that is slow may hold up one firing: as it is
// claimed, called and written down, by hosts, servers and databases.
const steps = 8

// punctual holds that no task was late by more than most; on a busy machine, by as
// many times that as processes wait for each processor, and by what the machine held
// up whoever wanted little of it. How late tasks are on a machine that has nothing
// else to do is what `make faults` judges.
func punctual(t *testing.T, what string, by []time.Duration, most, pulse time.Duration) {
	t.Helper()
	most = time.Duration(float64(most)*crowd(t)) + steps*pulse
	if got := part(by, 1); got > most {
		t.Errorf("%s: a task was late by %s, want %s at most", what, got, most)
	}
}

// crowd is how many processes were ready for each processor in the last minute,
// and no less than one.
func crowd(t *testing.T) float64 {
	t.Helper()
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	var ready float64
	if _, err := fmt.Sscan(string(data), &ready); err != nil {
		t.Fatal(err)
	}
	return max(1, ready/float64(runtime.NumCPU()))
}

// part gives a percentile; 0 of nothing.
func part(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)].Round(time.Millisecond)
}
