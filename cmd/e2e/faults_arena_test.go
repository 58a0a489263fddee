//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The load: callTasks call the receiver each second, raiseTasks raise a salary,
// and editTasks fire about as often while administrators edit them.
const (
	callTasks  = 56
	raiseTasks = 4
	editTasks  = 10
	// minLoad is how many runs a second there must be for a fault to prove anything.
	minLoad = 50
)

// arena is three hosts, which break where they are told to, on real servers. Each
// speaks with each server through a proxy of its own.
type arena struct {
	t        *testing.T
	random   *rand.Rand
	zk       zktest.Ensemble
	hosts    hosts
	proxies  [][]*zktest.Proxy // by host and server
	clocks   []string          // files by which the hosts' clocks are off
	dialling sync.Mutex
	session  *zk.Client // of the administrator; guarded by dialling; nil: none yet
	receiver *witness
	payrolls []payroll

	// calls are the uids of tasks that call the receiver, that nobody edits and that
	// need not wait for what may still run elsewhere.
	calls map[string]bool

	first, last time.Time
	stopped     time.Time     // when all had come to rest
	skew        time.Duration // between the hosts' clocks and the true one
	stopEdits   context.CancelFunc
	edits       sync.WaitGroup
	edited      map[string]int // guarded by the end of edits

	troubles []firecheck.Trouble
	log      []string       // what was done, for the report
	reached  map[string]int // points at which hosts have died
}

// newArena starts servers and hosts, these with the bugs planted that are named, if any.
// Nothing is scheduled yet.
func newArena(t *testing.T, servers int, planted ...string) *arena {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("BELFRY_FAULTS_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatalf("BELFRY_FAULTS_SEED=%s: %v", text, err)
		}
	}
	t.Logf("seed %d", seed)
	a := &arena{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), receiver: newWitness(t), calls: make(map[string]bool), edited: make(map[string]int), reached: make(map[string]int),
		zk: startZooKeeper(t, servers),
	}
	d := open(t, "postgres", sourcetest.StartPostgres(t))
	for i := range raiseTasks {
		a.payrolls = append(a.payrolls, d.another(t, fmt.Sprint("pay", i)).signed(t, fmt.Sprint("Pay", i)))
	}
	for i, name := range []string{"n1", "n2", "n3"} {
		var through zktest.Ensemble
		var proxies []*zktest.Proxy
		for _, s := range a.zk {
			p := zktest.NewProxy(t, s.Address)
			proxies = append(proxies, p)
			through = append(through, &zktest.Server{Address: p.Address})
		}
		h := hostOf(t, a.payrolls, "--node", name, "--coordination", coordination(t, through), "-Dtask.server.count=3")
		h.write("conf/belfryd.yaml", callsOut)
		h.args = append(h.args, "--config", filepath.Join(h.dir, "conf", "belfryd.yaml"))
		h.program = breakable()
		a.hosts, a.proxies = append(a.hosts, h), append(a.proxies, proxies)
		a.clocks = append(a.clocks, filepath.Join(h.dir, "clock"))
		a.arm(i, "")
		if planted != nil {
			// Between decision and commit there is time for an edit.
			h.env = append(h.env, "BELFRY_FAULTS=before-claim#*=stall:600ms", "BELFRY_FAULT_PLANT="+planted[i])
		}
	}
	a.hosts.start()
	t.Cleanup(func() {
		if a.session != nil {
			_ = a.session.Close()
		}
	})
	return a
}

// admin is an administrator, with a session of his own: another one if the last
// was lost.
func (a *arena) admin(ctx context.Context) (*control.Control, error) {
	a.dialling.Lock()
	defer a.dialling.Unlock()
	if a.session != nil {
		if state, _ := a.session.State(); state != coordclient.Lost {
			return control.New(control.Deps{KV: a.session, Members: a.session, Caller: a.session}), nil
		}
		_ = a.session.Close()
		a.session = nil
	}
	client, err := zk.Dial(ctx, zk.Options{Servers: a.zk.Addresses(), SessionTimeout: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	a.session = client
	return control.New(control.Deps{KV: client, Members: client, Caller: client}), nil
}

// arm says where a host is to break once it is started again.
func (a *arena) arm(i int, faults string) {
	a.hosts[i].env = []string{"BELFRY_FAULTS=" + faults, "BELFRY_FAULT_CLOCK=" + a.clocks[i]}
}

// schedule makes the tasks, which fire for so long, and begins to edit some. A
// task that a slow store creates when it is due already loses the instants before.
func (a *arena) schedule(lasts time.Duration) {
	a.t.Helper()
	a.first = time.Now().Add(5 * time.Second).Truncate(time.Second)
	a.last = a.first.Add(lasts)
	var infos []task.Info
	for i, p := range a.payrolls {
		infos = append(infos, a.raise(p, i))
	}
	for i := range callTasks {
		info := a.call(callName(i))
		info.Trigger.Start = a.first.Add(time.Duration(i) * time.Second / callTasks).Truncate(time.Millisecond)
		switch i % 8 {
		case 0:
			info.Overlap = task.OverlapQueue
		case 1:
			info.Overlap = task.OverlapSkip
		}
		if i%2 == 0 {
			info.Delivery = task.AtMostOnce
		}
		infos = append(infos, info)
	}
	a.create(infos)
	ctx, cancel := context.WithCancel(a.t.Context())
	a.stopEdits = cancel
	random := rand.New(rand.NewPCG(a.random.Uint64(), 0))
	a.edits.Go(func() { a.edit(ctx, random) }) // ends with ctx
	a.t.Cleanup(func() {
		cancel()
		a.edits.Wait()
	})
	during(a.t, time.Until(a.first)+time.Second)
}

// raise is a task that raises the salary of a payroll each second.
func (a *arena) raise(p payroll, i int) task.Info {
	return task.Info{
		Key: task.Key{Name: p.service}, Service: p.service, Operation: "incrementEmployeeSalary", Delivery: task.EffectivelyOnce,
		Misfire: task.MisfireFireAll, Retry: task.Retry{Max: 20, Backoff: task.Duration(200 * time.Millisecond)},
		Timeout: task.Duration(20 * time.Second),
		Trigger: task.TriggerInfo{
			Interval: task.Duration(time.Second), Count: -1, End: a.last,
			Start: a.first.Add(time.Duration(i) * time.Second / raiseTasks),
		},
	}
}

// call is a task that calls the receiver each second.
func (a *arena) call(name string) task.Info {
	return task.Info{
		Key: task.Key{Name: name}, Delivery: task.AtLeastOnce, Misfire: task.MisfireFireAll, Timeout: task.Duration(3 * time.Second),
		Retry:   task.Retry{Max: 20, Backoff: task.Duration(200 * time.Millisecond)},
		Do:      &task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: a.receiver.url, Body: `{"attempt": {{.Attempt}}}`}},
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Second), Count: -1, Start: a.first, End: a.last},
	}
}

// create creates tasks, several at a time.
func (a *arena) create(infos []task.Info) {
	a.t.Helper()
	admin, err := a.admin(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	views := make([]contract.TaskView, len(infos))
	errs := make([]error, len(infos))
	var wg sync.WaitGroup
	const atOnce = 8
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < len(infos); i += atOnce {
				views[i], _, errs[i] = admin.CreateTask(a.t.Context(), infos[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		a.t.Fatal(err)
	}
	for i := range infos {
		if infos[i].Do != nil && infos[i].Overlap == "" {
			a.calls[views[i].UID] = true
		}
	}
}

// edit does what administrators do, at random moments and so next to due times.
func (a *arena) edit(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil && time.Now().Before(a.last) {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		if admin, err := a.admin(once); err == nil {
			what := []string{"create", "create", "pause", "resume", "reschedule", "delete"}[random.IntN(6)]
			if a.editOnce(once, admin, what, random) == nil { // else there is no such task, or no quorum
				a.edited[what]++
			}
		}
		cancel()
		select {
		case <-time.After(time.Duration(random.IntN(200)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (a *arena) editOnce(ctx context.Context, admin *control.Control, what string, random *rand.Rand) error {
	key := task.Key{Name: fmt.Sprint("edit-", random.IntN(editTasks))}.Normal()
	start := a.first.Add(time.Duration(random.IntN(1000)) * time.Millisecond)
	var err error
	switch what {
	case "create":
		info := a.call(key.Name)
		info.Trigger.Start = start
		_, _, err = admin.CreateTask(ctx, info)
	case "pause":
		_, err = admin.PauseTask(ctx, key, "")
	case "resume":
		_, err = admin.ResumeTask(ctx, key)
	case "reschedule":
		every := task.Duration(time.Duration(300+random.IntN(900)) * time.Millisecond)
		_, err = admin.UpdateTask(ctx, key, 0, func(i *task.Info) error {
			i.Trigger.Start, i.Trigger.Interval = start, every
			return nil
		})
	case "delete":
		err = admin.DeleteTask(ctx, key)
	}
	return err
}

// pauseCalls pauses, one after the other, the tasks that call the receiver: each
// at another moment between its due times. What a busy store refuses is left out.
func (a *arena) pauseCalls() {
	a.t.Helper()
	for i := range callTasks {
		if admin, err := a.admin(a.t.Context()); err == nil {
			_, _ = admin.PauseTask(a.t.Context(), task.Key{Name: callName(i)}.Normal(), "")
		}
	}
}

func callName(i int) string { return fmt.Sprintf("call-%02d", i) }

// flowing waits until enough is running for a fault to prove anything.
func (a *arena) flowing() {
	a.t.Helper()
	eventually(a.t, time.Minute, fmt.Sprintf("%d runs a second", minLoad), func() bool {
		return a.receiver.since(time.Now().Add(-time.Second)) >= minLoad
	})
}

// note writes down what is done.
func (a *arena) note(format string, args ...any) {
	line := fmt.Sprintf("%6.1f s  ", time.Since(a.first).Seconds()) + fmt.Sprintf(format, args...)
	a.log = append(a.log, line)
	a.t.Log(line)
}

// trouble is that firings may be late from a time until some time from now.
func (a *arena) trouble(from time.Time, still time.Duration) {
	a.troubles = append(a.troubles, firecheck.Trouble{From: from.Add(-time.Second), To: time.Now().Add(still)})
}

// pass waits until all that is scheduled is due, and ends the edits.
func (a *arena) pass() {
	a.t.Helper()
	during(a.t, time.Until(a.last)+100*time.Millisecond)
	a.stopEdits()
	a.edits.Wait()
}

// settle waits until all that is scheduled has fired.
func (a *arena) settle() {
	a.t.Helper()
	a.pass()
	open := ""
	defer func() {
		if a.t.Failed() {
			a.t.Logf("open: %s", open)
		}
	}()
	eventually(a.t, 2*time.Minute, "all tasks have ended", func() bool {
		ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Second)
		defer cancel()
		var views []contract.TaskView
		admin, err := a.admin(ctx)
		if err == nil {
			views, err = admin.Tasks(ctx, control.TaskFilter{})
		}
		if err != nil {
			open = err.Error()
			return false
		}
		var left []string
		for _, v := range views {
			if v.State != contract.Finished && v.State != contract.Paused && (v.State != contract.Failed || v.Next != nil) {
				left = append(left, fmt.Sprintf("%s is %s on %s: %s", v.Name, v.State, v.Node, v.Reason))
			}
		}
		open = strings.Join(left, "; ")
		return len(left) == 0
	})
}
