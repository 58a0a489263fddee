package bucket

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// State is what a bucket's records add up to. It is not safe for concurrent
// use, and it reads no clock: its owner tells it the time.
type State struct {
	rules   Rules
	compile Compile
	book    *calendar.Book // nil: nobody has asked for calendars

	seq     int64 // of the last entry applied
	folded  int64
	entries map[string]*entry // by uid
	keys    map[task.Key]*entry
	wakes   wakes
	parked  []*entry // taken off the heap, to be looked at again
	// requests are those of administrators that no batch has taken yet.
	requests []task.Request
	// asked: the last Decide has seen to the requests, as far as it could.
	asked    bool
	withRuns int // entries that have recent runs
	values   int // bytes of the values of recent runs, at least
	usual    int // how many decisions a round makes
	// Of Inherit, for what is handed over later.
	wait time.Duration
	dead bool
	// lately is the time of the last Decide, in Unix milliseconds.
	lately int64
}

// entry is one task, by its uid.
type entry struct {
	cur   Cursor
	info  *task.Info // nil: no definition of this uid is known
	sched Schedule
	fault error // why the definition has no schedule
	// windows of the definition, and shut: why they cannot be told, so that nothing
	// is decided.
	windows *calendar.Windows
	shut    error
	// past has the undecided instants up to the definition's From; nil: none.
	past Schedule
	// resumed: the definition before was paused, which is why they are.
	resumed bool
	runs    []past
	// gone is when another definition took the task's key; zero: it has it.
	gone int64
	// dead: forgotten, and out of the state for good.
	dead bool
	// wake is when the entry needs attention, place its number in the heap.
	wake  int64
	place int
	// next is the first instant after nextOf, kept because it is asked often.
	nextOf, next int64
}

// Replay makes the state that a bucket's page and log add up to. Log entries at
// or below the page's Folded are ignored; those above it must be contiguous.
// Errors: ErrCorrupt, ErrNewer, ErrGap.
func Replay(l Loaded, compile Compile, rules Rules) (*State, error) {
	s := &State{
		rules: rules.withDefaults(), compile: compile, book: l.Calendars,
		entries: make(map[string]*entry, len(l.Definitions)), keys: make(map[task.Key]*entry, len(l.Definitions)),
	}
	if err := s.replayPage(l); err != nil {
		return nil, err
	}
	if err := s.replayLog(l.Log); err != nil {
		return nil, err
	}
	for i := range l.Definitions {
		s.define(&l.Definitions[i])
	}
	for _, e := range s.entries {
		if e.info == nil {
			e.gone = max(e.cur.Decided, 1)
		}
	}
	s.requests = slices.Clone(l.Requests)
	for _, e := range s.entries {
		s.rearm(e)
	}
	return s, nil
}

func (s *State) replayPage(l Loaded) error {
	if l.Page.Version >= 0 {
		page, err := DecodePage(l.Page.Data)
		if err != nil {
			return err
		}
		s.seq, s.folded = page.Folded, page.Folded
		for _, c := range page.Cursors {
			s.entries[c.UID] = &entry{cur: c}
		}
	}
	if l.Runs.Version < 0 {
		return nil
	}
	ring, err := decodeRuns(l.Runs.Data)
	if err != nil {
		return err
	}
	for uid, runs := range ring {
		if e := s.entries[uid]; e != nil {
			e.runs = runs
			s.withRuns++
			for i := range runs {
				s.values += len(runs[i].value)
			}
		}
	}
	return nil
}

func (s *State) replayLog(log []Blob) error {
	for _, blob := range slices.SortedFunc(slices.Values(log), func(a, b Blob) int { return int(a.Seq - b.Seq) }) {
		if blob.Seq <= s.folded {
			continue
		}
		b, err := DecodeBatch(blob.Data)
		switch {
		case err != nil:
			return fmt.Errorf("log entry %d: %w", blob.Seq, err)
		case b.Seq != blob.Seq:
			return fmt.Errorf("log entry %d: %w: it says it is %d", blob.Seq, ErrCorrupt, b.Seq)
		case b.Seq != s.seq+1:
			return fmt.Errorf("log entry %d follows %d: %w", b.Seq, s.seq, ErrGap)
		}
		for i := range b.Records {
			s.apply(b, &b.Records[i], false)
		}
		s.seq = b.Seq
	}
	return nil
}

// Seq is the number of the last log entry that the state holds.
func (s *State) Seq() int64 { return s.seq }

// Folded is the number of the last entry that the stored page holds.
func (s *State) Folded() int64 { return s.folded }

// Inherit tells how the owner deals with attempts that an earlier owner left
// open, from now on. Wait is for how long such an attempt may still start; with
// the task's time-out it is how long it may still go. Dead: it cannot, since
// the process is known to be gone.
func (s *State) Inherit(now time.Time, wait time.Duration, dead bool) {
	s.wait, s.dead = wait, dead
	for _, e := range s.entries {
		s.inherit(e, now)
		s.rearm(e)
	}
}

func (s *State) inherit(e *entry, now time.Time) {
	for _, o := range e.cur.Open {
		o.due = 0
		if !s.dead && o.Delivery != task.EffectivelyOnce {
			o.due = now.Add(s.wait+e.timeout()).UnixMilli() - o.Waited
		}
	}
}

func (e *entry) timeout() time.Duration {
	if e.info == nil {
		return task.DefaultTimeout
	}
	return e.info.RunTimeout()
}

// Edit takes in what a refresh found. No batch may be on its way.
func (s *State) Edit(c Changes) {
	for _, key := range c.Removed {
		if e := s.keys[key]; e != nil {
			delete(s.keys, key)
			e.gone = max(e.gone, e.cur.Decided, 1)
			s.rearm(e)
		}
	}
	if c.Calendars != nil && c.Calendars != s.book {
		s.consult(c.Calendars)
	}
	if c.All {
		s.dropUnlisted(c.Definitions)
	}
	for i := range c.Definitions {
		s.define(&c.Definitions[i])
	}
	if c.All {
		s.requests = nil
	}
	for _, q := range c.Requests {
		s.DropRequest(q.ID)
		s.requests = append(s.requests, q)
	}
	s.asked = false
}

// DropRequest forgets a request that is gone.
func (s *State) DropRequest(id string) {
	s.requests = slices.DeleteFunc(s.requests, func(q task.Request) bool { return q.ID == id })
}

func (s *State) dropUnlisted(all []task.Info) {
	listed := make(map[task.Key]bool, len(all))
	for i := range all {
		listed[all[i].Key] = true
	}
	for key, e := range s.keys {
		if !listed[key] {
			delete(s.keys, key)
			e.gone = max(e.gone, e.cur.Decided, 1)
			s.rearm(e)
		}
	}
}

// define takes in a definition, unless a later revision is known.
func (s *State) define(info *task.Info) {
	e := s.entries[info.UID]
	if e == nil {
		e = &entry{cur: Cursor{UID: info.UID}}
		s.entries[info.UID] = e
	}
	if e.info != nil && e.info.Revision > info.Revision {
		return
	}
	if before := s.keys[info.Key]; before != nil && before != e {
		before.gone = max(info.From.UnixMilli(), 1)
		s.rearm(before)
	}
	s.keys[info.Key] = e
	own := *info
	s.adopt(e, &own)
	s.rearm(e)
}

// adopt makes info the entry's definition, and finds out whether its From
// passed over instants of the one before.
func (s *State) adopt(e *entry, info *task.Info) {
	before, past := e.sched, e.past
	if e.info == nil || !e.overdue() {
		past, e.resumed = nil, e.info != nil && e.info.Paused
	}
	e.info, e.gone, e.nextOf, e.next, e.past = info, 0, 0, 0, nil
	if e.sched, e.fault = s.compile(info); e.fault != nil {
		e.sched = nil
	}
	e.consult(s.book)
	start, decided := from(info), e.cur.Decided
	switch {
	case decided >= start:
	case past != nil:
		e.past = past // the edit before this one is not dealt with yet
	case decided == 0:
		e.past = nothing{} // the first record says from where on all is decided
	case before != nil && nextAfter(before, decided) <= start:
		e.past = before
	case before == nil:
		// Nobody here knows what the definition was before, so what it may have
		// scheduled is skipped whether or not this one has instants there.
		earlier := *info
		earlier.From = time.UnixMilli(decided)
		e.past = nothing{}
		if s, err := s.compile(&earlier); err == nil {
			e.past = s
		}
	}
}

// stand ends a pause whose time is over. That needs no record: it follows from
// the definition and the time, and the cursor says what has been decided since.
func (s *State) stand(e *entry, now int64) {
	if e.info == nil || !e.info.Paused {
		return
	}
	if standing := e.info.Standing(time.UnixMilli(now)); !standing.Paused {
		s.adopt(e, &standing)
	}
}

// nothing is a schedule without instants.
type nothing struct{}

func (nothing) Next(time.Time) (time.Time, bool)      { return time.Time{}, false }
func (nothing) Last(_, _ time.Time) (time.Time, bool) { return time.Time{}, false }
func (nothing) Count(time.Time, time.Time) int        { return 0 }

// from is the instant up to which the definition fires nothing.
func from(info *task.Info) int64 {
	if info.From.IsZero() {
		return 0
	}
	return info.From.UnixMilli()
}

// ended tells when the task was deleted or replaced, if it was.
func (e *entry) ended() (int64, bool) {
	switch {
	case e.info != nil && e.info.Deleted:
		return e.info.DeletedAt.UnixMilli(), true
	case e.gone != 0:
		return e.gone, true
	default:
		return 0, false
	}
}

// ordered gives the entries by uid, so that what is stored is a function of
// the state.
func (s *State) ordered() []*entry {
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int { return strings.Compare(a.cur.UID, b.cur.UID) })
	return all
}

// Fold gives the page and the ring of recent runs that hold all that was
// applied. Waited is for how long this owner has waited for inherited attempts.
// ErrTooLarge: the bucket has too many tasks for one page.
func (s *State) Fold(waited time.Duration) (page, runs []byte, err error) {
	p := Page{Folded: s.seq}
	for _, e := range s.ordered() {
		c := e.cur
		for i, o := range c.Open {
			if !o.held && !o.Settled && waited > 0 {
				c.Open = slices.Clone(c.Open)
				longer := *o
				longer.Waited += waited.Milliseconds()
				c.Open[i] = &longer
			}
		}
		p.Cursors = append(p.Cursors, c)
	}
	page = p.Encode()
	if len(page) > MaxFold {
		return nil, nil, fmt.Errorf("page of %d bytes with %d tasks: %w", len(page), len(p.Cursors), ErrTooLarge)
	}
	return page, s.encodeRuns(MaxFold - len(page)), nil
}

// FoldedTo notes that the page of Fold was stored when the log ended at seq.
func (s *State) FoldedTo(seq int64) { s.folded = seq }
