package follow

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

func (f *follower) readGroup(ctx context.Context) error {
	f.groupAt = time.Now()
	// The watches first: what changes during the read is told again.
	for watch, read := range map[string]func() (<-chan struct{}, error){
		"members": func() (<-chan struct{}, error) { _, w, err := f.Members.Members(ctx); return w, err },
		"placement": func() (<-chan struct{}, error) {
			_, _, w, err := f.Store.Placement(ctx)
			return w, failure.UnlessMissing(err)
		},
		"drains": func() (<-chan struct{}, error) {
			_, w, err := f.Store.Drains(ctx)
			return w, failure.UnlessMissing(err)
		},
		"places": func() (<-chan struct{}, error) {
			_, w, err := f.Store.Places(ctx)
			return w, failure.UnlessMissing(err)
		},
		"barrier": func() (<-chan struct{}, error) {
			_, _, w, err := f.Store.Barrier(ctx)
			return w, failure.UnlessMissing(err)
		},
	} {
		changed, err := read()
		if err != nil {
			return err
		}
		f.wakes.arm(mark{kind: markGroup, watch: watch}, changed)
	}
	if err := f.widen(ctx); err != nil {
		return err
	}
	g, err := group.Look(ctx, f.Store, f.Members)
	if err != nil {
		return err
	}
	clear(f.clocks)
	for _, m := range g.Members {
		f.clocks[m.ID] = true // to be watched
	}
	f.group = g
	f.p.Cluster, f.p.Placement, f.p.Nodes = g.View(cmp.Or(f.Cluster, g.Name())), g.Placement(), g.Nodes()
	f.around = standing.Group{Live: make(map[coordclient.MemberID]coordclient.Member), Paper: g.Paper, Waiting: g.Prepared && !g.Barrier.Open}
	for _, m := range g.Members {
		f.around.Live[m.ID] = m
	}
	for b, h := range f.buckets {
		if h.seen != nil {
			again := *h.seen
			again.look(f.around, b)
			h.seen = &again
			f.plan(h)
		}
	}
	f.assemble()
	return nil
}

// readClocks reads what those members say of their clocks who may have said
// something else. Who has said nothing yet is seen to with the group.
func (f *follower) readClocks(ctx context.Context) error {
	if f.group == nil || len(f.clocks) == 0 {
		return nil
	}
	clocks := maps.Clone(f.group.Clocks)
	for m := range f.clocks {
		skew, changed, ok, err := f.Store.Clock(ctx, m)
		if err != nil {
			return err
		}
		f.wakes.arm(mark{kind: markClock, watch: string(m)}, changed)
		if delete(f.clocks, m); ok {
			clocks[m] = skew
		}
	}
	if maps.Equal(clocks, f.group.Clocks) {
		return nil
	}
	g := *f.group
	g.Clocks = clocks
	f.group, f.p.Nodes, f.changed = &g, g.Nodes(), true
	return nil
}

func (f *follower) readServices(ctx context.Context) error {
	changed, err := f.Store.Announced(ctx)
	if err := failure.UnlessMissing(err); err != nil {
		return err
	}
	f.wakes.arm(mark{kind: markServices}, changed)
	f.p.Services, err = f.Queries.Services(ctx)
	return err
}

// readCalendars reads the calendars, and has the buckets read whose tasks name
// some: if any has changed, so may have what these tasks do.
func (f *follower) readCalendars(ctx context.Context) error {
	changed, err := f.Store.CalendarsMoved(ctx)
	if err := failure.UnlessMissing(err); err != nil {
		return err
	}
	f.wakes.arm(mark{kind: markCalendars}, changed)
	before := f.p.Calendars
	if f.p.Calendars, err = f.Queries.Calendars(ctx); err != nil {
		return err
	}
	if f.p.Book, err = f.Store.Book(ctx); err != nil {
		return err
	}
	same := func(a, b contract.CalendarView) bool { return a.Name == b.Name && a.Revision == b.Revision }
	if slices.EqualFunc(before, f.p.Calendars, same) {
		return nil
	}
	for _, h := range f.buckets {
		if h.seen != nil && slices.ContainsFunc(h.seen.defined, func(i task.Info) bool { return i.Windows != nil }) {
			h.dirty = true
		}
	}
	return nil
}

func (f *follower) readEvents(ctx context.Context) error {
	rings, err := f.Store.Rings(ctx)
	if err != nil {
		return err
	}
	for ring, changed := range rings {
		f.wakes.arm(mark{kind: markEvents, watch: ring}, changed)
	}
	f.p.Events, err = f.Queries.Events(ctx, keptEvents)
	return err
}

// readBuckets reads all that changed, and some of those due.
func (f *follower) readBuckets(ctx context.Context) error {
	var chosen, due []int
	for b, h := range f.buckets {
		switch {
		case h.dirty:
			chosen = append(chosen, b)
		case isDue(h.due):
			due = append(due, b)
		}
	}
	slices.SortFunc(due, func(a, b int) int { return f.buckets[a].due.Compare(f.buckets[b].due) })
	chosen = append(chosen, due[:min(len(due), lookMost)]...)
	for some := range slices.Chunk(chosen, parallel.Most) {
		reads := make([]func() error, len(some))
		for i, b := range some {
			reads[i] = func() error { return f.readBucket(ctx, b) }
		}
		err := parallel.Do(reads...)
		f.assemble()
		if err != nil {
			return err
		}
		if f.p.Read < f.p.Buckets && time.Since(f.began) > tellPace {
			f.began = time.Now()
			f.told() // how far it is
		}
	}
	return nil
}

// readBucket reads one bucket. Several are read at once; each touches its own.
func (f *follower) readBucket(ctx context.Context, b int) error {
	h := f.buckets[b]
	snap, err := f.Store.Snapshot(ctx, b)
	if corrupt, ok := errors.AsType[*store.CorruptError](err); ok {
		snap, err = store.Snapshot{Bucket: b, Corrupt: corrupt}, nil
	}
	if err != nil {
		return err
	}
	if h.seen != nil && snap.Corrupt == nil && snap.Node.Edit == h.seen.node.Edit {
		snap.Loaded.Definitions = asTheyStand(h.seen.defined, f.Now())
	} else if snap.Loaded.Definitions, err = f.Store.Called(ctx, snap); err != nil {
		return err
	}
	if snap.Loaded.Calendars, err = f.Store.Consulted(ctx, snap.Loaded.Definitions); err != nil {
		return err
	}
	now := &seen{node: snap.Node, defined: snap.Loaded.Definitions, bucket: standing.Of(snap, f.around, bucket.Triggers(&f.compile), f.Now)}
	now.look(f.around, b)
	if snap.Changed != nil {
		f.wakes.arm(mark{kind: markBucket, bucket: b}, snap.Changed)
	}
	moved := h.seen != nil && (h.seen.node.Member != now.node.Member || h.seen.node.Released != now.node.Released)
	if moved {
		f.wakes.wake(mark{kind: markGroup})
	}
	if h.fresh {
		h.looks = 0
	}
	h.seen, h.dirty, h.fresh = now, false, false
	f.plan(h)
	return nil
}

// plan settles when a bucket is to be read next although nothing wakes it.
func (f *follower) plan(h *held) {
	h.due, h.fresh = time.Time{}, false
	if !h.seen.bucket.Owner.Alive {
		return // nothing happens in it, and its next owner wakes it
	}
	now, wall := time.Now(), f.Now()
	next, busy := h.seen.soonest()
	overdue := !next.IsZero() && !next.After(wall)
	switch {
	case h.looks < len(lookAgain):
		h.due = now.Add(lookAgain[h.looks])
		h.looks++
	case busy || overdue:
		h.due = now.Add(lookSteady)
	}
	if next.IsZero() || overdue {
		return
	}
	if at := now.Add(next.Sub(wall) + lookAgain[0]); h.due.IsZero() || at.Before(h.due) {
		h.due, h.fresh = at, true
	}
}

// asTheyStand are definitions that were read before, as they stand now. What was
// read is not written into.
func asTheyStand(defined []task.Info, now time.Time) []task.Info {
	over := func(info task.Info) bool { return info.Paused && !info.Standing(now).Paused }
	if !slices.ContainsFunc(defined, over) {
		return defined
	}
	defined = slices.Clone(defined)
	for i := range defined {
		defined[i] = defined[i].Standing(now)
	}
	return defined
}
