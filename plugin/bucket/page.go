package bucket

import (
	"fmt"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds in bytes of what one commit replaces.
const (
	// MaxFold is the largest sum of an encoded page and ring of recent runs,
	// which leaves a commit room for its keys.
	MaxFold = 480 << 10
	// MaxRuns is the largest encoded ring as long as each task has its last run.
	MaxRuns = 96 << 10
)

// Page is the state of a bucket as of the log entry Folded. Entries at or below
// it are history: replay ignores them.
type Page struct {
	Folded  int64
	Cursors []Cursor
}

// Cursor is what is known of one task by its uid. Times are Unix milliseconds.
type Cursor struct {
	UID string
	// Decided is the last decided instant: claimed, skipped or deferred. Zero:
	// none. An instant is decided only once, because only later ones ever are.
	Decided int64
	// Alerted is the After of the silent alert that was raised since the last OK.
	Alerted int64
	// LastOK is when a run last ended OK.
	LastOK int64
	Counts Counts
	// Open claims, oldest first.
	Open []*Open
	// Deferred instants, in the order in which they are to run.
	Deferred []Deferred
}

// Counts count firings, not attempts.
type Counts struct {
	Fired   int64 // claimed
	OK      int64
	Failed  int64 // FAILED or TIMED_OUT, retries used up
	Unknown int64
	Skipped int64 // instants; a range counts at most MaxCount
}

// Deferred is an instant that is decided and still to be claimed.
type Deferred struct {
	At        int64
	NotBefore int64
}

// Open is a claim without an end.
type Open struct {
	At     int64
	Manual string
	// Attempt that was last claimed or reclaimed, by Node at Tried.
	Attempt int
	Tried   int64
	Node    string
	// Claimed is when the firing was first claimed. The inbox keeps it.
	Claimed  int64
	Revision int64
	Meaning  uint64
	Hash     string
	Delivery task.Delivery
	Input    task.Input
	// Attempts that ended without ending the firing, by kind.
	Failed, Unsent, Again int
	// Waited is for how long earlier owners have waited for an attempt that may
	// still be going, in milliseconds.
	Waited int64
	// Doubt: an attempt was cut short or not answered, so it may have had its
	// effect.
	Doubt bool
	// Settled: the attempt is, and the next is due at RetryAt. Outcome and Error
	// are of the settled one. With the outcome WAITING its request was sent, and
	// RetryAt is its reply's deadline.
	Settled bool
	RetryAt int64
	Outcome task.Outcome
	Error   string

	// Of the owner at work, not stored.
	held   bool   // claimed here: its worker settles it
	due    int64  // inherited: not before this instant, by the owner's clock
	cancel string // a request to cancel it
}

// The bits of a stored claim.
const (
	openDoubt = 1 << iota
	openSettled
	openInput // since formatInputs
)

// Encode writes the page in its stored form.
func (p *Page) Encode() []byte {
	e := newEncoder(magicPage, 64+80*len(p.Cursors))
	e.int(p.Folded)
	e.uint(uint64(len(p.Cursors)))
	for i := range p.Cursors {
		p.Cursors[i].encode(e)
	}
	return e.done()
}

// DecodePage reads a stored page. Errors: ErrCorrupt, ErrNewer.
func DecodePage(data []byte) (*Page, error) {
	d := newDecoder(magicPage, data)
	p := &Page{Folded: d.int()}
	n := d.count()
	for range n {
		var c Cursor
		c.decode(d)
		if d.err != nil {
			break
		}
		p.Cursors = append(p.Cursors, c)
	}
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return p, nil
}

func (c *Cursor) encode(e *encoder) {
	e.text(c.UID)
	for _, v := range [...]int64{
		c.Decided, c.Alerted, c.LastOK, c.Counts.Fired, c.Counts.OK, c.Counts.Failed,
		c.Counts.Unknown, c.Counts.Skipped,
	} {
		e.int(v)
	}
	e.uint(uint64(len(c.Open)))
	for _, o := range c.Open {
		o.encode(e)
	}
	e.uint(uint64(len(c.Deferred)))
	for _, w := range c.Deferred {
		e.int(w.At)
		e.int(w.NotBefore)
	}
}

func (c *Cursor) decode(d *decoder) {
	c.UID = d.text()
	for _, v := range [...]*int64{
		&c.Decided, &c.Alerted, &c.LastOK, &c.Counts.Fired, &c.Counts.OK,
		&c.Counts.Failed, &c.Counts.Unknown, &c.Counts.Skipped,
	} {
		*v = d.int()
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		o := &Open{}
		o.decode(d)
		c.Open = append(c.Open, o)
	}
	for n := d.count(); n > 0 && d.err == nil; n-- {
		c.Deferred = append(c.Deferred, Deferred{At: d.int(), NotBefore: d.int()})
	}
}

func (o *Open) encode(e *encoder) {
	if o.awaits() {
		e.needs(formatReplies)
	}
	if o.Input != "" {
		e.needs(formatInputs)
	}
	e.uint(flag(o.Doubt, openDoubt) | flag(o.Settled, openSettled) | flag(o.Input != "", openInput))
	for _, v := range [...]int64{o.At, o.Tried, o.Claimed, o.Revision, o.Waited, o.RetryAt} {
		e.int(v)
	}
	for _, v := range [...]int{o.Attempt, o.Failed, o.Unsent, o.Again} {
		e.uint(uint64(v))
	}
	e.uint(o.Meaning)
	for _, s := range [...]string{o.Manual, o.Node, o.Hash, o.Error} {
		e.text(s)
	}
	e.b = append(e.b, codeOf(deliveries, o.Delivery), codeOf(outcomes, o.Outcome))
	if o.Input != "" {
		e.text(string(o.Input))
	}
}

func (o *Open) decode(d *decoder) {
	flags := d.uint()
	o.Doubt, o.Settled = flags&openDoubt != 0, flags&openSettled != 0
	for _, v := range [...]*int64{&o.At, &o.Tried, &o.Claimed, &o.Revision, &o.Waited, &o.RetryAt} {
		*v = d.int()
	}
	for _, v := range [...]*int{&o.Attempt, &o.Failed, &o.Unsent, &o.Again} {
		*v = d.small(maxAttempts)
	}
	o.Meaning = d.uint()
	for _, s := range [...]*string{&o.Manual, &o.Node, &o.Hash, &o.Error} {
		*s = d.text()
	}
	o.Delivery, o.Outcome = wordOf(d, deliveries), wordOf(d, outcomes)
	if flags&openInput != 0 {
		o.Input = task.Input(d.text())
	}
}
