package follow

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
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
		if h.seen == nil || h.seen.owner == f.around.Owner(b, h.seen.snap.Node) {
			continue
		}
		if err := f.again(h, h.seen.snap); err != nil {
			return err
		}
		f.plan(h)
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
		if h.seen != nil && h.seen.windowed {
			h.dirty, h.anew = true, true
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
	for some := range slices.Chunk(chosen, readMost) {
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
	changed, before := snap.Changed, h.seen
	switch {
	case before != nil && !h.fresh && !h.anew && before.tells(snap, f.around.Owner(b, snap.Node)):
	case before != nil && snap.Corrupt == nil && before.snap.Corrupt == nil && snap.Node.Edit == before.snap.Node.Edit:
		if before.windowed {
			if snap.Loaded.Calendars, err = f.Store.Book(ctx); err != nil {
				return err
			}
		}
		if err := f.again(h, snap); err != nil {
			return err
		}
	default:
		definitions, err := f.Store.Called(ctx, snap)
		if err != nil {
			return err
		}
		if snap.Loaded.Calendars, err = f.Store.Consulted(ctx, definitions); err != nil {
			return err
		}
		now, err := f.glance(snap, definitions, nil)
		if err != nil {
			return err
		}
		h.seen = now
	}
	if changed != nil {
		f.wakes.arm(mark{kind: markBucket, bucket: b}, changed)
	}
	if now := h.seen; before != nil && (before.snap.Node.Member != now.snap.Node.Member || before.snap.Node.Released != now.snap.Node.Released) {
		f.wakes.wake(mark{kind: markGroup})
	}
	if h.fresh {
		h.looks = 0
	}
	h.dirty, h.fresh, h.anew = false, false, false
	f.plan(h)
	return nil
}

// again looks at a bucket whose definitions are as they were.
func (f *follower) again(h *held, snap store.Snapshot) error {
	definitions, err := f.lens.all(h.seen.definitions)
	if err != nil {
		return err
	}
	now, err := f.glance(snap, definitions, &h.seen.definitions)
	if err != nil {
		return err
	}
	h.seen = now
	return nil
}

// plan settles when a bucket is to be read next although nothing wakes it.
func (f *follower) plan(h *held) {
	h.due, h.fresh = time.Time{}, false
	if !h.seen.owner.Alive {
		return // nothing happens in it, and its next owner wakes it
	}
	now, wall := time.Now(), f.Now()
	next, busy := h.seen.next, h.seen.busy
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
