package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// process is a host that may die at any moment: from then on nothing of it has
// an effect.
type process struct {
	w      *world
	n      int
	member *coordtest.Member
	engine *engine.Engine
	stop   context.CancelFunc
	gone   sync.WaitGroup

	dead bool          // guarded by w.mu
	died chan struct{} // closed when dead
	off  time.Duration // of its clock, guarded by w.mu
}

// boot starts a process, which goes after all buckets.
func (w *world) boot(ctx context.Context) *process {
	w.mu.Lock()
	w.procs++
	p := &process{w: w, n: w.procs, died: make(chan struct{})}
	w.mu.Unlock()
	p.member = w.cluster.Join("node", nil)
	owner := store.New(&wire{KV: p.member, w: w, p: p}, store.Options{NewID: w.newID}).Owner(p.member.ID(), p.member)
	var log engine.Log = owner
	if w.log != nil {
		log = w.log(owner)
	}
	e, err := engine.New(engine.Options{
		Log: log, Watcher: owner, Invoker: p, Targets: p, Session: p, Compile: bucket.Triggers(&w.compiler),
		Rules: w.rules, Node: "node", Workers: 3 + w.draw(20), Limit: p.limit, PreviousOwnerDead: w.alone,
		Now: p.now, Resync: 20 * time.Second, Left: p.left,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	e.Plant(w.plant)
	p.engine = e
	ctx, p.stop = context.WithCancel(ctx)
	if err := e.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
	for b := range w.buckets {
		p.gone.Go(func() { p.own(ctx, b) })
	}
	return p
}

// own acquires a bucket, as often as it takes.
func (p *process) own(ctx context.Context, b int) {
	for ctx.Err() == nil {
		err := p.engine.Acquire(ctx, b)
		switch {
		case err == nil, errors.Is(err, engine.ErrOwned):
		case errors.Is(err, bucket.ErrCorrupt), errors.Is(err, bucket.ErrGap):
			p.complain(err)
			return
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (p *process) left(_ int, err error) {
	if errors.Is(err, bucket.ErrSeqTaken) {
		p.complain(err)
	}
}

func (p *process) complain(err error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.complain(fmt.Errorf("p%d: %w", p.n, err))
}

// crash kills the process now and then. It needs w.mu.
func (p *process) crash(string) bool {
	if !p.w.chance(3) {
		return false
	}
	p.die()
	return true
}

// die needs w.mu.
func (p *process) die() {
	if !p.dead {
		p.dead = true
		close(p.died)
		p.w.write(firecheck.Event{What: firecheck.Crashed, Proc: p.n})
	}
}

// bury ends what a dead process has left running.
func (p *process) bury() {
	p.member.Expire()
	p.stop()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = p.engine.Stop(over) // it is dead: nothing of it is to be waited for
	p.gone.Wait()
}

func (p *process) now() time.Time {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return time.Now().Add(p.off)
}

// State implements engine.Session.
func (p *process) State() (bool, <-chan struct{}) {
	state, changed := p.member.State()
	return state == coordclient.Healthy, changed
}

func (p *process) limit(name string) int {
	if name == "tight" {
		return 2
	}
	return 0
}

// Target implements engine.Targets.
func (p *process) Target(info task.Info) (task.Target, bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if !p.w.present {
		return task.Target{}, false
	}
	t := task.Target{Hash: p.w.hash}
	if info.Service == "S1" {
		t.Limits = []string{"tight"}
	}
	return t, true
}

// plan is what becomes of one run.
type plan struct {
	before, after time.Duration
	result        task.Result
	effect        bool
	panics        bool
}

// plan needs w.mu.
func (w *world) plan(call task.Call) plan {
	keyed := call.Info.Delivery == task.EffectivelyOnce
	p := plan{before: w.some(20 * time.Millisecond), after: w.some(5 * time.Millisecond), effect: true}
	p.result.Outcome = task.OK
	if w.chance(100) {
		p.before = w.some(5 * time.Second) // longer than some time-outs
	}
	switch {
	case w.chance(30):
		p.effect, p.result = false, task.Result{Outcome: task.Failed, Error: "no connection", NotSent: true}
	case w.chance(40):
		p.effect, p.result = !keyed && w.chance(500), task.Result{Outcome: task.Failed, Error: "refused by the business"}
	case keyed && w.chance(60):
		p.effect = w.chance(500)
		p.result = task.Result{Outcome: task.Failed, Error: "connection lost", Open: true}
	case w.chance(5):
		p.effect, p.panics = false, true
	}
	if call.Info.Reply != nil && p.result.Outcome == task.OK {
		p.result.Outcome = task.Waiting
	}
	return p
}

// Invoke implements engine.Invoker: the target, with an inbox.
func (p *process) Invoke(ctx context.Context, call task.Call) task.Result {
	w := p.w
	w.mu.Lock()
	if p.dead {
		w.mu.Unlock()
		return task.Result{Outcome: task.Interrupted}
	}
	w.write(firecheck.Event{What: firecheck.Began, Proc: p.n, Fire: call.FireID, Attempt: call.Attempt})
	plan := w.plan(call)
	w.mu.Unlock()
	result := p.run(ctx, call, plan)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.dead && !p.crash("between run and settle") {
		w.write(firecheck.Event{What: firecheck.Ended, Proc: p.n, Fire: call.FireID, Attempt: call.Attempt})
	}
	if plan.panics {
		panic("planned")
	}
	return result
}

func (p *process) run(ctx context.Context, call task.Call, plan plan) task.Result {
	keyed := call.Info.Delivery == task.EffectivelyOnce
	cut := task.Result{Outcome: task.Failed, Error: "cut short", Open: keyed}
	if !pause(ctx, plan.before) {
		return cut
	}
	if !p.effect(call, keyed, &plan) {
		return cut
	}
	if !pause(ctx, plan.after) {
		return cut
	}
	return plan.result
}

// effect changes the target, unless the process is dead.
func (p *process) effect(call task.Call, keyed bool, plan *plan) bool {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead || p.crash("before the effect") {
		return false
	}
	switch {
	case keyed && w.inbox[call.FireID]:
		plan.result = task.Result{Outcome: task.OK}
	case plan.effect:
		w.inbox[call.FireID] = true
		w.write(firecheck.Event{What: firecheck.Effected, Proc: p.n, Fire: call.FireID, Attempt: call.Attempt})
		w.agent(call)
	}
	return !p.crash("after the effect")
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
