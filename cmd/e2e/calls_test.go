//go:build e2e

package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
			// What arrived takes effect, though its caller may be killed meanwhile.
			pass.ServeHTTP(effect, r.WithContext(context.WithoutCancel(r.Context())))
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
	kicked  map[string]callRun // runs of the timer, by fire id; see remember
}

// instants are how often each address is called.
const instants = 18

func callsOfAll(t *testing.T, coordination string) {
	t.Helper()
	x := &examples{t: t, agent: startAgent(t), kicked: map[string]callRun{}}
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
	traps := x.define()

	x.killAt(traps["once"], "once")
	eventually(t, patience, "the run waits for its agent", func() bool { return x.last("install").Outcome == "WAITING" })
	x.agent.kill()
	x.killOwner("install")
	x.agent.start()
	x.killAt(traps["again"], "again")
	x.killAt(traps["raise"], "raise")
	eventually(t, patience, "two failures of the timer are settled", func() bool {
		failed := 0
		x.remember()
		for _, r := range x.kicked {
			if r.Outcome == "FAILED" {
				failed++
			}
		}
		return failed == 2
	})
	x.killOwner("task1") // what was learnt of two failures must survive
	x.killAt(x.counter.trap("/kick"), "task1")

	for _, name := range []string{"again", "once", "raise"} {
		eventually(t, patience, name+" has ended", func() bool {
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
		h.keepsPort()
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

// define makes the tasks, and sets a trap for the first call of each of those that
// are called again and again: one that is caught keeps until its caller is killed or
// its time is over.
func (x *examples) define() (traps map[string]<-chan struct{}) {
	h := x.hosts[0]
	eventually(x.t, patience, "the timer of the configuration is there", func() bool {
		_, _, code := h.belfry("task", "set", "task1", "--timeout", "8s")
		return code == 0
	})
	h.must("service", "add", "Pay", "--wsdl", x.counter.URL+"/services/Payroll?wsdl")
	first := shortly()
	often := []string{
		"--interval", "2s", "--count", fmt.Sprint(instants - 1), "--start", first.UTC().Format(time.RFC3339),
		"--misfire", "fire-all", "--retry", "5", "--backoff", "200ms", "--timeout", "40s",
	}
	traps = map[string]<-chan struct{}{"again": x.counter.trap("/again"), "once": x.counter.trap("/once"), "raise": x.counter.trap("/services/")}
	create := func(args ...string) { h.must(append([]string{"task", "create"}, args...)...) }
	create(append([]string{"again", "--url", x.counter.URL + "/again", "--method", "POST"}, often...)...)
	create(append([]string{"once", "--url", x.counter.URL + "/once", "--method", "POST", "--delivery", "at-most-once"}, often...)...)
	create(append([]string{"raise", "--service", "Pay", "--operation", "incrementEmployeeSalary"}, often...)...)

	at := first.Add(time.Second)
	window := first.Add(30 * time.Second).UTC()
	create("install", "--url", "http://"+x.agent.listen+"/call", "--expect", "202", "--at", at.UTC().Format(time.RFC3339), "--reply-within", "5m", "--timeout", "8s",
		"--body", fmt.Sprintf(`{"method": "install", "args": ["vim", "git"], "from": %q, "until": %q}`, window.Format(time.RFC3339), window.Add(10*time.Minute).Format(time.RFC3339)))
	create("history", "--service", "Consumers", "--operation", "addHistory", "--after", "install", "--with", "entry={{.Value}}", "--retry", "5", "--backoff", "200ms")
	create("tell", "--url", x.counter.URL+"/told", "--method", "POST", "--body", "{{.Input.what}}", "--after", "install", "--with", "what={{.Value}}", "--timeout", "8s")
	return traps
}

// killAt kills the owner of a task when its call is caught: the call was made, and
// nobody has noted how it ended.
func (x *examples) killAt(trap <-chan struct{}, name string) {
	x.t.Helper()
	select {
	case <-trap:
	case <-time.After(patience):
		x.t.Fatalf("no call of %s was caught", name)
	}
	x.killOwner(name)
}

// killOwner kills the host that fires a task, and starts it again.
func (x *examples) killOwner(name string) {
	x.t.Helper()
	node := ""
	eventually(x.t, patience, name+" has an owner", func() bool {
		node = asked[struct{ Node string }](x, "task", "show", name).Node
		return node != ""
	})
	i := int(node[1] - '1')
	x.hosts[i].kill()
	x.kills++
	x.hosts[i].start()
	x.remember()
}

// asked reads JSON that the companion prints, from whichever host answers: one that
// was killed a moment ago may be without its session.
func asked[T any](x *examples, args ...string) (v T) {
	x.t.Helper()
	eventually(x.t, patience, strings.Join(args, " ")+" is answered", func() bool {
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
