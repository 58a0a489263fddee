package engine_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/engine/firecheck"
	"github.com/seed42aab489/belfry/plugin/task"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "simulate this seed alone, and print its history")
	simSeeds = flag.Int("sim.seeds", 0, "simulate so many seeds (default 1000, or BELFRY_SIM_SEEDS)")
	simFirst = flag.Int("sim.first", 1, "the first of those seeds")
)

// seeds is how many histories are simulated.
func seeds(t *testing.T, fallback int) int {
	t.Helper()
	if *simSeeds > 0 {
		return *simSeeds
	}
	if text := os.Getenv("BELFRY_SIM_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("BELFRY_SIM_SEEDS=%q: give a number above 0", text)
		}
		return n
	}
	if testing.Short() {
		return fallback / 10
	}
	return fallback
}

// The heart of the product, under every fault that the protocol knows: random
// tasks, edits, crashes at every step, lost and late messages, hand-overs and
// clocks that are set. Each seed is one history; the judge finds what it
// breaks. What a seed draws is fixed; which of two goroutines goes first at
// the same instant is not, so a seed may need a few tries to fail again.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *simSeed > 0 {
		h, faults := simulate(t, *simSeed, nil)
		for _, e := range h {
			fmt.Println(e)
		}
		report(t, *simSeed, h, faults)
		return
	}
	n := seeds(t, 1000)
	var seen sightings
	t.Cleanup(func() { // when all shards are done
		if n >= 200 && !t.Failed() {
			seen.check(t)
		}
	})
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			for i := shard; i < n && !t.Failed(); i += shards {
				seed := uint64(*simFirst + i)
				h, faults := simulate(t, seed, nil)
				report(t, seed, h, faults)
				seen.add(h)
			}
		})
	}
}

// sightings count what histories were about, so that a simulation in which
// nothing happens does not count as one that went well.
type sightings struct {
	mu sync.Mutex
	of map[string]int
}

func (s *sightings) add(h []firecheck.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[string]int)
	}
	for _, e := range h {
		s.of[string(e.What)]++
		if e.What != firecheck.Committed {
			continue
		}
		for i := range e.Batch.Records {
			r := &e.Batch.Records[i]
			s.of[fmt.Sprintf("%s %s%s", r.Kind, r.Outcome, r.Reason)]++
		}
	}
}

func (s *sightings) check(t *testing.T) {
	t.Helper()
	for _, what := range []string{
		"crash", "effect", "CLAIM ", "RECLAIM ", "FORGET ", "GIVE ", "ADOPT ", "SETTLE OK", "SETTLE FAILED", "SETTLE TIMED_OUT",
		"SETTLE INTERRUPTED", "SETTLE UNKNOWN", "SETTLE CANCELLED", "SKIP OVERLAP_SKIPPED", "SKIP PAUSED_BY_USER",
		"SKIP MISFIRE_SKIPPED", "SKIP MISFIRE_MERGED", "SKIP CATCH_UP_LIMIT", "SKIP BEFORE_FROM", "SKIP DELETED",
		"DEFER OVERLAP_QUEUED", "DEFER MISFIRE_SKIPPED", "reply", "SETTLE WAITING", "note", "SKIP CALENDAR_EXCLUDED", "DEFER CALENDAR_EXCLUDED",
	} {
		if s.of[what] == 0 {
			t.Errorf("no history has %q", what)
		}
	}
	t.Log(s.of)
}

func report(t *testing.T, seed uint64, h []firecheck.Event, faults []error) {
	t.Helper()
	for i, err := range faults {
		if i == 10 {
			t.Errorf("seed %d: and %d more", seed, len(faults)-i)
			break
		}
		t.Errorf("seed %d: %v", seed, err)
	}
	if len(faults) == 0 {
		return
	}
	t.Logf("replay: go test ./plugin/engine -run 'TestSimulation$' -v -sim.seed=%d", seed)
	f, err := os.Create(filepath.Join(os.TempDir(), fmt.Sprintf("belfry-sim-%d.txt", seed)))
	if err != nil {
		t.Log(err)
		return
	}
	defer f.Close()
	for _, e := range h {
		fmt.Fprintln(f, e)
	}
	t.Logf("its history: %s", f.Name())
}

// simulate makes one history and judges it. Plant, unless nil, plants a fault
// in the world.
func simulate(t *testing.T, seed uint64, plant func(*world)) ([]firecheck.Event, []error) {
	t.Helper()
	var (
		w   *world
		end time.Time
	)
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed)
		if plant != nil {
			plant(w)
		}
		w.open(t.Context())
		w.live(t.Context())
		end = time.Now()
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.history, append(w.faults, firecheck.Verdict(w.history, firecheck.Rules{End: end, Skew: maxSkew, Misfire: w.rules.Misfire})...)
}

// maxSkew is how far a process's clock may be off.
const maxSkew = 3 * time.Second

// live is the whole of a history: a time of faults, then a time to come to
// rest.
func (w *world) live(ctx context.Context) {
	stop := time.Now().Add(time.Minute)
	for n := range calendars {
		w.setCalendar(ctx, n)
	}
	p := w.boot(ctx)
	for i := range 2 + w.draw(4) {
		w.create(ctx, i)
	}
	for time.Now().Before(stop) {
		select {
		case <-p.died:
			p = w.reboot(ctx, p)
		case <-time.After(time.Duration(w.draw(3000)) * time.Millisecond):
			w.disturb(ctx, &p)
		}
	}
	w.mu.Lock()
	w.calm, w.present = true, true
	dead := p.dead
	p.off = 0
	w.mu.Unlock()
	if dead {
		p = w.reboot(ctx, p)
	}
	p.member.Heal()
	time.Sleep(100 * time.Second)
	p.stop()
	p.gone.Wait()
	if err := p.engine.Stop(ctx); err != nil {
		p.complain(fmt.Errorf("stop: %w", err))
	}
	w.agents.Wait()
}

// reboot starts a new process some time after one has died.
func (w *world) reboot(ctx context.Context, p *process) *process {
	outage := time.Duration(w.draw(4000)) * time.Millisecond
	switch w.draw(10) {
	case 0:
		outage = time.Duration(w.draw(90)) * time.Second
	case 1:
		outage = 0
	}
	w.mu.Lock()
	if w.calm {
		outage = 0
	}
	w.mu.Unlock()
	p.bury()
	for until := time.Now().Add(outage); time.Now().Before(until); {
		time.Sleep(min(time.Until(until), 2*time.Second))
		if w.draw(4) == 0 {
			w.edit(ctx)
		}
	}
	return w.boot(ctx)
}

// disturb does something to the world.
func (w *world) disturb(ctx context.Context, p **process) {
	switch n := w.draw(20); {
	case n < 10:
		w.edit(ctx)
	case n < 12:
		w.mu.Lock()
		(*p).off = w.some(2*maxSkew) - maxSkew
		w.mu.Unlock()
	case n < 13:
		w.mu.Lock()
		(*p).die()
		w.mu.Unlock()
	case n < 14:
		(*p).member.Cut()
		time.Sleep(time.Duration(w.draw(5000)) * time.Millisecond)
		(*p).member.Heal()
	case n < 15 && !w.alone:
		w.expire(ctx, p)
	case n < 16:
		w.hand(ctx, p)
	case n < 17:
		w.mu.Lock()
		w.present = !w.present
		w.mu.Unlock()
	case n < 18:
		w.mu.Lock()
		w.hash = fmt.Sprint("h", w.rand.IntN(2))
		w.mu.Unlock()
	}
}

// expire lets a process lose its session, and a second one take over while the
// first still runs what it had begun.
func (w *world) expire(ctx context.Context, p **process) {
	before := *p
	before.member.Cut()
	time.Sleep(engine.DefaultSessionTimeout)
	before.member.Expire()
	*p = w.boot(ctx)
	time.Sleep(10 * time.Second)
	w.mu.Lock()
	before.die()
	w.mu.Unlock()
	before.bury()
}

// hand stops a process in order, and starts another.
func (w *world) hand(ctx context.Context, p **process) {
	before := *p
	before.stop()
	before.gone.Wait()
	bounded, cancel := context.WithTimeout(ctx, time.Duration(500+w.draw(5000))*time.Millisecond)
	defer cancel()
	_ = before.engine.Stop(bounded) // it may die meanwhile
	w.mu.Lock()
	before.die()
	w.mu.Unlock()
	before.bury()
	*p = w.boot(ctx)
}

// create makes task i anew, of random kind.
func (w *world) create(ctx context.Context, i int) {
	w.mu.Lock()
	info := w.randomTask(i)
	w.mu.Unlock()
	_, _ = w.admin.Create(ctx, info) // it may be there, or not yet forgotten
}

// createAll makes tasks anew, as many as there may be to a commit.
func (w *world) createAll(ctx context.Context) {
	w.mu.Lock()
	infos := make([]task.Info, 1+w.rand.IntN(3))
	for n := range infos {
		infos[n] = w.randomTask(w.rand.IntN(6))
	}
	w.mu.Unlock()
	w.admin.CreateAll(ctx, infos, func(int, error) {}) // they may be there, or not yet forgotten
}

// edit does what administrators do.
func (w *world) edit(ctx context.Context) {
	key := task.Key{Name: fmt.Sprint("t", w.draw(6))}
	var err error
	if w.moves && w.draw(3) == 0 {
		_ = w.moveTask(ctx, key) // there may be no such task
		return
	}
	switch w.draw(11) {
	case 9, 10:
		w.editCalendar(ctx, key)
	case 0, 1:
		err = w.pauseTask(ctx, key, true)
	case 2, 3, 4:
		err = w.pauseTask(ctx, key, false)
	case 5:
		err = w.admin.Delete(ctx, key, 0)
	case 6:
		w.createAll(ctx)
	case 7:
		_, err = w.admin.Update(ctx, key, 0, func(i *task.Info) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			i.Trigger = w.randomTrigger()
			return nil
		})
	default:
		w.ask(ctx, key)
	}
	_ = err // there may be no such task, or nothing to change
}

// ask asks for a run by hand, or to cancel the last run that began.
func (w *world) ask(ctx context.Context, key task.Key) {
	q := task.Request{Kind: task.RequestRun, Task: key}
	if info, err := w.admin.Get(ctx, key); err == nil && w.draw(3) == 0 {
		w.mu.Lock()
		for _, e := range w.history {
			if e.What == firecheck.Began && e.Fire.UID() == info.UID {
				q.Kind, q.FireID = task.RequestCancel, e.Fire
			}
		}
		w.mu.Unlock()
	}
	_, _ = w.admin.Ask(ctx, q) // there may be no such task
}

func (w *world) pauseTask(ctx context.Context, key task.Key, paused bool) error {
	_, err := w.admin.Update(ctx, key, 0, func(i *task.Info) error {
		i.Paused, i.PauseUntil = paused, nil
		if paused && w.draw(2) == 0 {
			w.mu.Lock()
			until := time.Now().Add(w.some(20 * time.Second)).Truncate(time.Millisecond)
			w.mu.Unlock()
			i.PauseUntil = &until
		}
		return nil
	})
	return err
}
