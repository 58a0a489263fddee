package follow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// ErrSessionLost tells that a session is over: open another to go on.
var ErrSessionLost = errors.New("the session is over")

// errSuspended is why a picture is stale while its session is suspended.
var errSuspended = errors.New("the connection is gone and is being mended")

// Queries are what a picture shows beside the tasks, as an administrator asks for it.
type Queries interface {
	Services(ctx context.Context) ([]contract.ServiceView, error)
	Calendars(ctx context.Context) ([]contract.CalendarView, error)
	Events(ctx context.Context, limit int) ([]contract.EventView, error)
}

// Scope says which tasks a follower looks after. The zero value: all.
type Scope struct {
	// Tasks are those whose buckets are read, and no others: Picture.Buckets counts
	// these. A task that moves to the buckets of another location meanwhile is seen
	// to every 30 s only.
	Tasks []task.Key
	// NoTasks: no bucket is read.
	NoTasks bool
}

// Follower reads a group.
type Follower struct {
	Store   *store.Store
	Members group.Members
	Queries Queries
	Now     func() time.Time
	// Cluster is where the group is; empty: as a host says.
	Cluster string
}

// Run tells a picture of the group each time that it has changed, at most
// every 200 ms and from one goroutine, until ctx ends or the session is lost
// (ErrSessionLost). tell must not block for long.
//
// Watches push what changes: definitions, owners, members, their clocks, the
// placement, drains, the barrier, services, calendars, events. Claims and ends of runs
// lie in logs that have no watch: a bucket is read when one of its instants comes,
// after each edit and request, and every 2 s while a run of it goes; and none of that
// unless its owner lives. What has no watch besides is read a few times after
// something was pushed. A group in which nothing happens is not read.
func (f Follower) Run(ctx context.Context, session coordclient.Session, s Scope, tell func(Picture)) error {
	w := &follower{
		Follower: f, session: session, tell: tell, wakes: newWakes(), scope: s, clocks: make(map[coordclient.MemberID]bool),
		p: Picture{Link: LinkLoading, Since: f.Now(), lens: new(lens)},
	}
	w.lens = w.p.lens
	defer w.wakes.stop()
	return w.run(ctx)
}

type follower struct {
	Follower
	session coordclient.Session
	tell    func(Picture)
	wakes   *wakes
	p       Picture

	scope   Scope
	only    map[int]bool // the buckets of the scope; nil: all
	buckets []*held
	around  standing.Group
	group   *group.Group                  // as it was read last; nil: not yet
	clocks  map[coordclient.MemberID]bool // of whom they are to be read
	lens    *lens
	words   words
	// When to read; zero: not before it is woken.
	groupDue, servicesDue, eventsDue, calendarsDue, allDue, retryDue time.Time

	groupAt  time.Time // when the group was read last
	allAt    time.Time // when all was
	allLooks int       // how often it was since something was pushed
	began    time.Time // when the last round began
	failures int       // rounds that failed in a row
	changed  bool      // the picture is another than the one told last
}

// held is what a follower knows of a bucket.
type held struct {
	seen  *seen // nil: not read yet
	dirty bool
	due   time.Time // when to read it although nothing woke it; zero: not
	// fresh: what is due is an instant of it.
	fresh bool
	looks int // how often it was read since it was woken
	// anew: it shows something else although nothing is new in it.
	anew bool
}

func (f *follower) run(ctx context.Context) error {
	f.told()
	for {
		state, changed := f.session.State()
		if state == coordclient.Lost {
			f.lastKnown()
			f.link(LinkLost, ErrSessionLost)
			f.told()
			return ErrSessionLost
		}
		f.began = time.Now()
		err := errSuspended
		if state == coordclient.Healthy {
			err = f.while(ctx, changed)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f.judge(err)
		f.told()
		if err := f.rest(ctx, changed); err != nil {
			return err
		}
	}
}

// judge settles what the link is worth after a round.
func (f *follower) judge(err error) {
	switch {
	case err == nil:
		f.failures, f.retryDue = 0, time.Time{}
		f.link(LinkLive, nil)
		f.p.At = f.Now()
		return
	case errors.Is(err, store.ErrNotInitialised):
		f.failures, f.retryDue = 0, time.Now().Add(lookGroup)
		f.link(LinkLive, nil)
		f.p.At = f.Now()
		return
	case errors.Is(err, errSuspended): // its change wakes us
		f.lastKnown()
	default:
		f.failures++
		f.retryDue = time.Now().Add(min(retryFirst<<min(f.failures-1, 10), retryMost))
	}
	f.link(LinkStale, err)
}

// lastKnown settles of when the picture is that was live until now: while nothing is
// pushed nothing is read, and a connection may be gone for a while unnoticed.
func (f *follower) lastKnown() {
	if at := f.Now().Add(-unnoticed); f.p.Link == LinkLive && at.After(f.p.At) {
		f.p.At = at
	}
}

func (f *follower) link(l Link, err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	if f.p.Link != l {
		f.p.Link, f.p.Since, f.changed = l, f.Now(), true
	}
	if f.p.Fault != fault {
		f.p.Fault, f.changed = fault, true
	}
}

func (f *follower) told() {
	if f.changed || f.p.Link == LinkLoading {
		f.changed = false
		f.tell(f.p)
	}
}

// rest waits until there is something to read.
func (f *follower) rest(ctx context.Context, session <-chan struct{}) error {
	var due <-chan time.Time
	if at := f.soonest(); !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-session:
	case <-due:
	case <-f.wakes.bell:
	}
	// What comes together is read together.
	return waitUntil(ctx, f.began.Add(tellPace))
}

// while is round, but for as long as the session is what it was: a request that
// waits for a connection to be mended must not keep the picture live.
func (f *follower) while(ctx context.Context, session <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { // ends with the round
		select {
		case <-session:
			cancel(errSuspended)
		case <-ctx.Done():
		}
	}()
	if err := f.round(ctx); err == nil || !errors.Is(context.Cause(ctx), errSuspended) {
		return err
	}
	return errSuspended
}

// round reads what has changed or is due.
func (f *follower) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if f.buckets == nil {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	f.take()
	if isDue(f.allDue) {
		now := time.Now()
		f.groupDue, f.servicesDue, f.eventsDue, f.calendarsDue = now, now, now, now
		f.allAt, f.allDue = now, f.afterAll(now)
	}
	for _, step := range []struct {
		due  *time.Time
		read func(context.Context) error
	}{{&f.groupDue, f.readGroup}, {&f.servicesDue, f.readServices}, {&f.eventsDue, f.readEvents}, {&f.calendarsDue, f.readCalendars}} {
		if !isDue(*step.due) {
			continue
		}
		at := *step.due
		*step.due = time.Time{}
		if err := step.read(ctx); err != nil {
			*step.due = at
			return err
		}
		f.changed = true
	}
	if err := f.readClocks(ctx); err != nil {
		return err
	}
	return f.readBuckets(ctx)
}

// begin learns how many buckets there are; all of it is to be read then.
func (f *follower) begin(ctx context.Context) error {
	if _, err := f.Store.Cluster(ctx); err != nil {
		return err
	}
	if err := f.narrow(ctx); err != nil {
		return err
	}
	f.allDue = time.Now()
	return f.widen(ctx)
}

// narrow finds the buckets of the scope.
func (f *follower) narrow(ctx context.Context) error {
	if len(f.scope.Tasks) == 0 && !f.scope.NoTasks {
		return nil
	}
	f.only = make(map[int]bool)
	for _, key := range f.scope.Tasks {
		home, err := f.Store.HomeOf(ctx, key)
		if err != nil {
			return err
		}
		f.only[home] = true
		info, err := f.Store.Get(ctx, key)
		if err := failure.UnlessMissing(err); err != nil {
			return err
		}
		if info.Seat.Bucket > 0 {
			f.only[info.Seat.Bucket] = true
		}
	}
	return nil
}

// follows tells whether a bucket is in the scope.
func (f *follower) follows(b int) bool { return f.only == nil || f.only[b] }

// widen takes in the buckets that are new: all of them at first, later those of
// locations. There are never fewer than there were.
func (f *follower) widen(ctx context.Context) error {
	span, err := f.Store.Span(ctx)
	if err != nil {
		return err
	}
	for len(f.buckets) < span {
		f.buckets = append(f.buckets, &held{dirty: f.follows(len(f.buckets)), looks: len(lookAgain)})
	}
	if f.p.Buckets = len(f.buckets); f.only != nil {
		f.p.Buckets = len(f.only)
	}
	return nil
}

// take marks what was woken as to be read.
func (f *follower) take() {
	for m := range f.wakes.take() {
		if m.kind != markEvents && m.kind != markClock {
			f.pushed()
		}
		switch m.kind {
		case markClock:
			f.clocks[coordclient.MemberID(m.watch)] = true
		case markBucket:
			f.buckets[m.bucket].dirty, f.buckets[m.bucket].looks = true, 0
		case markServices:
			f.servicesDue = time.Now()
		case markEvents:
			f.eventsDue = time.Now()
		case markCalendars:
			f.calendarsDue = time.Now()
		case markGroup:
			f.groupSoon()
		}
	}
}

// groupSoon has the group read, but not too often.
func (f *follower) groupSoon() {
	f.groupDue = earlier(f.groupDue, f.groupAt.Add(lookGroup))
}

// assemble makes the list of tasks of what the buckets show. What has not changed
// keeps its place, so that a run of one task does not put all of them in order anew.
func (f *follower) assemble() {
	before := f.p.seen
	f.p.Read = 0
	f.p.seen = make([]*seen, len(f.buckets)) // the one told stays as it is
	moved := make([]bool, len(f.buckets))    // other tasks than before
	var fresh []*Row
	same := len(before) == len(f.buckets)
	for b, h := range f.buckets {
		if f.p.seen[b] = h.seen; h.seen == nil {
			continue
		}
		f.p.Read++
		if b < len(before) && before[b] == h.seen {
			continue
		}
		same = false
		if moved[b] = b >= len(before) || before[b] == nil || !sameTasks(before[b].rows, h.seen.rows); moved[b] {
			for i := range h.seen.rows {
				fresh = append(fresh, &h.seen.rows[i])
			}
		}
	}
	if same {
		return
	}
	f.changed = true
	slices.SortFunc(fresh, ByName)
	tasks := make([]*Row, 0, len(f.p.Tasks)+len(fresh))
	for _, r := range f.p.Tasks {
		if moved[r.bucket] {
			continue
		}
		for len(fresh) > 0 && ByName(fresh[0], r) < 0 {
			tasks, fresh = append(tasks, fresh[0]), fresh[1:]
		}
		tasks = append(tasks, &f.p.seen[r.bucket].rows[r.at])
	}
	f.p.Tasks = append(tasks, fresh...)
}
