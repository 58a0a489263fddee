//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// receiver counts what arrives, by path and Idempotency-Key.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []arrival // guarded by mu
}

type arrival struct {
	method, path, key string
	body              []byte
	at                time.Time
}

// newReceiver answers as it is told: the nth request of a method and path, from 1,
// with a status; nil: 200. One that is repeated under its key has the number that it
// had before.
func newReceiver(t *testing.T, answer func(path string, n int) int) *receiver {
	t.Helper()
	return newReceiverOf(t, func(w http.ResponseWriter, q *http.Request, n int) {
		if answer != nil {
			w.WriteHeader(answer(q.URL.Path, n))
		}
	})
}

func newReceiverOf(t *testing.T, serve func(w http.ResponseWriter, q *http.Request, n int)) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		r.mu.Lock()
		this := arrival{q.Method, q.URL.Path, q.Header.Get("Idempotency-Key"), body, time.Now()}
		n, keys := 1, map[string]bool{}
		for _, a := range r.seen {
			if a.path != this.path || a.method != this.method || keys[a.key] {
				continue
			}
			if a.key != "" && a.key == this.key {
				break
			}
			keys[a.key] = a.key != ""
			n++
		}
		r.seen = append(r.seen, this)
		r.mu.Unlock()
		serve(w, q, n)
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
	eventually(t, patience, "the timer is created", func() bool {
		_, _, code := h.belfry("task", "create", "watch", "--timer", "--interval", "1s")
		return code == 0
	})
	for i, next := range []string{"two", "three", "two"} {
		h.fired("watch", 2) // what it saw is written down
		h.kill()
		mu.Lock()
		state = next
		mu.Unlock()
		h.start()
		eventually(t, patience, "a kick for "+next, func() bool { return len(r.arrived("/changed")) > i })
	}
	h.fired("watch", 2)
	if kicks := r.arrived("/changed"); len(kicks) != 3 || kicks[0].key == kicks[2].key {
		t.Errorf("%d kicks, want 3 of different keys", len(kicks))
	}
	h.stop()
}

// fired waits until a task has ended well so many times more, for instants that are
// still to come.
func (h *host) fired(name string, more int) {
	h.t.Helper()
	last := time.Now()
	eventually(h.t, patience, name+" fires", func() bool {
		v := show[taskView](h, "task", "show", name)
		if v.Last != nil && v.Last.Outcome == "OK" && v.Last.Scheduled.After(last) {
			last = v.Last.Scheduled
			more--
		}
		return more <= 0
	})
}
