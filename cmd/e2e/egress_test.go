//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/timer"
)

// order is one of POST /api/v1/orders.
type order struct {
	verb control.Verb
	task task.Info
}

// carry sends orders in one request, and gives the status of each: 0 if it was
// done.
func (p program) carry(t *testing.T, h *host, all []order) []int {
	t.Helper()
	var orders []control.Order
	for _, o := range all {
		document, err := definition.Document(o.task)
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, control.Order{Verb: o.verb, Task: document})
	}
	body, err := json.Marshal(map[string]any{"orders": orders})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url("/api/v1/orders"), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	var answer struct {
		Results []struct {
			Error *struct {
				Status int `json:"status"`
			} `json:"error"`
		} `json:"results"`
	}
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil || len(answer.Results) != len(all) {
		t.Fatalf("%d, %v: %.500s", res.StatusCode, err, text)
	}
	statuses := make([]int, len(all))
	for i, r := range answer.Results {
		if r.Error != nil {
			statuses[i] = r.Error.Status
		}
	}
	return statuses
}

// listenEverywhere counts who comes, at every address of this machine.
func listenEverywhere(t *testing.T) (port string, reached *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	reached = &atomic.Int64{}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	_ = s.Listener.Close()
	s.Listener = l
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), reached
}

// forbidden are the targets that must not be called, whatever they are written like.
func forbidden(t *testing.T, port string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "cmd/internal/egress/testdata/spellings.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "PORT", port))
		}
	}
	if len(all) < 60 {
		t.Fatalf("only %d spellings", len(all))
	}
	return all
}

// lastRun is the part of a task's view that says how it went.
type lastRun struct {
	Name string `json:"name"`
	Last *struct {
		FireID  string `json:"fire_id"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
		Error   string `json:"error"`
		Attempt int    `json:"attempt"`
	} `json:"last"`
	Failures int `json:"failures"`
}

// No way to have the host call leads to what is forbidden: http, soap and
// asynchronous tasks, redirects, kickers, what resource kickers watch, webhooks of
// alerts and WSDL documents, each with every spelling. Each is refused when it is
// defined, or its run is, once, and says so.
func TestForbiddenTargets(t *testing.T) {
	t.Parallel()
	port, reached := listenEverywhere(t)
	targets := forbidden(t, port)
	sends := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i, err := strconv.Atoi(r.URL.Query().Get("to")); err == nil {
			w.Header().Set("Location", targets[i])
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(sends.Close)

	h := newHost(t, nil)
	batch := newProgram(t, hosts{h})
	h.write("belfryd.yaml", fmt.Sprintf("auth: {users_file: users}\ntasks: {handlers: handlers.yaml}\negress: {allow: [%q]}\n", sends.Listener.Addr()))
	kicks := h.writeKickers(targets, sends.URL)
	h.start()

	orders, called := callsTo(targets, sends.URL)
	done := batch.carry(t, h, append(orders, called))
	expected := map[string]bool{}
	for i, status := range done[:len(orders)] {
		switch status {
		case 0:
			expected[orders[i].task.Name] = true
		case http.StatusBadRequest:
		default:
			t.Errorf("%s: %d", orders[i].task.Name, status)
		}
	}
	alerts := 0
	for name := range expected {
		if strings.HasPrefix(name, "http-") {
			alerts++
		}
	}
	if alerts < 60 || done[len(orders)] != 0 {
		t.Fatalf("%d http tasks could be defined, and %d", alerts, done[len(orders)])
	}
	for _, name := range kicks {
		expected[name] = true
	}
	var all []lastRun
	eventually(t, patience, "the timers of the configuration are there", func() bool {
		all = show[[]lastRun](h, "task", "list")
		return len(all) == len(expected)+1
	})
	refusedServices(t, h, targets)

	eventually(t, patience, "all have run", func() bool {
		all = show[[]lastRun](h, "task", "list")
		open := 0
		for _, v := range all {
			if v.Last == nil {
				open++
			}
		}
		return open == 0
	})
	for _, v := range all {
		switch {
		case v.Name == called.task.Name:
			if v.Last.Outcome != "OK" {
				t.Errorf("what is allowed: %+v", v.Last)
			}
		case strings.HasPrefix(v.Name, "redirected-") && !expected[strings.Replace(v.Name, "redirected", "http", 1)]:
			if v.Last.Outcome != "FAILED" { // as a redirect it makes no sense
				t.Errorf("%s: %+v", v.Name, v.Last)
			}
		case !expected[v.Name] || v.Last.Outcome != "FAILED" || v.Last.Reason != "EGRESS_REFUSED" || v.Last.Attempt != 1 || v.Failures != 1:
			t.Errorf("%s: %+v, %d failures", v.Name, v.Last, v.Failures)
		}
	}
	// Every failure was to be told by a webhook, which was refused as well.
	eventually(t, patience, "every webhook is given up", func() bool {
		_, metrics := h.get("/metrics", "text/plain")
		return strings.Contains(metrics, fmt.Sprintf("belfry_messages_total{result=\"dead\"} %d\n", alerts))
	})
	if n := reached.Load(); n != 0 {
		t.Errorf("the receiver was reached %d times", n)
	}
	t.Logf("%d spellings: %d tasks refused when defined, %d when they ran; %d webhooks refused", len(targets), len(orders)+len(kicks)-len(expected), len(expected), alerts)
	h.explainsRefusal("http-0")
	h.stop()
}

// rarely is the trigger of tasks that are to fire once: when they are created.
var rarely = task.TriggerInfo{Interval: task.Duration(24 * time.Hour), Count: -1}

// callsTo are tasks that call each target: directly, by SOAP, for a reply
// and by a redirect, with an alert to the same; and one that calls what is allowed.
func callsTo(targets []string, redirects string) (all []order, allowed order) {
	create := func(name, alert string, do task.Action, reply *task.ReplyWait) order {
		info := task.Info{
			Key: task.Key{Name: name}, Do: &do, Reply: reply, Trigger: rarely,
			Retry: task.Retry{Max: 3, Backoff: task.Duration(100 * time.Millisecond)},
		}
		if alert != "" {
			info.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{alert}}}
		}
		return order{control.VerbCreate, info}
	}
	for i, target := range targets {
		all = append(all,
			create(fmt.Sprint("http-", i), target, task.Action{HTTP: &task.HTTPCall{URL: target}}, nil),
			create(fmt.Sprint("soap-", i), "", task.Action{SOAP: &task.SOAPCall{Endpoint: target}}, nil),
			create(fmt.Sprint("async-", i), "", task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: target, Body: "{}"}}, &task.ReplyWait{}),
			create(fmt.Sprint("redirected-", i), "", task.Action{HTTP: &task.HTTPCall{URL: fmt.Sprint(redirects, "/?to=", i)}}, nil),
		)
	}
	return all, create("allowed", "", task.Action{HTTP: &task.HTTPCall{URL: redirects}}, nil)
}

// writeKickers gives the host a timer, a kicker and a resource kicker for each
// target that a handler's configuration takes, and tells the timers' names.
func (h *host) writeKickers(targets []string, allowed string) (timers []string) {
	h.t.Helper()
	var handlers, due strings.Builder
	for i, target := range targets {
		for name, members := range map[string]string{
			"kick":  fmt.Sprintf("handler: timer-kicker, receiver: %q", target),
			"watch": fmt.Sprintf("handler: resource-kicker, receiver: %q, watch: %q", allowed, target),
		} {
			name = fmt.Sprint(name, "-", i)
			handler := fmt.Sprintf("  - {name: %s, events: timer, conditions: /event/_taskName == %s, %s}\n", name, name, members)
			if _, err := timer.Parse("handlers.yaml", []byte("handlers:\n"+handler)); err != nil {
				continue // the host would not start with it
			}
			handlers.WriteString(handler)
			fmt.Fprintf(&due, "  - {name: %s, period: 24h}\n", name)
			timers = append(timers, name)
		}
	}
	h.write("handlers.yaml", "handlers:\n  - {events: start, handler: timer-service}\n"+handlers.String()+"timers:\n"+due.String())
	return timers
}

// refusedServices holds that no WSDL is read from a target, four at a time.
func refusedServices(t *testing.T, h *host, targets []string) {
	t.Helper()
	var lanes sync.WaitGroup
	for lane := range 4 {
		lanes.Go(func() {
			for i := lane; i < len(targets); i += 4 {
				_, stderr, code := h.belfry("service", "add", fmt.Sprint("remote-", i), "--wsdl", targets[i])
				if code != 2 {
					t.Errorf("service add --wsdl %s: exit %d, %s", targets[i], code, stderr)
				}
			}
		})
	}
	lanes.Wait()
	if out := h.must("service", "list", "-o", "name"); strings.Contains(out, "remote-") {
		t.Errorf("services were added:\n%s", out)
	}
}

// explainsRefusal holds that a person is told what was refused, and that it is
// not tried again.
func (h *host) explainsRefusal(name string) {
	h.t.Helper()
	runs := show[[]asyncRun](h, "run", "list", "--task", name)
	if len(runs) != 1 {
		h.t.Fatalf("%d runs of %s", len(runs), name)
	}
	if out := h.must("run", "show", runs[0].FireID); !strings.Contains(out, "EGRESS_REFUSED") || !strings.Contains(out, "egress.allow can allow it") {
		h.t.Errorf("run show:\n%s", out)
	}
	if out, _, _ := h.belfry("explain", "task", name); !strings.Contains(out, "EGRESS_REFUSED") {
		h.t.Errorf("explain:\n%s", out)
	}
}
