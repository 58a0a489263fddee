//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver counts what arrives, by path and Idempotency-Key, and answers as it
// is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	seen   []arrival                             // guarded by mu
	answer func(path string, n int) (status int) // of the nth request of a path, from 1; nil: 200
}

type arrival struct {
	path, key string
	body      []byte
	at        time.Time
}

func newReceiver(t *testing.T, answer func(path string, n int) int) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.seen = append(r.seen, arrival{q.URL.Path, q.Header.Get("Idempotency-Key"), body, time.Now()})
		n := 0
		for _, a := range r.seen {
			if a.path == q.URL.Path {
				n++
			}
		}
		r.mu.Unlock()
		if r.answer != nil {
			w.WriteHeader(r.answer(q.URL.Path, n))
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) arrived(path string) []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	var of []arrival
	for _, a := range r.seen {
		if a.path == path {
			of = append(of, a)
		}
	}
	return of
}

// The example of the original's timer service, as its documentation has it:
// task1 with period 5, testFile, and a receiver that counts kicks. It fails
// twice and then recovers: the delay grows and is reset. The host is killed in
// the midst of it, and goes on with what it remembers.
func TestTimerKicksTwiceInVain(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, func(_ string, n int) int {
		if n == 2 || n == 3 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	h := newHost(t, nil, "--config", "belfryd.yaml", "--handlers", "handlers.yaml")
	h.write("belfryd.yaml", "egress: {allow: [loopback]}\n")
	h.write("handlers.yaml", fmt.Sprintf(`
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
`, r.URL, r.URL))
	h.start()
	eventually(t, 40*time.Second, "two failures are settled", func() bool {
		out, _, _ := h.belfry("run", "list", "--task", "task1", "-o", "json") // at first there is no such task
		return strings.Count(out, `"FAILED"`) == 2
	})
	h.kill() // what was learnt of two failures must survive
	h.start()
	eventually(t, time.Minute, "six kicks", func() bool { return len(r.arrived("/kick")) >= 6 })
	kicks := r.arrived("/kick")
	keys := map[string]bool{}
	for i, k := range kicks {
		var body struct {
			Name     string         `json:"name"`
			Resource string         `json:"resource"`
			Data     map[string]any `json:"data"`
		}
		if err := json.Unmarshal(k.body, &body); err != nil || body.Name != "task1" || body.Resource != "testFile" || body.Data["file"] != "testFile" {
			t.Errorf("kick %d: %s, %v", i, k.body, err)
		}
		if keys[k.key] {
			t.Errorf("two kicks have the key %s", k.key)
		}
		keys[k.key] = true
	}
	for i, want := range []float64{5, 10, 20, 5, 5} {
		if got := kicks[i+1].at.Sub(kicks[i].at).Seconds(); got < want-1 || got > want+2.5 {
			t.Errorf("kick %d came %.1f s after the one before, want %.0f", i+2, got, want)
		}
	}
	if n := len(r.arrived("/other")); n != 0 {
		t.Errorf("the handler of another task was called %d times", n)
	}
	out := h.must("run", "list", "--task", "task1", "-o", "json")
	if n := strings.Count(out, `"BACKOFF"`); n != 4 {
		t.Errorf("%d instants are recorded as delayed, want 4 (one, then three)\n%s", n, out)
	}
	h.stop()
}

// What a resource kicker saw survives a kill: only changes are told.
func TestResourceKickerRemembers(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	var mu sync.Mutex
	state := "one"
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprint(w, state)
	}))
	t.Cleanup(files.Close)
	h := newHost(t, nil, "--config", "belfryd.yaml", "--handlers", "handlers.yaml")
	h.write("belfryd.yaml", "egress: {allow: [loopback]}\n")
	h.write("handlers.yaml", fmt.Sprintf(`
handlers:
  - {events: start, handler: timer-service}
  - {events: timer, handler: resource-kicker, receiver: "%s/changed", watch: "%s/testFile", resource: testFile}
`, r.URL, files.URL))
	h.start()
	// A timer by command; the timer service may take a moment to be published.
	eventually(t, 10*time.Second, "the timer is created", func() bool {
		_, _, code := h.belfry("task", "create", "watch", "--timer", "--interval", "1s")
		return code == 0
	})
	for i, next := range []string{"two", "three", "two"} {
		h.fired("watch", 2)
		h.kill()
		mu.Lock()
		state = next
		mu.Unlock()
		h.start()
		eventually(t, 20*time.Second, "a kick for "+next, func() bool { return len(r.arrived("/changed")) > i })
	}
	h.fired("watch", 2)
	if kicks := r.arrived("/changed"); len(kicks) != 3 || kicks[0].key == kicks[2].key {
		t.Errorf("%d kicks, want 3 of different keys", len(kicks))
	}
	h.stop()
}

// fired waits until a task has fired so many times more.
func (h *host) fired(name string, more int64) {
	h.t.Helper()
	var from int64 = -1
	eventually(h.t, 30*time.Second, name+" fires", func() bool {
		v := show[taskView](h, "task", "show", name)
		if from < 0 {
			from = v.Fired
		}
		return v.Fired >= from+more
	})
}
