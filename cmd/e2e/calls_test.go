//go:build e2e

package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// counter is what tasks call: it counts what arrives by path and key, and
// remembers it whatever becomes of the caller. The answer to a call that is
// trapped never comes: its caller is killed between the call and the record of
// it.
type counter struct {
	*receiver
	mu    sync.Mutex
	traps map[string]chan struct{} // by path; closed when a call is caught; guarded by mu
}

// caught tells whether a request is caught in a trap.
func (c *counter) caught(r *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := r.URL.Path
	if strings.HasPrefix(path, "/services/") {
		path = "/services/" // whatever the endpoint is called
	}
	trap := c.traps[path]
	delete(c.traps, path)
	if trap == nil {
		return false
	}
	close(trap)
	return true
}

// trap sets one for the next POST to a path.
func (c *counter) trap(path string) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	trap := make(chan struct{})
	c.traps[path] = trap
	return trap
}

// newCounter answers as it is told, and passes what comes below /services on to
// another host, whose WSDL then names this address.
func newCounter(t *testing.T, answer func(path string, n int) int, services string) *counter {
	t.Helper()
	c := &counter{traps: map[string]chan struct{}{}}
	there, err := url.Parse(services)
	if err != nil {
		t.Fatal(err)
	}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(there)
		r.Out.Host = r.In.Host
	}}
	c.receiver = newReceiverOf(t, func(w http.ResponseWriter, r *http.Request, n int) {
		var status int
		var answered []byte
		if strings.HasPrefix(r.URL.Path, "/services/") {
			effect := httptest.NewRecorder()
			pass.ServeHTTP(effect, r)
			w.Header().Set("Content-Type", effect.Header().Get("Content-Type"))
			status, answered = effect.Code, effect.Body.Bytes()
		} else {
			status = answer(r.URL.Path, n)
		}
		if r.Method == http.MethodPost && c.caught(r) {
			<-r.Context().Done() // the caller is dead
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write(answered)
	})
	return c
}

// consumers is a data service that keeps a history.
const consumers = `<data name="Consumers">
   <config id="default">
      <property name="driverClassName">com.mysql.jdbc.Driver</property>
      <property name="url">jdbc:mysql://localhost:3306/consumers</property>
   </config>
   <query id="add" useConfig="default"><sql>INSERT INTO History VALUES (:entry)</sql><param name="entry" sqlType="STRING"/></query>
   <operation name="addHistory"><call-query href="add"><with-param name="entry" query-param="entry"/></call-query></operation>
</data>`

// handlersOf is the example of the original's timer service, as its documentation
// has it: task1 with period 5, testFile, and a receiver that counts kicks.
func handlersOf(receiver string) string {
	return fmt.Sprintf(`
handlers:
  - {events: start, handler: timer-service}
  - events: timer
    conditions: /event/_taskName =~ task1
    handler: timer-kicker
    receiver: %s/kick
    resource: testFile
  - {name: others, events: timer, conditions: /event/_taskName =~ task2, handler: timer-kicker, receiver: %s/other}
timers:
  - {name: task1, period: 5, data: {file: testFile}, on_failure: {delay: 8s, max: 1m}}
`, receiver, receiver)
}

// The examples of the systems whose work Belfry also does, alone and on three
// hosts, while whoever makes a call is killed before it can note the answer:
//
//   - an address that is called every other second, at least and at most once;
//   - a service known only by its WSDL, which raises a salary;
//   - a timer, and a receiver that fails twice and then recovers;
//   - "install these packages at noon next Tuesday", the consumer's history
//     written after it, and the consumer told.
func TestCallsSurviveKillMinus9(t *testing.T) {
	t.Parallel()
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		callsOfAll(t, "")
	})
	t.Run("three hosts", func(t *testing.T) {
		t.Parallel()
		callsOfAll(t, coordination(t, startZooKeeper(t, 1)))
	})
}

// examples are the hosts of such a test, and what they call.
type examples struct {
	t       *testing.T
	hosts   hosts
	counter *counter
	payroll payroll // raised by the service of the other host
	agent   *agentProcess
	history *sql.DB
	kills   int
}

// instants are how often each address is called.
const instants = 18

func callsOfAll(t *testing.T, coordination string) {
	t.Helper()
	x := &examples{t: t, agent: startAgent(t)}
	x.payroll = open(t, "sqlite", sourcetest.OpenSQLite(t)).paid(t, "Payroll")
	theirs := newHost(t, map[string]string{"payroll.dbs": x.payroll.descriptor(t)}, x.payroll.mapping()...)
	theirs.start()
	x.counter = newCounter(t, func(path string, n int) int {
		if path == "/kick" && (n == 2 || n == 3) {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}, theirs.url(""))
	x.startHosts(coordination)
	t.Cleanup(x.tell)
	x.define()

	eventually(t, time.Minute, "the run waits for its agent", func() bool { return x.last("install").Outcome == "WAITING" })
	x.agent.kill()
	x.killOwner("install")
	x.agent.start()
	x.killAt("/again", "again")
	x.killAt("/once", "once")
	x.killAt("/services/", "raise")
	eventually(t, time.Minute, "two failures of the timer are settled", func() bool {
		failed := 0
		for _, r := range x.runs("task1") {
			if r.Outcome == "FAILED" {
				failed++
			}
		}
		return failed == 2
	})
	x.killOwner("task1") // what was learnt of two failures must survive
	x.killAt("/kick", "task1")

	for _, name := range []string{"again", "once", "raise"} {
		eventually(t, time.Minute, name+" has ended", func() bool {
			v := asked[taskView](x, "task", "show", name)
			return v.Next == nil && (v.State == "finished" || v.State == "failed")
		})
	}
	x.judgeCalls()
	x.judgeInstallation()
	x.judgeKicks()
	t.Logf("%d kills", x.kills)
	x.hosts.stop()
	theirs.stop()
}

func (x *examples) startHosts(coordination string) {
	x.t.Helper()
	d := open(x.t, "sqlite", sourcetest.OpenSQLite(x.t))
	x.history = d.db
	if _, err := d.db.ExecContext(x.t.Context(), `CREATE TABLE History (entry VARCHAR(100))`); err != nil {
		x.t.Fatal(err)
	}
	names := []string{"n1"}
	args := []string{"--config", "belfryd.yaml", "--map-datasource", "jdbc:mysql:*/consumers=" + d.url}
	if coordination != "" {
		names = []string{"n1", "n2", "n3"}
		args = append(args, "--coordination", coordination, "-Dtask.server.count=3")
	}
	for _, name := range names {
		h := newHost(x.t, map[string]string{"consumers.dbs": consumers}, append(args, "--node", name)...)
		h.write("belfryd.yaml", "egress: {allow: [loopback]}\ntasks: {handlers: handlers.yaml}\n")
		h.write("handlers.yaml", handlersOf(x.counter.URL))
		x.hosts = append(x.hosts, h)
	}
	startTogether(x.hosts)
}

// tell says how the tasks stand, if the test has failed.
func (x *examples) tell() {
	if !x.t.Failed() {
		return
	}
	for _, name := range []string{"again", "once", "raise", "install", "history", "tell", "task1"} {
		for _, args := range [][]string{{"explain", "task", name}, {"run", "list", "--task", name}} {
			out, errs, _ := x.hosts[0].belfry(args...)
			x.t.Logf("belfry %s\n%s%s", strings.Join(args, " "), out, errs)
		}
	}
}

// define makes the tasks.
func (x *examples) define() {
	h := x.hosts[0]
	eventually(x.t, 20*time.Second, "the timer of the configuration is there", func() bool {
		_, _, code := h.belfry("task", "set", "task1", "--timeout", "8s")
		return code == 0
	})
	h.must("service", "add", "Pay", "--wsdl", x.counter.URL+"/services/Payroll?wsdl")
	first := shortly()
	often := []string{
		"--interval", "2s", "--count", fmt.Sprint(instants - 1), "--start", first.UTC().Format(time.RFC3339),
		"--misfire", "fire-all", "--retry", "5", "--backoff", "200ms", "--timeout", "8s",
	}
	create := func(args ...string) { h.must(append([]string{"task", "create"}, args...)...) }
	create(append([]string{"again", "--url", x.counter.URL + "/again", "--method", "POST"}, often...)...)
	create(append([]string{"once", "--url", x.counter.URL + "/once", "--method", "POST", "--delivery", "at-most-once"}, often...)...)
	create(append([]string{"raise", "--service", "Pay", "--operation", "incrementEmployeeSalary"}, often...)...)

	at := first.Add(time.Second)
	window := first.Add(instants * time.Second).UTC()
	create("install", "--url", "http://"+x.agent.listen+"/call", "--expect", "202", "--at", at.UTC().Format(time.RFC3339), "--reply-within", "5m", "--timeout", "8s",
		"--body", fmt.Sprintf(`{"method": "install", "args": ["vim", "git"], "from": %q, "until": %q}`, window.Format(time.RFC3339), window.Add(10*time.Minute).Format(time.RFC3339)))
	create("history", "--service", "Consumers", "--operation", "addHistory", "--after", "install", "--with", "entry={{.Value}}", "--retry", "5", "--backoff", "200ms")
	create("tell", "--url", x.counter.URL+"/told", "--method", "POST", "--body", "{{.Input.what}}", "--after", "install", "--with", "what={{.Value}}", "--timeout", "8s")
}

// killAt kills the owner of a task when it calls next: the call was made, and
// nobody has noted how it ended.
func (x *examples) killAt(path, name string) {
	x.t.Helper()
	select {
	case <-x.counter.trap(path):
	case <-time.After(time.Minute):
		x.t.Fatalf("no call of %s was caught", name)
	}
	x.killOwner(name)
}

// killOwner kills the host that fires a task, and starts it again.
func (x *examples) killOwner(name string) {
	x.t.Helper()
	node := ""
	eventually(x.t, 30*time.Second, name+" has an owner", func() bool {
		node = asked[struct{ Node string }](x, "task", "show", name).Node
		return node != ""
	})
	i := int(node[1] - '1')
	x.hosts[i].kill()
	x.kills++
	x.hosts[i].again()
}

// asked reads JSON that the companion prints, from whichever host answers: one that
// was killed a moment ago may be without its session.
func asked[T any](x *examples, args ...string) (v T) {
	x.t.Helper()
	eventually(x.t, 30*time.Second, strings.Join(args, " ")+" is answered", func() bool {
		for _, h := range x.hosts {
			out, _, code := h.belfry(append(args, "-o", "json")...)
			if code == 0 && json.Unmarshal([]byte(out), &v) == nil {
				return true
			}
		}
		return false
	})
	return v
}

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
	eventually(x.t, time.Minute, "the consumer is told", func() bool {
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
// delayed, that the delay grew with the failures and was reset, and that only what
// was caught was kicked twice, under the same key.
func (x *examples) judgeKicks() {
	eventually(x.t, time.Minute, "eight kicks", func() bool { return len(x.counter.arrived("/kick")) >= 8 })
	x.hosts[0].must("task", "pause", "task1")
	eventually(x.t, 20*time.Second, "the last kick is settled", func() bool { return x.last("task1").Outcome == "OK" })
	kicks := x.counter.arrived("/kick")
	runs := x.runs("task1")
	slices.SortFunc(runs, func(a, b callRun) int { return a.Scheduled.Compare(b.Scheduled) })
	ended := map[string]callRun{}
	for i, r := range runs {
		ended[r.FireID] = r
		if i == 0 {
			continue
		}
		decided := runs[i-1].Scheduled.Add(time.Duration(max(0, runs[i-1].Skips-1)) * 5 * time.Second)
		if !r.Scheduled.Equal(decided.Add(5 * time.Second)) {
			x.t.Errorf("between %s and %s nothing is recorded", decided, r.Scheduled)
		}
	}
	var before time.Time
	times := map[string]int{}
	for i, k := range kicks {
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
		r := ended[fire]
		if times[fire]++; times[fire] > r.Attempt {
			x.t.Errorf("kick %d: %+v was kicked %d times", i+1, r, times[fire])
		}
		if want := "OK"; i == 1 || i == 2 {
			want = "FAILED"
			if r.Outcome != want {
				x.t.Errorf("kick %d: %+v, want %s", i+1, r, want)
			}
		} else if r.Outcome != want {
			x.t.Errorf("kick %d: %+v, want %s", i+1, r, want)
		}
		if times[fire] == 1 && i > 0 {
			x.judgeDelay(i, body.Scheduled, before, k.at.Sub(kicks[i-1].at))
		}
		before = body.Scheduled
	}
	if len(times) != len(kicks)-1 {
		x.t.Errorf("%d kicks of %d instants, want one repeated", len(kicks), len(times))
	}
	if n := len(x.counter.arrived("/other")); n != 0 {
		x.t.Errorf("the handler of another task was called %d times", n)
	}
}

// judgeDelay holds that a kick is of a later instant than the one before, and came
// after the delay that the failures before it make, and no longer than that needs.
func (x *examples) judgeDelay(i int, scheduled, before time.Time, after time.Duration) {
	delay := map[int]time.Duration{2: 8 * time.Second, 3: 16 * time.Second}[i]
	if !scheduled.After(before) || scheduled.Sub(before)%(5*time.Second) != 0 || after < delay || after > delay+40*time.Second {
		x.t.Errorf("kick %d is of %s, the one before of %s; it came %s after it, which is to be %s", i+1, scheduled, before, after, delay)
	}
}
