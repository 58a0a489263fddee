package follow

import (
	"context"
	"time"
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
	// readMost is how many buckets are read at once; of each, all tasks are in memory
	// as long.
	readMost = 16
	// lookSteady is how often a bucket is read in which something is under way or
	// overdue.
	lookSteady = 2 * time.Second
	// lookApart is the least time between two looks at what has no watch.
	lookApart = 10 * time.Second
	// lookScoped is how often a follower of some tasks looks at all again.
	lookScoped = 30 * time.Second
	// readTime bounds the reads of one round.
	readTime = 10 * time.Second
	// The wait after a round that failed doubles from the one to the other.
	retryFirst = 250 * time.Millisecond
	retryMost  = 5 * time.Second
	// unnoticed is how long a connection may be gone before its session says so.
	unnoticed = 10 * time.Second
	// keptEvents bounds the events of a picture.
	keptEvents = 500
)

// lookAll is when all of it is read again after something was pushed: what has no
// watch (what the leader measures after an edit, the first word of a new host, who
// edited what) follows soon.
var lookAll = [...]time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second}

// lookAgain is when a bucket is read again after it was woken or one of its
// instants came: its log has no watch, and a claim and its end follow soon.
var lookAgain = [...]time.Duration{150 * time.Millisecond, 400 * time.Millisecond, time.Second, lookSteady}

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

// afterAll is when all is read again; zero: not before something is pushed.
func (f *follower) afterAll(now time.Time) time.Time {
	switch {
	case f.allLooks < len(lookAll):
		f.allLooks++
		return now.Add(lookAll[f.allLooks-1])
	case f.only != nil:
		return now.Add(lookScoped)
	}
	return time.Time{}
}

// pushed has what has no watch read soon.
func (f *follower) pushed() {
	at := time.Now().Add(lookAll[0])
	if apart := f.allAt.Add(lookApart); at.Before(apart) {
		at = apart
	}
	f.allDue, f.allLooks = earlier(f.allDue, at), 1
}
