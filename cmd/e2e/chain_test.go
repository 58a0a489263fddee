//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// A task follows another, and a third follows when both have ended, while hosts
// are killed: each end is followed once.
func TestChainsSurviveKillMinus9(t *testing.T) {
	t.Parallel()
	const lasts = 40 * time.Second
	random := seeded(t)
	d := open(t, "postgres", sourcetest.StartPostgres(t))
	first, second, third := d.another(t, "first").paid(t, "first"), d.another(t, "second").paid(t, "second"), d.paid(t, "third")
	payrolls := []payroll{first, second, third}
	hs := newCluster(t, startZooKeeper(t, 1), payrolls)
	hs.start()
	start := shortly()
	last := start.Add(lasts)
	schedule(hs[0], payrolls[:1], start, last)
	follow := func(p payroll, args ...string) {
		hs[0].must(append([]string{
			"task", "create", p.service, "--service", p.service, "--operation", "incrementEmployeeSalary",
			"--retry", "20", "--backoff", "200ms", "--timeout", "20s", "--overlap", "queue",
		}, args...)...)
	}
	follow(second, "--after", "first")
	follow(third, "--after", "first,second", "--all")
	during(t, time.Until(start))
	kills := 0
	for time.Now().Before(last) {
		h := hs[random.IntN(len(hs))]
		h.kill()
		kills++
		during(t, time.Duration(random.IntN(1000))*time.Millisecond)
		h.start()
		during(t, time.Duration(500+random.IntN(3000))*time.Millisecond)
	}
	instants := len(judge(t, hs[0], payrolls[:1], start, last))
	if t.Failed() {
		return
	}
	for _, p := range payrolls[1:] {
		eventually(t, patience, p.service+" has followed every end", func() bool { return len(p.raises(t)) >= instants || p.service == "third" })
	}
	during(t, 5*time.Second) // for one too many to show
	if n := len(second.raises(t)); n != instants {
		t.Errorf("second ran %d times after %d ends of first", n, instants)
	}
	// It waits for an end of each: how often that is the case depends on their order.
	if n := len(third.raises(t)); n == 0 || n > instants {
		t.Errorf("third ran %d times after %d ends of each of the others", n, instants)
	}
	t.Logf("%d kills, %d ends, third ran %d times", kills, instants, len(third.raises(t)))
	hs.stop()
}
