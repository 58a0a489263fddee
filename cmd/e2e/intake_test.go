//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// program submits tasks over REST to whichever host answers.
type program struct {
	hosts hosts
	token string
}

// newProgram gives every host a users file with one token for programs.
func newProgram(t *testing.T, hs hosts) program {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "belfryd"), "users", "token", "batch", "--scopes", "tasks:read,tasks:write,tasks:run")
	var line, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &line, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("belfryd users token: %v\n%s", err, said.String())
	}
	token, ok := strings.CutPrefix(strings.TrimSpace(said.String()), "token: ")
	if !ok {
		t.Fatalf("belfryd users token said %q", said.String())
	}
	for _, h := range hs {
		h.write("users", line.String())
		h.write("belfryd.yaml", "auth: {users_file: users}\n")
		h.args = append([]string{"--config", filepath.Join(h.dir, "belfryd.yaml")}, h.args...)
	}
	return program{hs, token}
}

type submitted struct {
	Created, Repeated bool
}

// submit sends a creation until a host has answered it, each time to another one.
func (p program) submit(t *testing.T, definition, key string, first int) (submitted, bool) {
	t.Helper()
	for try, began := 0, time.Now(); time.Since(began) < patience; try++ {
		h := p.hosts[(first+try)%len(p.hosts)]
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url("/api/v1/tasks"), strings.NewReader(definition))
		if err != nil {
			t.Error(err)
			return submitted{}, false
		}
		req.Header.Set("Authorization", "Bearer "+p.token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", key)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			during(t, 100*time.Millisecond) // that host is dead
			continue
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		var done submitted
		switch {
		case err != nil, res.StatusCode >= 500, res.StatusCode == http.StatusTooManyRequests:
			during(t, 100*time.Millisecond)
			continue
		case res.StatusCode != http.StatusCreated:
			t.Errorf("%s: %d %s", key, res.StatusCode, body)
			return submitted{}, false
		}
		if err := json.Unmarshal(body, &done); err != nil {
			t.Errorf("%s: %v: %s", key, err, body)
		}
		return done, true
	}
	t.Errorf("%s: no host answered", key)
	return submitted{}, false
}

// "Run at the specified time once, even in a cluster": 10,000 submissions of 200
// tasks, most of them repetitions, to hosts that are killed meanwhile. Each task
// raises the salary once.
func TestSubmittedTenThousandTimes(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T, p payroll) hosts{
		"alone": func(t *testing.T, p payroll) hosts { return hosts{hostOf(t, []payroll{p})} },
		"three hosts": func(t *testing.T, p payroll) hosts {
			return newCluster(t, startZooKeeper(t, 1), []payroll{p})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const tasks, submissions = 200, 10_000
			random := seeded(t)
			p := open(t, "postgres", sourcetest.StartPostgres(t)).paid(t, "payroll")
			hs := start(t, p)
			batch := newProgram(t, hs)
			hs.start()

			at := time.Now().Add(50 * time.Second).Truncate(time.Second)
			var created, repeated atomic.Int64
			send := func(n int) {
				name := fmt.Sprintf("once-%03d", n%tasks)
				done, ok := batch.submit(t, fmt.Sprintf(
					`{"name":%q,"service":%q,"operation":"incrementEmployeeSalary","retry":{"max":20,"backoff":"200ms"},"timeout":"20s","trigger":{"at":%q}}`,
					name, p.service, at.UTC().Format(time.RFC3339)), name, n)
				switch {
				case ok && done.Repeated:
					repeated.Add(1)
				case ok:
					created.Add(1)
				}
			}
			var next atomic.Int64
			var senders sync.WaitGroup
			for range 8 {
				senders.Go(func() {
					for n := next.Add(1); n <= submissions; n = next.Add(1) {
						send(int(n))
					}
				})
			}
			kills := 0
			for next.Load() < submissions || time.Now().Before(at.Add(3*time.Second)) {
				during(t, time.Duration(1000+random.IntN(3000))*time.Millisecond)
				h := hs[random.IntN(len(hs))]
				h.kill()
				kills++
				during(t, time.Duration(random.IntN(500))*time.Millisecond)
				h.start()
			}
			senders.Wait()
			if t.Failed() {
				return
			}
			// A creation whose answer died with its host was answered as a repetition.
			if created.Load() > tasks || created.Load()+repeated.Load() != submissions {
				t.Errorf("%d created and %d repeated, want %d at most and %d in all", created.Load(), repeated.Load(), tasks, submissions)
			}
			eventually(t, patience, "every task has fired", func() bool { return len(p.raises(t)) >= tasks })
			during(t, 2*time.Second) // for one too many to show
			raises := p.raises(t)
			if len(raises) != tasks || p.salary(t) != tasks*10_000 {
				t.Errorf("%d raises to %d, want %d", len(raises), p.salary(t), tasks)
			}
			if raises[0].Before(at.Add(-early)) {
				t.Errorf("the first raise was at %s, before %s", raises[0], at)
			}
			t.Logf("%d kills, %d created, %d repeated, %d raises", kills, created.Load(), repeated.Load(), len(raises))
			hs.stop()
		})
	}
}
