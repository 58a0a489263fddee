//go:build faultinject

package fault

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The environment of a host that is to break.
const (
	envFaults = "BELFRY_FAULTS"
	envClock  = "BELFRY_FAULT_CLOCK"
	envPlant  = "BELFRY_FAULT_PLANT"
)

// steps are what points are before and after of.
var steps = []string{"acquire", "claim", "call", "settle", "fold", "release"}

// Plan is what is to break. The zero value: nothing. Safe for concurrent use.
type Plan struct{ *state }

type state struct {
	log     *slog.Logger
	planted map[string]bool

	mu     sync.Mutex
	passed map[string]int     // guarded by mu
	faults map[string][]fault // by point; never changed
}

// fault is what happens when a point is passed for the nth time; 0: each time.
type fault struct {
	nth   int
	kill  bool
	lose  bool
	stall time.Duration
}

// Read gives the plan of the environment. Error: it is not understood.
func Read(log *slog.Logger) (Plan, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &state{log: log, passed: make(map[string]int)}
	var err error
	if s.faults, err = parse(os.Getenv(envFaults)); err != nil {
		return Plan{}, fmt.Errorf("%s: %w", envFaults, err)
	}
	if s.planted, err = plants(os.Getenv(envPlant)); err != nil {
		return Plan{}, fmt.Errorf("%s: %w", envPlant, err)
	}
	log.Warn("THIS BUILD BREAKS ON PURPOSE: it is for tests alone", "faults", os.Getenv(envFaults), "clock", os.Getenv(envClock), "planted", os.Getenv(envPlant))
	return Plan{s}, nil
}

func parse(text string) (map[string][]fault, error) {
	faults := make(map[string][]fault)
	for item := range strings.SplitSeq(text, ",") {
		if item == "" {
			continue
		}
		at, what, _ := strings.Cut(item, "=")
		point, nth, counted := strings.Cut(at, "#")
		f := fault{nth: 1}
		var err error
		switch {
		case nth == "*":
			f.nth = 0
		case counted:
			if f.nth, err = strconv.Atoi(nth); err != nil || f.nth < 1 {
				return nil, fmt.Errorf("%q: give a number above 0 after #", item)
			}
		}
		when, step, _ := strings.Cut(point, "-")
		if when != "before" && when != "after" || !slices.Contains(steps, step) {
			return nil, fmt.Errorf("%q: there is no point %q", item, point)
		}
		switch action, d, _ := strings.Cut(what, ":"); action {
		case "kill":
			f.kill = true
		case "lose":
			if f.lose = true; when == "before" || step == "call" {
				return nil, fmt.Errorf("%q: there is no answer to lose", item)
			}
		case "stall":
			if f.stall, err = time.ParseDuration(d); err != nil {
				return nil, fmt.Errorf("%q: %w", item, err)
			}
		default:
			return nil, fmt.Errorf("%q: want kill, lose or stall:TIME", item)
		}
		faults[point] = append(faults[point], f)
	}
	return faults, nil
}

// pass passes a point. True: its answer is lost.
func (s *state) pass(point string) bool {
	s.mu.Lock()
	s.passed[point]++
	nth := s.passed[point]
	s.mu.Unlock()
	lost := false
	for _, f := range s.faults[point] {
		if f.nth != nth && f.nth != 0 {
			continue
		}
		s.log.Warn("fault point reached", "point", point, "nth", nth, "kill", f.kill, "lose", f.lose, "stall", f.stall)
		if f.kill {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		if f.stall > 0 {
			<-time.After(f.stall)
		}
		lost = lost || f.lose
	}
	return lost
}

// around passes the points before and after a step.
func (s *state) around(steps []string, do func() error) error {
	for _, step := range steps {
		s.pass("before-" + step)
	}
	err := do()
	for _, step := range steps {
		if s.pass("after-"+step) && err == nil {
			err = fmt.Errorf("lost on purpose: %w", bucket.ErrUnknownOutcome)
		}
	}
	return err
}

// Log passes the points of a bucket's commits.
func (p Plan) Log(l engine.Log) engine.Log {
	if p.state == nil {
		return l
	}
	if p.planted[plantRunFirst] {
		l = &hasty{Log: l, pending: make(map[int]chan struct{})}
	}
	if p.planted[plantNoFence] {
		l = unfenced{l}
	}
	return log{l, p.state}
}

type log struct {
	engine.Log
	s *state
}

// Acquire implements engine.Log.
func (l log) Acquire(ctx context.Context, b int) (f bucket.Fence, err error) {
	err = l.s.around([]string{"acquire"}, func() error {
		f, err = l.Log.Acquire(ctx, b)
		return err
	})
	return f, err
}

// Commit implements engine.Log.
func (l log) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	return l.s.around(stepsOf(w), func() error { return l.Log.Commit(ctx, f, w) })
}

// Release implements engine.Log.
func (l log) Release(ctx context.Context, f bucket.Fence) error {
	return l.s.around([]string{"release"}, func() error { return l.Log.Release(ctx, f) })
}

// stepsOf says what a write does.
func stepsOf(w bucket.Write) []string {
	var of []string
	if w.Fold != nil {
		of = append(of, "fold")
	}
	if w.Batch == nil {
		return of
	}
	b, err := bucket.DecodeBatch(w.Batch)
	if err != nil {
		return of
	}
	kinds := make(map[bucket.Kind]bool)
	for i := range b.Records {
		kinds[b.Records[i].Kind] = true
	}
	if kinds[bucket.Claim] || kinds[bucket.Reclaim] {
		of = append(of, "claim")
	}
	if kinds[bucket.Settle] {
		of = append(of, "settle")
	}
	return of
}

// Invoker passes the points of a run.
func (p Plan) Invoker(i engine.Invoker) engine.Invoker {
	if p.state == nil {
		return i
	}
	return invoker{i, p.state}
}

type invoker struct {
	engine.Invoker
	s *state
}

// Invoke implements engine.Invoker.
func (i invoker) Invoke(ctx context.Context, call task.Call) (result task.Result) {
	_ = i.s.around([]string{"call"}, func() error {
		result = i.Invoker.Invoke(ctx, call)
		return nil
	})
	return result
}
