package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// The paces of a member.
const (
	// DefaultHandOver bounds the release of a bucket.
	DefaultHandOver = time.Minute
	// MaxSkew is by how much a member's clock may be off.
	MaxSkew = 5 * time.Second

	// keep is the part of the time to stop that is kept for what could not be
	// handed over, which the engine then releases.
	keep = 4

	role = "placement" // what leaders are elected for

	// resync is how often a member looks without being told, give or take a
	// quarter; resyncSoon is after what may have left a bucket half-acquired.
	resync     = 15 * time.Second
	resyncSoon = time.Second
	// poll is how often a leader looks without being told; pace is when it looks
	// first after it has changed something.
	poll = 2 * time.Second
	pace = 250 * time.Millisecond
	// renewServices is how often a leader reads the catalogue without being told.
	renewServices = 30 * time.Second
	// compareClocks is how often a member compares its clock, give or take a
	// quarter.
	compareClocks = 10 * time.Second
	// The pauses between failures; of those that go on a leader tells not oftener
	// than retell.
	minPause = 20 * time.Millisecond
	maxPause = 2 * time.Second
	retell   = time.Minute
	// tellLeaving is how often a member that leaves tells how far it is.
	tellLeaving = 5 * time.Second
	// A bucket that was lost is acquired again after minLost, and if it is lost
	// again within forgetLost, after twice as long, up to maxLost; maxPause while
	// the store's server is in doubt.
	minLost    = 100 * time.Millisecond
	maxLost    = time.Minute
	forgetLost = 5 * time.Minute
	// The store's server is doubted not oftener than this; the pause doubles while
	// doubts go on, and begins anew when there was none for forgetDoubt.
	minDoubt    = 10 * time.Second
	maxDoubt    = 10 * time.Minute
	forgetDoubt = time.Hour
	// together bounds the acquisitions at once. A release begins when it is its
	// turn: atATime have it at once, until there is a new owner, each for turnTime
	// at most.
	together = 32
	atATime  = 8
	turnTime = 250 * time.Millisecond
	// A leader that measures buckets again reads so many definitions a second, and
	// at most maxSurvey at once; a bucket counts for perSurvey besides.
	surveyRate = 1000
	maxSurvey  = 4000
	perSurvey  = 20
)

// Cluster is one membership. Make it with New. Safe for concurrent use.
type Cluster struct {
	d      Deps
	me     coordclient.MemberID
	meter  place.Meter
	slots  chan struct{}
	turns  chan struct{}
	nudges chan struct{} // capacity 1: look again

	// life is that of acquisitions and releases, loops that of everything else; it
	// ends first.
	life     context.Context
	end      context.CancelFunc
	loops    context.Context
	endLoops context.CancelFunc
	running  sync.WaitGroup // loops
	workers  sync.WaitGroup
	done     chan struct{}
	// gathered is what this member last decided by as the leader; nil: it does
	// not lead. What it points to does not change.
	gathered atomic.Pointer[place.Input]

	mu      sync.Mutex // guards what follows
	started bool
	stopped bool
	stopBy  time.Time // when releases are to be done, once it stops
	alive   map[coordclient.MemberID]bool
	regroup chan struct{} // closed when alive changed
	work    map[int]*work
	lost    map[int]loss
	doubted loss                 // of the store's server
	resyncs time.Time            // when to look at every bucket's node
	newest  coordclient.MemberID // of this node
	skew    time.Duration
	known   bool // the skew is known
	status  Status
	changed chan struct{}
}

// Status tells how a member stands.
type Status struct {
	// Waiting is why nothing is placed, as a leader said who knew of this member;
	// empty: something is, or nobody has said anything yet.
	Waiting string
	// Unfit is why this member may own nothing; empty: it may.
	Unfit string
	// Mine is how many buckets belong to this member, Owned how many it owns.
	Mine, Owned int
	// Settled: it has read a placement made for it, owns what belongs to it (which
	// is nothing while there is a reason to wait), and nothing else.
	Settled bool
	// Leading: this member leads.
	Leading bool
}

// New makes a Cluster. It starts nothing.
func New(d Deps) (*Cluster, error) {
	if d.Port == nil || d.Store == nil || d.Owner == nil {
		return nil, errors.New("cluster: Port, Store and Owner are needed")
	}
	if d.Resolver == nil {
		d.Resolver = place.RoundRobin{}
	}
	if d.Resolvers == nil {
		d.Resolvers = place.Standard()
	}
	if d.Describe == nil {
		d.Describe = func(coordclient.Member) place.Member { return place.Member{} }
	}
	if d.Formerly == nil {
		d.Formerly = func(coordclient.Member) []coordclient.MemberID { return nil }
	}
	if d.Deployed == nil {
		d.Deployed = func(store.Service) bool { return true }
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Options.HandOver <= 0 {
		d.Options.HandOver = DefaultHandOver
	}
	c := &Cluster{
		d: d, me: d.Port.ID(), slots: make(chan struct{}, together), turns: make(chan struct{}, atATime), nudges: make(chan struct{}, 1),
		done: make(chan struct{}), regroup: make(chan struct{}), work: make(map[int]*work), lost: make(map[int]loss),
		changed: make(chan struct{}),
	}
	c.life, c.end = context.WithCancel(context.Background())
	c.loops, c.endLoops = context.WithCancel(c.life)
	return c, nil
}

// ErrStopped says that the cluster was stopped.
var ErrStopped = errors.New("cluster is stopped")

// Start makes the store ready and begins to stand for the lead and to follow the
// placement. It does not wait for buckets: see Status. Errors: ErrStopped, those
// of the store.
func (c *Cluster) Start(ctx context.Context) error {
	if err := c.d.Store.Prepare(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopped:
		return ErrStopped
	case c.started:
		return nil
	}
	c.started = true
	// All end with loops.
	c.running.Go(c.mind)
	c.running.Go(c.clock)
	c.running.Go(c.follow)
	c.running.Go(c.stand)
	return nil
}

// Stop leaves in good order within ctx: if there are others to take them, it
// gives its buckets to them first. Then it follows nothing any more. Calling it
// again does no harm, nor does calling it before Start. Error: buckets that are
// still owned when ctx ends; the engine's Stop releases them.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	started := c.started && !c.stopped
	c.stopped = true
	if deadline, ok := ctx.Deadline(); ok && c.stopBy.IsZero() {
		c.stopBy = deadline.Add(-time.Until(deadline) / keep)
	}
	c.mu.Unlock()
	var err error
	if started {
		err = c.leave(ctx)
	}
	c.endLoops()
	c.running.Wait()
	finished := make(chan struct{})
	go func() { // ends with the workers
		c.workers.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	c.end()
	<-finished
	c.finish()
	return err
}

// Done closes when everything here has ended: after Stop, or when the session
// was lost.
func (c *Cluster) Done() <-chan struct{} { return c.done }

func (c *Cluster) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
	default:
		close(c.done)
	}
}

// Left is told that the engine lost a bucket, which is acquired again if it
// still belongs to this member. It does not block.
func (c *Cluster) Left(b int, cause error) {
	c.doubt(b, cause)
	c.mu.Lock()
	l := c.lost[b]
	if time.Since(l.last) > forgetLost {
		l.pause = 0
	}
	l.last, l.pause = time.Now(), min(max(2*l.pause, minLost), longest(cause))
	c.lost[b] = l
	c.mu.Unlock()
	c.nudge()
}

// loss is when something failed last, and how long to leave it alone.
type loss struct {
	last  time.Time
	pause time.Duration
}

// Status tells how the member stands, and gives a channel that closes when that
// has changed.
func (c *Cluster) Status() (Status, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.changed
}

// Wait returns when the member is settled: when it owns what belongs to it, which
// may be nothing while the barrier is closed. Errors: that of ctx, ErrStopped.
func (c *Cluster) Wait(ctx context.Context) error {
	for {
		status, changed := c.Status()
		if status.Settled {
			return nil
		}
		select {
		case <-changed:
		case <-c.done:
			return ErrStopped
		case <-ctx.Done():
			return fmt.Errorf("%d of %d buckets are owned: %w", status.Owned, status.Mine, context.Cause(ctx))
		}
	}
}

// tell changes the status.
func (c *Cluster) tell(change func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.status
	change(&c.status)
	if c.status != before {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// nudge makes the member look again.
func (c *Cluster) nudge() {
	select {
	case c.nudges <- struct{}{}:
	default:
	}
}

// mind watches the session.
func (c *Cluster) mind() {
	for {
		state, changed := c.d.Port.State()
		switch state {
		case coordclient.Lost:
			c.end()
			go func() { // ends when all that it waits for has
				c.running.Wait()
				c.workers.Wait()
				c.finish()
			}()
			return
		case coordclient.Healthy:
			c.lookAtAll()
		}
		select {
		case <-changed:
		case <-c.loops.Done():
			return
		}
	}
}

// lookAtAll makes the member look at every bucket's node.
func (c *Cluster) lookAtAll() {
	c.mu.Lock()
	c.resyncs = time.Time{}
	c.mu.Unlock()
	c.nudge()
}

// wait waits for d, give or take a quarter. False: ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(jittered(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// jittered is d give or take a quarter.
func jittered(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2+1) //nolint:gosec // spreading, no secret
}
