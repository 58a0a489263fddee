//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// While hosts are killed, a calendar is opened. What was deferred runs then, once
// for each instant and none before; of what is skipped outside, each instant is
// decided once.
func TestCalendarsSurviveKillMinus9(t *testing.T) {
	t.Parallel()
	const lasts, planned, every = 14 * time.Second, 20, 700 * time.Millisecond
	random := seeded(t)
	d := open(t, "postgres", sourcetest.StartPostgres(t))
	deferred, skipped := d.another(t, "deferred").paid(t, "deferred"), d.paid(t, "skipped")
	hs := newCluster(t, startZooKeeper(t, 1), []payroll{deferred, skipped})
	hs.start()
	hs[0].must("calendar", "set", "gate", "--date", "2001-01-01")
	start := shortly()
	last := start.Add(lasts)
	for _, c := range []struct {
		p       payroll
		outside string
	}{{deferred, "defer"}, {skipped, "skip"}} {
		hs[0].must("task", "create", c.p.service, "--service", c.p.service, "--operation", "incrementEmployeeSalary",
			"--interval", every.String(), "--count", fmt.Sprint(planned-1), "--start", start.Format(time.RFC3339Nano),
			"--allow", "gate", "--outside", c.outside, "--overlap", "queue", "--misfire", "fire-all",
			"--retry", "20", "--backoff", "200ms", "--timeout", "20s")
	}
	during(t, time.Until(start))
	opening := start.Add(lasts / 2)
	var opened time.Time
	openGate := func(h *host) {
		opened = time.Now()
		h.must("calendar", "set", "gate", "--date", "", "--weekly", "mon-sun")
	}
	kills := 0
	for time.Now().Before(last) {
		h := hs[random.IntN(len(hs))]
		h.kill()
		kills++
		during(t, time.Duration(random.IntN(800))*time.Millisecond)
		h.start()
		if opened.IsZero() && time.Now().After(opening) {
			openGate(h)
		}
		during(t, time.Duration(random.IntN(1500))*time.Millisecond)
	}
	if opened.IsZero() { // the hosts took long to start
		openGate(hs[0])
	}
	type counts struct {
		Fired   int    `json:"fired"`
		Skipped int    `json:"skipped"`
		State   string `json:"state"`
	}
	instants := func(p payroll) int { return len(hs[0].scheduled(p.service, start, every, planned)) }
	stand := func(p payroll) counts { return show[counts](hs[0], "task", "show", p.service) }
	for _, p := range []payroll{deferred, skipped} {
		instants := instants(p)
		eventually(t, patience, p.service+" is at its end", func() bool {
			c := stand(p)
			return c.State == "finished" && c.Fired+c.Skipped == instants && len(p.raises(t)) == c.Fired
		})
	}
	during(t, 3*time.Second) // for one too many to show
	raises := deferred.raises(t)
	if c, want := stand(deferred), instants(deferred); len(raises) != want || c.Fired != want {
		t.Errorf("deferred: %d raises for %d instants, %+v", len(raises), want, c)
	}
	if len(raises) > 0 && raises[0].Before(opened) {
		t.Errorf("deferred: raised %s before the calendar was opened", opened.Sub(raises[0]))
	}
	c, n, want := stand(skipped), len(skipped.raises(t)), instants(skipped)
	if n != c.Fired || c.Fired+c.Skipped != want || c.Skipped == 0 {
		t.Errorf("skipped: %d raises, %+v, of %d instants", n, c, want)
	}
	t.Logf("%d kills; %d deferred; %d fired and %d skipped", kills, len(raises), c.Fired, c.Skipped)
	hs.stop()
}
