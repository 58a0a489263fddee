package event

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrCut is what Stop says when attempts at deliveries were cut short. Nothing is
// lost: they are made again after the next start, or by another host.
var ErrCut = errors.New("deliveries were cut short")

// page is how many messages are read of the outbox at once.
const page = 256

// idle is how often the outbox is read without being told to, and pause the
// least time between two readings. A full outbox takes long to read: sending has
// rests times the time that reading takes.
const (
	idle  = 30 * time.Second
	pause = 50 * time.Millisecond
	rests = 4
)

// cutGrace is how long attempts that were cut short may take to end.
const cutGrace = 2 * time.Second

// maxError bounds a recorded error, in bytes.
const maxError = 500

// DispatcherConfig is what a Dispatcher needs. All fields but Limits are
// required.
type DispatcherConfig struct {
	Outbox   Outbox
	Sender   Sender
	Reporter Reporter
	Now      func() time.Time
	Rand     *rand.Rand // for jitter; the dispatcher's own from then on
	Limits   Limits
}

// Dispatcher delivers what is in the outbox. Make it with NewDispatcher.
type Dispatcher struct {
	c    DispatcherConfig
	life life

	mu     sync.Mutex // guards what follows
	flying map[string]bool
	target map[string]int
	// sent holds messages that were accepted, and whose removal the outbox did
	// not confirm: they are removed, not sent again.
	sent  map[string]bool
	rest  map[string]time.Time // see resting
	count Counts

	landed chan struct{}
	work   sync.WaitGroup
	// flight is the context of attempts, which outlive the loop until cut.
	flight context.Context
	cut    context.CancelFunc
}

// Counts tells what became of messages since the start.
type Counts struct {
	Sent, Failed, Dead int64 // messages, attempts, messages
}

// NewDispatcher makes a dispatcher. It starts nothing.
func NewDispatcher(c DispatcherConfig) *Dispatcher {
	c.Limits = c.Limits.normal()
	flight, cut := context.WithCancel(context.Background())
	return &Dispatcher{
		c: c, flight: flight, cut: cut, flying: map[string]bool{}, target: map[string]int{}, sent: map[string]bool{}, rest: map[string]time.Time{},
		landed: make(chan struct{}, 1),
	}
}

// Start delivers until Stop.
func (d *Dispatcher) Start() error { return d.life.start(d.run) }

// Stop starts no more attempts and waits for those that are going, so that what
// a receiver accepts is recorded. When ctx ends they are cut short, which its
// error says; they are made again after the next start. It is legal before
// Start, and twice.
func (d *Dispatcher) Stop(ctx context.Context) error {
	defer d.cut()
	err := d.life.stop(ctx)
	if err == nil {
		return nil
	}
	d.cut()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), cutGrace)
	defer cancel()
	if late := d.life.stop(last); late != nil {
		return fmt.Errorf("deliveries do not end: %w", late)
	}
	return fmt.Errorf("%w: %w", ErrCut, err)
}

// Counts tells what became of messages.
func (d *Dispatcher) Counts() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.count
}

// run reads the outbox when something became due, or changed and was not read
// for a pause, and in between starts what there is room for.
func (d *Dispatcher) run(ctx context.Context) {
	defer d.work.Wait()
	again := time.NewTimer(0)
	defer again.Stop()
	var queue []Pending
	var changed <-chan struct{}
	var last time.Time
	rest := pause
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-again.C:
			var wait time.Duration
			began := time.Now()
			queue, wait, changed = d.read(ctx)
			last = time.Now()
			rest = max(pause, rests*last.Sub(began))
			again.Reset(max(wait, rest))
		case <-changed:
			changed = nil
			again.Reset(max(0, rest-time.Since(last)))
		case <-d.landed: // what is left of it was not read while it was on its way
			again.Reset(max(0, rest-time.Since(last)))
		}
		queue = d.launch(ctx, queue)
	}
}

// read lists what is due and not on its way, and tells how long until more is
// due. What was on its way before the list was made is left out even if it
// landed since: the list may still show it.
func (d *Dispatcher) read(ctx context.Context) (due []Pending, wait time.Duration, changed <-chan struct{}) {
	d.mu.Lock()
	flying := maps.Clone(d.flying)
	d.mu.Unlock()
	pending, changed, err := d.c.Outbox.Pending(ctx, page)
	if err != nil {
		return nil, time.Second, nil // the store tells of its troubles itself
	}
	now, wait := d.c.Now(), idle
	for _, p := range pending {
		next := later(p.Next, d.resting(p.ID))
		switch {
		case p.Dead:
			d.bury(ctx, p, now)
		case flying[p.ID]:
		case next.After(now):
			wait = min(wait, next.Sub(now))
		default:
			due = append(due, p)
		}
	}
	if len(due) > 0 && len(pending) == page {
		wait = min(wait, time.Second) // there may be more behind them
	}
	return due, wait, changed
}

// launch starts what there is room for, and gives what is left.
func (d *Dispatcher) launch(ctx context.Context, queue []Pending) []Pending {
	var left []Pending
	for _, p := range queue {
		if ctx.Err() != nil || !d.take(p) {
			left = append(left, p)
			continue
		}
		d.work.Go(func() { // ends with the attempt, which Stop and SendTimeout bound
			defer d.land(p)
			d.deliver(d.flight, p)
		})
	}
	return left
}

// take reserves room for a message.
func (d *Dispatcher) take(p Pending) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	to := target(p.To)
	if len(d.flying) >= d.c.Limits.Concurrency || d.target[to] >= d.c.Limits.PerTarget {
		return false
	}
	d.flying[p.ID] = true
	d.target[to]++
	return true
}

// resting tells until when a message is left alone because what became of it
// could not be recorded.
func (d *Dispatcher) resting(id string) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rest[id]
}

// recorded notes whether the outbox took what became of a message.
func (d *Dispatcher) recorded(id string, err error, next time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.rest[id] = next
		return false
	}
	delete(d.rest, id)
	return true
}

func (d *Dispatcher) land(p Pending) {
	d.mu.Lock()
	delete(d.flying, p.ID)
	to := target(p.To)
	if d.target[to]--; d.target[to] == 0 {
		delete(d.target, to)
	}
	d.mu.Unlock()
	select {
	case d.landed <- struct{}{}:
	default:
	}
}

// target names the host that a subscription is sent to.
func target(to string) string {
	if u, err := url.Parse(to); err == nil && u.Host != "" {
		return strings.ToLower(u.Host)
	}
	scheme, _, _ := strings.Cut(to, ":")
	return strings.ToLower(scheme)
}

// deliver makes one attempt and records what became of it.
func (d *Dispatcher) deliver(ctx context.Context, p Pending) {
	d.mu.Lock()
	sent := d.sent[p.ID]
	d.mu.Unlock()
	if !sent {
		if err := d.send(ctx, p.Message); err != nil {
			if ctx.Err() == nil { // else it was cut short: as if never made
				d.failed(ctx, p, err)
			}
			return
		}
		d.mu.Lock()
		d.sent[p.ID] = true
		d.count.Sent++
		d.mu.Unlock()
	}
	// The receiver has it: record that even while stopping.
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), tickTimeout)
	defer cancel()
	if d.recorded(p.ID, d.c.Outbox.Done(done, p), d.c.Now().Add(time.Second)) {
		d.mu.Lock()
		delete(d.sent, p.ID)
		d.mu.Unlock()
	}
}

// send calls the sender within the time-out; one that panics has failed.
func (d *Dispatcher) send(ctx context.Context, m task.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("sender: %v", r)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, d.c.Limits.SendTimeout)
	defer cancel()
	return d.c.Sender.Send(ctx, m)
}

// failed records an attempt in vain, and when the next is due.
func (d *Dispatcher) failed(ctx context.Context, p Pending, cause error) {
	now := d.c.Now()
	var se *SendError
	errors.As(cause, &se)
	p.Attempts++
	p.LastErr = clip(oneLine(cause.Error()), maxError)
	p.Next = now.Add(d.backoff(p.Attempts))
	if se != nil && se.After > 0 {
		p.Next = later(p.Next, now.Add(min(se.After, time.Hour)))
	}
	switch l := d.c.Limits; {
	case se != nil && se.Permanent:
		p.Dead = true
	case p.Attempts >= l.MaxAttempts:
		p.Dead, p.LastErr = true, fmt.Sprintf("given up after %d attempts: %s", p.Attempts, p.LastErr)
	case p.Next.Sub(p.Raised) > l.MaxAge:
		p.Dead, p.LastErr = true, fmt.Sprintf("given up after %s: %s", l.MaxAge, p.LastErr)
	}
	d.mu.Lock()
	d.count.Failed++
	d.mu.Unlock()
	if !d.recorded(p.ID, d.c.Outbox.Update(ctx, p), p.Next) {
		return // it is not dead yet, and is tried again
	}
	if p.Dead {
		d.mu.Lock()
		d.count.Dead++
		d.mu.Unlock()
		d.c.Reporter.Report(Report{
			At: now, Level: "error", Code: CodeDead, Object: p.ID,
			Text: fmt.Sprintf("message %q for %s: %s", p.Subject, redact(p.To), p.LastErr),
		})
	}
}

// backoff before attempt n+1: doubled each time, half of it random.
func (d *Dispatcher) backoff(n int) time.Duration {
	b := d.c.Limits.Backoff
	for i := 1; i < n && b < d.c.Limits.MaxBackoff; i++ {
		b *= 2
	}
	b = min(b, d.c.Limits.MaxBackoff)
	d.mu.Lock()
	defer d.mu.Unlock()
	return b/2 + time.Duration(d.c.Rand.Int64N(int64(b/2)+1))
}

// bury removes a message that was dead for long.
func (d *Dispatcher) bury(ctx context.Context, p Pending, now time.Time) {
	if now.Sub(p.Raised) < d.c.Limits.MaxAge+d.c.Limits.DeadRetention || d.c.Outbox.Done(ctx, p) != nil {
		return
	}
	d.c.Reporter.Report(Report{
		At: now, Level: "info", Code: CodeDropped, Object: p.ID,
		Text: fmt.Sprintf("message %q for %s was dead for long and is removed", p.Subject, redact(p.To)),
	})
}

// redact leaves out what a webhook's address may keep secret.
func redact(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		return to
	}
	return u.Scheme + "://" + u.Host + u.Path
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
