//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// callRun is an attempt as run list tells it.
type callRun struct {
	FireID    string    `json:"fire_id"`
	Scheduled time.Time `json:"scheduled"`
	Outcome   string    `json:"outcome"`
	Reason    string    `json:"reason"`
	Value     string    `json:"value"`
	Attempt   int       `json:"attempt"`
	Skips     int       `json:"skips"` // instants that a skip stands for
}

// runs gives the last attempt at each firing of a task, the newest first.
func (x *examples) runs(name string) []callRun {
	x.t.Helper()
	var all []callRun
	seen := map[string]bool{}
	for _, r := range asked[[]callRun](x, "run", "list", "--task", name, "--limit", "0") {
		if !seen[r.FireID] {
			all = append(all, r)
		}
		seen[r.FireID] = true
	}
	return all
}

func (x *examples) last(name string) callRun {
	x.t.Helper()
	if all := x.runs(name); len(all) > 0 {
		return all[0]
	}
	return callRun{}
}

// remember looks at the runs of the timer, of which hosts keep the last alone.
func (x *examples) remember() {
	x.t.Helper()
	for _, r := range x.runs("task1") {
		x.kicked[r.FireID] = r
	}
}

// posts counts what arrived at a path, and below it, by key.
func (x *examples) posts(path string) (by map[string]int, all int) {
	by = map[string]int{}
	x.counter.receiver.mu.Lock()
	defer x.counter.receiver.mu.Unlock()
	for _, a := range x.counter.seen {
		if a.method == http.MethodPost && strings.HasPrefix(a.path, path) {
			by[a.key]++
			all++
		}
	}
	return by, all
}

// judgeCalls holds that each instant was decided once, reached its receiver as
// often as it was attempted, and that whoever must not be called twice was not:
// what nobody knows is told.
func (x *examples) judgeCalls() {
	for _, c := range []struct{ name, path string }{{"again", "/again"}, {"once", "/once"}, {"raise", "/services/"}} {
		by, all := x.posts(c.path)
		runs := x.runs(c.name)
		unknown, repeats := 0, 0
		for _, r := range runs {
			n := by[r.FireID]
			repeats += max(0, n-1)
			switch {
			case c.name != "once" && (r.Outcome != "OK" || n < 1 || n > r.Attempt):
				x.t.Errorf("%s: %+v arrived %d times", c.name, r, n)
			case c.name == "once" && (n > 1 || r.Outcome == "OK" && n != 1 || r.Outcome != "OK" && r.Outcome != "UNKNOWN"):
				x.t.Errorf("%s: %+v arrived %d times", c.name, r, n)
			}
			if r.Outcome == "UNKNOWN" {
				unknown++
			}
		}
		v := asked[taskView](x, "task", "show", c.name)
		if len(runs) != instants || v.Fired != instants || len(by) > instants || all != len(by)+repeats {
			x.t.Errorf("%s: %d firings, %d fired, %d keys in %d arrivals; want %d", c.name, len(runs), v.Fired, len(by), all, instants)
		}
		told := len(asked[[]callRun](x, "run", "list", "--task", c.name, "--outcome", "unknown"))
		if told != unknown || (unknown > 0) != (c.name == "once") || (repeats > 0) == (c.name == "once") {
			x.t.Errorf("%s: %d unknown, of which %d are told; %d repeats", c.name, unknown, told, repeats)
		}
		x.t.Logf("%s: %d instants, %d arrivals, %d unknown", c.name, instants, all, unknown)
	}
	_, all := x.posts("/services/")
	if raises := len(x.payroll.raises(x.t)); raises != all || x.payroll.salary(x.t) != int64(all)*10_000 {
		x.t.Errorf("%d raises to %d, after %d calls", raises, x.payroll.salary(x.t), all)
	}
}

// judgeInstallation holds that the packages were installed once, and that the
// consumer's history has one entry of it.
func (x *examples) judgeInstallation() {
	const value = `{"installed":["vim","git"]}`
	eventually(x.t, patience, "the consumer is told", func() bool {
		_, all := x.posts("/told")
		return all > 0 && x.last("history").Outcome == "OK" && x.last("tell").Outcome == "OK"
	})
	if r := x.runs("install"); len(r) != 1 || r[0].Outcome != "OK" || r[0].Value != value {
		x.t.Errorf("install: %+v", r)
	}
	files, err := filepath.Glob(filepath.Join(x.agent.dir, "installed", "*"))
	if err != nil || len(files) != 1 {
		x.t.Fatalf("installed: %v, %v", files, err)
	}
	if text, err := os.ReadFile(files[0]); err != nil || string(text) != "vim\ngit\n" {
		x.t.Errorf("%q, %v", text, err)
	}
	var entries int
	var entry string
	if err := x.history.QueryRowContext(x.t.Context(), `SELECT count(*), min(entry) FROM History`).Scan(&entries, &entry); err != nil || entries != 1 || entry != value {
		x.t.Errorf("%d entries, %s, %v", entries, entry, err)
	}
	by, all := x.posts("/told")
	told := x.runs("tell")
	if len(told) != 1 || len(by) != 1 || all > told[0].Attempt || string(x.counter.arrived("/told")[0].body) != value {
		x.t.Errorf("told %d times under %d keys: %+v", all, len(by), told)
	}
}

// judgeKicks holds that each instant of the timer was kicked or is recorded as
// delayed, that the delay grew with the failures, and that only what was caught as its
// caller died was kicked twice, under the same key.
func (x *examples) judgeKicks() {
	eventually(x.t, patience, "eight kicks", func() bool { return len(x.counter.arrived("/kick")) >= 8 })
	x.hosts[0].must("task", "pause", "task1")
	eventually(x.t, patience, "the last kick is settled", func() bool { return x.last("task1").Outcome == "OK" })
	kicks := x.counter.arrived("/kick")
	x.remember()
	runs := slices.SortedFunc(maps.Values(x.kicked), func(a, b callRun) int { return a.Scheduled.Compare(b.Scheduled) })
	for i, r := range runs {
		if i == 0 {
			continue
		}
		decided := runs[i-1].Scheduled.Add(time.Duration(max(0, runs[i-1].Skips-1)) * 5 * time.Second)
		if !r.Scheduled.Equal(decided.Add(5 * time.Second)) {
			x.t.Errorf("between %s and %s nothing is recorded", decided, r.Scheduled)
		}
	}
	var before arrival
	var instant time.Time
	times := map[string]int{}
	for _, k := range kicks {
		i := len(times)
		fire, handler, _ := strings.Cut(k.key, "/")
		var body struct {
			Name      string         `json:"name"`
			Resource  string         `json:"resource"`
			Data      map[string]any `json:"data"`
			Scheduled time.Time      `json:"scheduled"`
		}
		if err := json.Unmarshal(k.body, &body); err != nil || body.Name != "task1" || body.Resource != "testFile" || body.Data["file"] != "testFile" || handler == "" {
			x.t.Errorf("kick %d: %s, %v", i+1, k.body, err)
		}
		r := x.kicked[fire]
		if times[fire]++; times[fire] > r.Attempt {
			x.t.Errorf("kick %d: %+v was kicked %d times", i+1, r, times[fire])
		}
		if times[fire] > 1 {
			continue
		}
		want := "OK"
		if i == 1 || i == 2 {
			want = "FAILED"
		}
		if r.Outcome != want {
			x.t.Errorf("kick %d: %+v, want %s", i+1, r, want)
		}
		if i > 0 {
			x.judgeDelay(i, body.Scheduled, instant, k.at.Sub(before.at))
		}
		before, instant = k, body.Scheduled
	}
	// One was caught; any other kill may have come between a call and its record too.
	if repeats := len(kicks) - len(times); repeats < 1 || repeats > x.kills {
		x.t.Errorf("%d kicks of %d instants, after %d kills", len(kicks), len(times), x.kills)
	}
	if n := len(x.counter.arrived("/other")); n != 0 {
		x.t.Errorf("the handler of another task was called %d times", n)
	}
}

// judgeDelay holds that a kick is of a later instant than the one before, and came
// after the delay that the failures before it make, and not much later.
func (x *examples) judgeDelay(i int, scheduled, before time.Time, after time.Duration) {
	delay := map[int]time.Duration{2: 8 * time.Second, 3: 16 * time.Second}[i]
	if !scheduled.After(before) || scheduled.Sub(before)%(5*time.Second) != 0 || after < delay || after > delay+patience {
		x.t.Errorf("kick %d is of %s, the one before of %s; it came %s after it, which is to be %s", i+1, scheduled, before, after, delay)
	}
}
