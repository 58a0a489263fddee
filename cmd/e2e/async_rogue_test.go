//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// The fates of a call that the rogue agent was sent, by the last digit of the
// second at which it was scheduled and its task.
const (
	replyOnce = iota
	replyException
	replyTwice
	replyContradict
	replyForged
	replyLost
	replyLate
	fates
)

// maxWait is how many seconds an agent's work takes at most: long enough for hosts
// to die meanwhile.
const maxWait = 12

// rogue is an agent that does everything that one must not.
type rogue struct {
	t      *testing.T
	server *httptest.Server
	work   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	seen     map[string]int
	fate     map[string]int
	by       map[string]time.Time // the last deadline: a call that is made again has a later one
	told     map[string]int       // what a host first answered to a reply that was no forgery
	statuses map[string]int       // "<fate> <status>" of replies
}

func newRogue(t *testing.T) *rogue {
	t.Helper()
	r := &rogue{t: t, seen: map[string]int{}, fate: map[string]int{}, by: map[string]time.Time{}, told: map[string]int{}, statuses: map[string]int{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() { r.server.Close(); r.work.Wait() })
	return r
}

func (r *rogue) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	id := request.Header.Get("Belfry-Correlation-Id")
	by, err := time.Parse(time.RFC3339, request.Header.Get("Belfry-Reply-By"))
	if err != nil || id == "" {
		r.t.Errorf("call %q by %q", id, request.Header.Get("Belfry-Reply-By"))
	}
	r.mu.Lock()
	r.seen[id]++
	r.by[id] = by
	wait := time.Duration(len(r.fate)%maxWait) * time.Second
	n, again := r.fate[id]
	if !again {
		n = len(r.fate) % fates
		r.fate[id] = n
	}
	first := r.seen[id] == 1
	r.mu.Unlock()
	if first {
		token, to := request.Header.Get("Belfry-Reply-Token"), strings.Split(request.Header.Get("Belfry-Reply-To"), ", ")
		r.work.Go(func() { r.play(n, id, token, to, wait) }) // ends soon after the deadline
	}
	w.WriteHeader(http.StatusAccepted)
}

// played waits until so many runs were called and replied to, the late replies
// included.
func (r *rogue) played(runs int) {
	r.t.Helper()
	eventually(r.t, patience, "every run was called", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.fate) == runs
	})
	r.work.Wait()
}

// play replies as fate has it.
func (r *rogue) play(fate int, id, token string, to []string, wait time.Duration) {
	good := fmt.Sprintf(`{"value": %q}`, "of "+id)
	switch fate {
	case replyLost:
		return
	case replyLate:
		for wait = r.late(id); wait > 0; wait = r.late(id) {
			during(r.t, wait)
		}
	}
	during(r.t, wait)
	if fate == replyForged {
		r.reply(fate, to, "AAAA"+token[4:], `{"exception": "forged"}`)
	}
	if fate == replyException {
		good = `{"exception": "no space"}`
	}
	status := r.reply(fate, to, token, good)
	r.mu.Lock()
	r.told[id] = status
	r.mu.Unlock()
	switch fate {
	case replyTwice:
		r.reply(fate, to, token, good)
		r.reply(fate, to, token, good)
	case replyContradict:
		r.reply(fate, to, token, `{"exception": "or not"}`)
	}
}

// late is how long it takes until a reply comes too late for certain.
func (r *rogue) late(id string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.t.Context().Err() != nil {
		return 0
	}
	return time.Until(r.by[id]) + 3*time.Second
}

// reply tries until a host answers with more than "later", and gives that.
func (r *rogue) reply(fate int, to []string, token, body string) int {
	for try, began := 0, time.Now(); time.Since(began) < patience && r.t.Context().Err() == nil; try++ {
		request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, to[try%len(to)], strings.NewReader(body))
		if err != nil {
			r.t.Error(err)
			return 0
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			status := response.StatusCode
			_ = response.Body.Close()
			if status < 500 {
				r.mu.Lock()
				r.statuses[fmt.Sprint(fate, " ", status)]++
				r.mu.Unlock()
				return status
			}
		}
		during(r.t, 200*time.Millisecond)
	}
	r.t.Errorf("nobody took the reply at %v", to)
	return 0
}

func (r *rogue) judge(last map[string]asyncRun) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.fate) != len(last) {
		r.t.Errorf("%d runs called, %d are known", len(r.fate), len(last))
	}
	wrong := 0
	contradict, calls := 0, 0
	for id, fate := range r.fate {
		if fate == replyContradict && r.told[id] != http.StatusGone {
			contradict++
			calls += r.seen[id]
		}
	}
	// A run that was called again because its host died may contradict itself again.
	if n := r.statuses[fmt.Sprint(replyContradict, " 409")]; n < contradict || n > calls {
		r.t.Errorf("%d were told that they contradict themselves, want %d to %d", n, contradict, calls)
	}
	for id, run := range last {
		outcome, value := "OK", "of "+id
		switch r.fate[id] {
		case replyException:
			outcome, value = "FAILED", "no space"
		case replyLost, replyLate:
			outcome, value = "TIMED_OUT", ""
		}
		if r.told[id] == http.StatusGone { // what a slow machine took too long for
			outcome, value = "TIMED_OUT", ""
		}
		if run.Outcome != outcome || run.Value != value {
			if wrong++; wrong < 10 {
				r.t.Errorf("fate %d, called %d times, told %d: %+v", r.fate[id], r.seen[id], r.told[id], run)
			}
		}
	}
	again := 0
	for _, n := range r.seen {
		if n > 1 {
			again++
		}
	}
	statuses, _ := json.Marshal(r.statuses)
	r.t.Logf("%d runs, %d of them called more than once; replies by fate and status: %s", len(last), again, statuses)
	for _, want := range []string{
		fmt.Sprint(replyOnce, " 202"), fmt.Sprint(replyException, " 202"), fmt.Sprint(replyContradict, " 409"),
		fmt.Sprint(replyForged, " 401"), fmt.Sprint(replyLate, " 410"),
	} {
		if r.statuses[want] == 0 {
			r.t.Errorf("no reply was answered %s", want)
		}
	}
}
