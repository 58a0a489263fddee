package follow

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// seen is a bucket as it was read last: a row for each task, and what else was read,
// packed, for when somebody looks at one of them. It is never changed.
type seen struct {
	serial int64          // another for each that was seen
	snap   store.Snapshot // as it was read, but for the definitions
	owner  standing.Owner
	at     time.Time // when: definitions stand as they did then

	definitions pack // those of rows, in their order, and then tombstones
	rows        []Row
	windowed    bool // a task names calendars

	counts map[contract.State]int
	recent []contract.RunView // newest first, at most recentPerBucket, without values
	next   time.Time          // the first instant to come, or end of a pause; zero: none
	busy   bool               // something is under way
}

// recentPerBucket bounds the runs of one bucket among the latest.
const recentPerBucket = 40

// glance makes of a bucket that was read what is held of it. The definitions are
// put in order. Packed are they, if that has been done already.
func (f *follower) glance(snap store.Snapshot, definitions []task.Info, packed *pack) (*seen, error) {
	now := f.Now()
	s := &seen{serial: f.lens.serial.Add(1), snap: snap, at: now, counts: make(map[contract.State]int)}
	s.snap.Loaded.Definitions, s.snap.Changed = nil, nil
	if packed == nil {
		slices.SortFunc(definitions, inPack)
		p, err := f.lens.pack(definitions)
		if err != nil {
			return nil, err
		}
		packed = &p
	}
	s.definitions = *packed
	standAt(definitions, now)
	snap.Loaded.Definitions = definitions
	b := standing.Of(snap, f.around, bucket.Triggers(&f.lens.compile), func() time.Time { return now })
	b.Owner = f.around.Owner(snap.Bucket, snap.Node)
	s.owner = b.Owner
	n := slices.IndexFunc(definitions, func(i task.Info) bool { return i.Deleted })
	if n < 0 {
		n = len(definitions)
	}
	s.rows = make([]Row, n)
	for i := range s.rows {
		runs := b.Runs(&definitions[i])
		slices.Reverse(runs)
		s.rows[i] = rowOf(&b, &definitions[i], runs, &f.words)
		s.rows[i].bucket, s.rows[i].at = int32(snap.Bucket), int32(i)
		s.count(&s.rows[i])
		s.remember(runs)
	}
	s.recent = slices.Clone(latest(s.recent, recentPerBucket))
	return s, nil
}

// inPack orders definitions as a pack holds them.
func inPack(a, b task.Info) int {
	switch {
	case a.Deleted == b.Deleted:
		return keyByName(&a.Key, &b.Key)
	case a.Deleted:
		return 1
	}
	return -1
}

// standAt makes definitions of what was read what they are at a time.
func standAt(definitions []task.Info, now time.Time) {
	for i := range definitions {
		if definitions[i].PauseUntil != nil {
			definitions[i] = definitions[i].Standing(now)
		}
	}
}

// count takes a row into the sums.
func (s *seen) count(r *Row) {
	s.counts[r.State]++
	s.windowed = s.windowed || r.Windowed
	s.busy = s.busy || r.State == contract.Running || r.State == contract.Blocked
	for _, m := range []Moment{r.Next, r.PausedUntil} {
		if t := m.Time(); t != nil && (s.next.IsZero() || t.Before(s.next)) {
			s.next = *t
		}
	}
}

// remember takes runs into the latest.
func (s *seen) remember(runs []contract.RunView) {
	for i := range runs {
		runs[i].Value = "" // may be long, and no list shows it
	}
	if s.recent = append(s.recent, runs...); len(s.recent) > 8*recentPerBucket {
		s.recent = latest(s.recent, recentPerBucket)
	}
}

// latest gives the latest n of runs, newest first, in the place of all.
func latest(runs []contract.RunView, n int) []contract.RunView {
	slices.SortStableFunc(runs, func(a, b contract.RunView) int {
		return cmp.Or(b.Moved().Compare(a.Moved()), strings.Compare(a.Task, b.Task), strings.Compare(b.FireID, a.FireID), cmp.Compare(b.Attempt, a.Attempt))
	})
	return runs[:min(len(runs), n)]
}

// tells whether a bucket has nothing new since it was read, if no instant of it has
// come.
func (s *seen) tells(snap store.Snapshot, owner standing.Owner) bool {
	a, b := &s.snap, &snap
	return a.Corrupt == nil && b.Corrupt == nil && s.owner == owner &&
		a.Node.Member == b.Node.Member && a.Node.Released == b.Node.Released && a.Node.Edit == b.Node.Edit &&
		a.Loaded.Page.Version == b.Loaded.Page.Version && a.Loaded.Runs.Version == b.Loaded.Runs.Version && lastOf(a.Loaded.Log) == lastOf(b.Loaded.Log)
}

// lastOf is the number of a log's last entry; 0: it is empty.
func lastOf(log []bucket.Blob) int64 {
	if len(log) == 0 {
		return 0
	}
	return log[len(log)-1].Seq
}

// sameTasks tells whether two lists of rows are of the same tasks, in one order.
func sameTasks(a, b []Row) bool {
	return slices.EqualFunc(a, b, func(a, b Row) bool { return a.Key == b.Key })
}
