//go:build faultinject

package fault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/task"
)

// quiet is a log that takes everything.
type quiet struct{ engine.Log }

func (quiet) Acquire(context.Context, int) (bucket.Fence, error)       { return bucket.Fence{}, nil }
func (quiet) Commit(context.Context, bucket.Fence, bucket.Write) error { return nil }
func (quiet) Release(context.Context, bucket.Fence) error              { return nil }
func (quiet) Invoke(context.Context, task.Call) task.Result            { return task.Result{} }

func claims(kinds ...bucket.Kind) bucket.Write {
	var b bucket.Batch
	for _, kind := range kinds {
		b.Records = append(b.Records, bucket.Record{Kind: kind, UID: "u", At: 1, Attempt: 1, Outcome: task.OK})
	}
	return bucket.Write{Batch: b.Encode()}
}

func read(t *testing.T, faults string) Plan {
	t.Helper()
	t.Setenv(envFaults, faults)
	p, err := Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each step passes its own two points, and no other's.
func TestPoints(t *testing.T) {
	all := map[string]func(Plan){
		"acquire": func(p Plan) { _, _ = p.Log(quiet{}).Acquire(t.Context(), 1) },
		"claim":   func(p Plan) { _ = p.Log(quiet{}).Commit(t.Context(), bucket.Fence{}, claims(bucket.Reclaim)) },
		"settle":  func(p Plan) { _ = p.Log(quiet{}).Commit(t.Context(), bucket.Fence{}, claims(bucket.Settle)) },
		"fold": func(p Plan) {
			_ = p.Log(quiet{}).Commit(t.Context(), bucket.Fence{}, bucket.Write{Fold: &bucket.Fold{}})
		},
		"release": func(p Plan) { _ = p.Log(quiet{}).Release(t.Context(), bucket.Fence{}) },
		"call":    func(p Plan) { p.Invoker(quiet{}).Invoke(t.Context(), task.Call{}) },
	}
	if len(all) != len(steps) {
		t.Fatalf("%d steps are tested, there are %d", len(all), len(steps))
	}
	for step, do := range all {
		p := read(t, "")
		do(p)
		if len(p.passed) != 2 || p.passed["before-"+step] != 1 || p.passed["after-"+step] != 1 {
			t.Errorf("%s passes %v", step, p.passed)
		}
	}
	p := read(t, "")
	_ = p.Log(quiet{}).Commit(t.Context(), bucket.Fence{}, claims(bucket.Claim, bucket.Settle, bucket.Skip))
	if len(p.passed) != 4 {
		t.Errorf("claims and settlements in one batch pass %v", p.passed)
	}
}

// The nth answer is lost, the others are not; a stall takes its time.
func TestLoseAndStall(t *testing.T) {
	p := read(t, "after-claim#2=lose,before-claim#3=stall:2s")
	l := p.Log(quiet{})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		for n := 1; n <= 3; n++ {
			err := l.Commit(t.Context(), bucket.Fence{}, claims(bucket.Claim))
			if lost := errors.Is(err, bucket.ErrUnknownOutcome); lost != (n == 2) {
				t.Errorf("commit %d: %v", n, err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// What can happen each time does.
func TestEachTime(t *testing.T) {
	l := read(t, "after-claim#*=lose").Log(quiet{})
	for range 3 {
		if err := l.Commit(t.Context(), bucket.Fence{}, claims(bucket.Claim)); !errors.Is(err, bucket.ErrUnknownOutcome) {
			t.Error(err)
		}
	}
}

// moving is a log whose fence moves before each commit.
type moving struct {
	quiet
	version, commits int64
}

func (m *moving) Commit(_ context.Context, f bucket.Fence, _ bucket.Write) error {
	if f.Version != m.version {
		return bucket.ErrMoved
	}
	m.commits++
	return nil
}

func (m *moving) Refresh(_ context.Context, f bucket.Fence, _ int64) (bucket.Fence, bucket.Changes, error) {
	f.Version = m.version
	return f, bucket.Changes{}, nil
}

// What is planted is wrong, and nothing else is.
func TestPlants(t *testing.T) {
	t.Setenv(envPlant, "no-fence")
	m := &moving{version: 7}
	if err := read(t, "").Log(m).Commit(t.Context(), bucket.Fence{}, claims(bucket.Claim)); err != nil || m.commits != 1 {
		t.Errorf("%d commits without the fence, %v", m.commits, err)
	}
	t.Setenv(envPlant, "run-first")
	synctest.Test(t, func(t *testing.T) {
		m := &moving{}
		l := read(t, "").Log(m)
		if err := l.Commit(t.Context(), bucket.Fence{}, claims(bucket.Claim)); err != nil || m.commits != 0 {
			t.Errorf("%d commits when it is said to be done, %v", m.commits, err)
		}
		if err := l.Commit(t.Context(), bucket.Fence{}, claims(bucket.Settle)); err != nil || m.commits != 2 {
			t.Errorf("%d commits in the end, %v", m.commits, err)
		}
	})
	t.Setenv(envPlant, "no-sense")
	if _, err := Read(nil); err == nil {
		t.Error("an unknown bug is planted")
	}
}

// What is misspelt is refused.
func TestRefused(t *testing.T) {
	for _, text := range []string{
		"claim=kill", "before-lunch=kill", "before-claim", "before-claim=die", "before-claim#0=kill", "before-claim#x=kill",
		"before-claim=lose", "after-call=lose", "before-claim=stall:long",
	} {
		t.Setenv(envFaults, text)
		if _, err := Read(nil); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The clock is off by what the file says, and follows it.
func TestClock(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	t.Setenv(envClock, file)
	now := read(t, "").Clock(time.Now)
	synctest.Test(t, func(t *testing.T) {
		for _, ahead := range []time.Duration{0, 2 * time.Second, -2 * time.Second, time.Hour} {
			if err := os.WriteFile(file, []byte(ahead.String()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(readClock)
			if got := time.Until(now()); got != ahead {
				t.Errorf("ahead by %s, want %s", got, ahead)
			}
		}
	})
}

// Without a plan nothing is between.
func TestZeroPlan(t *testing.T) {
	var p Plan
	if _, same := p.Log(quiet{}).(quiet); !same {
		t.Error("the zero plan wraps the log")
	}
	if _, same := p.Invoker(quiet{}).(quiet); !same {
		t.Error("the zero plan wraps the invoker")
	}
}
