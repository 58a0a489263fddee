package follow

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// How a follower paces itself.
const (
	// tellPace is the least time between two rounds of reading, and so between
	// two pictures.
	tellPace = 200 * time.Millisecond
	// lookGroup is the least time between two looks at the whole group.
	lookGroup = time.Second
	// lookMost bounds the buckets that are read in one round because something is
	// due there. Those that changed are all read.
	lookMost = 16
	// lookSteady is how often a bucket is read in which something is under way or
	// overdue.
	lookSteady = 2 * time.Second
	// lookAll is how often what has no watch is read again: what the leader has
	// measured, clocks, and who tells of something for the first time.
	lookAll = 30 * time.Second
	// readTime bounds the reads of one round.
	readTime = 10 * time.Second
	// The wait after a round that failed doubles from the one to the other.
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
	// keptEvents bounds the events of a picture.
	keptEvents = 500
)

// lookAgain is when a bucket is read again after it was woken or one of its
// instants came: its log has no watch, and a claim and its end follow soon.
var lookAgain = [...]time.Duration{150 * time.Millisecond, 400 * time.Millisecond, time.Second, lookSteady}

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
// Watches push what changes: definitions, owners, members, the placement,
// drains, the barrier, services, calendars, events. Claims and ends of runs lie in logs
// that have no watch: a bucket is read when one of its instants comes, after
// each edit and request, and every 2 s while a run of it goes; and none of that
// unless its owner lives. An idle group is not read, but for a look every 30 s.
func (f Follower) Run(ctx context.Context, session coordclient.Session, s Scope, tell func(Picture)) error {
	w := &follower{
		Follower: f, session: session, tell: tell, wakes: newWakes(), scope: s,
		p: Picture{Link: LinkLoading, Since: f.Now()},
	}
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
	compile trigger.Compiler
	// When to read; zero: not before it is woken.
	groupDue, servicesDue, eventsDue, calendarsDue, allDue, retryDue time.Time

	groupAt  time.Time // when the group was read last
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
}

func (f *follower) run(ctx context.Context) error {
	f.told()
	for {
		state, changed := f.session.State()
		if state == coordclient.Lost {
			f.link(LinkLost, ErrSessionLost)
			f.told()
			return ErrSessionLost
		}
		f.began = time.Now()
		err := errSuspended
		if state == coordclient.Healthy {
			err = f.round(ctx)
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
	default:
		f.failures++
		f.retryDue = time.Now().Add(min(retryFirst<<min(f.failures-1, 10), retryMost))
	}
	f.link(LinkStale, err)
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

func waitUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// soonest is when something is due; zero: never.
func (f *follower) soonest() time.Time {
	if !f.retryDue.IsZero() {
		return f.retryDue
	}
	var first time.Time
	for _, at := range []time.Time{f.groupDue, f.servicesDue, f.eventsDue, f.calendarsDue, f.allDue} {
		first = earlier(first, at)
	}
	for _, h := range f.buckets {
		if h.dirty {
			return time.Now()
		}
		first = earlier(first, h.due)
	}
	return first
}

// earlier is the earlier of two times, where zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func isDue(at time.Time) bool { return !at.IsZero() && !time.Now().Before(at) }

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
		f.allDue, f.groupDue, f.servicesDue, f.eventsDue, f.calendarsDue = now.Add(lookAll), now, now, now, now
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
		switch m.kind {
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

// assemble makes the list of tasks of what the buckets show.
func (f *follower) assemble() {
	f.changed = true
	f.p.Read = 0
	n := 0
	f.p.seen = make([]*seen, len(f.buckets)) // the one told stays as it is
	for b, h := range f.buckets {
		if f.p.seen[b] = h.seen; h.seen != nil {
			f.p.Read++
			n += len(h.seen.views)
		}
	}
	tasks := make([]contract.TaskView, 0, n)
	f.p.where = make(map[task.Key]*seen, n)
	for _, s := range f.p.seen {
		if s == nil {
			continue
		}
		tasks = append(tasks, s.views...)
		for i := range s.defined {
			if !s.defined[i].Deleted {
				f.p.where[s.defined[i].Key] = s
			}
		}
	}
	slices.SortFunc(tasks, func(a, b contract.TaskView) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Type, b.Type))
	})
	f.p.Tasks = tasks
}
