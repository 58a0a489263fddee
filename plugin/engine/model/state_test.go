package model

// The size of the world.
const (
	members  = 2
	buckets  = 2
	instants = 2
	uids     = 2
	fires    = instants*uids + 1
	manual   = fires - 1 // the fire of the request
	slots    = 8         // of a log
	nobody   = 0xff
)

type mask uint8 // of fires

func fire(uid, instant uint8) mask { return 1 << (uid*instants + instant - 1) }

const manualFire = mask(1 << manual)

// cursor is what is known of the task: by uid the last decided instant, and the
// claims without an end.
type cursor struct {
	at   [uids]uint8
	open mask
}

// decided notes claims and skips.
func (c *cursor) decided(f mask) {
	for uid := range uint8(uids) {
		for i := uint8(1); i <= instants; i++ {
			if f&fire(uid, i) != 0 {
				c.at[uid] = max(c.at[uid], i)
			}
		}
	}
}

// record is a batch in a log.
type record struct {
	op                                    uint8
	claim, skip, settle, unknown, reclaim mask
	give, adopt, forget, refuse           bool
	carried                               cursor // of an adoption
}

func (r *record) empty() bool {
	return r.claim|r.skip|r.settle|r.unknown|r.reclaim == 0 && !r.give && !r.adopt && !r.forget && !r.refuse
}

// apply makes the cursor what it is after the record.
func (c *cursor) apply(r *record, planted fault) {
	if r.adopt {
		*c = r.carried
	}
	c.decided(r.claim)
	if planted != skipsForgotten {
		c.decided(r.skip)
	}
	c.open = (c.open | r.claim) &^ (r.settle | r.unknown)
	if r.give {
		*c = cursor{}
	}
}

// definition is the task as the store has it.
type definition struct {
	live, tomb, paused bool
	uid                uint8
	from               uint8 // instants up to it are past
	until              uint8 // of a tombstone: up to it they are skipped as deleted
	seat, to           uint8 // bucket; nobody: it stays
	arriving           bool
	carried            cursor
}

// node is a bucket's.
type node struct {
	version, owner, epoch uint8 // owner is an incarnation; 0: free
}

type page struct {
	seq uint8
	cursor
}

type kind uint8

const (
	none kind = iota
	acquire
	batch
	fold
	release
)

type status uint8

const (
	flying status = iota
	ok
	moved  // the bucket's node is not at F
	taken  // the log entry exists
	fenced // no such member
	gone   // the request is gone
	again  // the target's node has moved
	lost   // no answer
)

// request is one on its way, or answered.
type request struct {
	kind                   kind
	status                 status
	inc, fence, epoch, seq uint8
	record                 record
	page                   page
	target                 uint8 // version of the node of the bucket that the task goes to
	old                    bool  // first sent longer than W ago
}

type phase uint8

const (
	idle phase = iota
	loading
	serving
	refreshing // knows that the node moved
	rereading  // has read one half of what a refresh reads
)

// ownership is a member's of one bucket.
type ownership struct {
	phase                  phase
	fence, epoch, seq, ops uint8
	cursor
	inherited mask // open claims of earlier owners
	queue     mask // committed, to be started
	fresh     bool // a claim in the queue may start
	drain     bool
	seen      definition
	asked     bool   // it has seen the request
	early     cursor // planted: what was read before the acquisition
	earlySeq  uint8
	request   request
}

// How far a run is.
type run uint8

const (
	notRunning run = iota
	started
	ended
)

type member struct {
	up    bool
	inc   uint8
	owns  [buckets]ownership
	runs  [fires]run
	late  request // a copy that is still on its way
	lateB uint8
}

type budget struct{ crash, expire, lose, edit, move, fold, release, stale, manual uint8 }

type state struct {
	now    uint8
	def    definition
	nodes  [buckets]node
	pages  [buckets]page
	logs   [buckets][slots]record
	alive  uint8 // incarnations, by bit
	incs   uint8
	asked  bool // the request is there
	inbox  mask
	member [members]member
	left   budget

	// What happened, for the checks alone.
	due, inPause, claims, skips, ends, unknowns mask
	starts, effects                             [fires]uint8
	epochs                                      [buckets]uint8
}

func (s *state) living(inc uint8) bool { return inc != 0 && s.alive&(1<<inc) != 0 }

func (s *state) free(b int) bool { return !s.living(s.nodes[b].owner) }

// replay is what page and log of a bucket add up to.
func (s *state) replay(b int, planted fault) (cursor, uint8) {
	c, seq := s.pages[b].cursor, s.pages[b].seq
	top := seq
	if planted == seqRestarts {
		top = 0
	}
	for i := range s.logs[b] {
		r := &s.logs[b][i]
		at := uint8(i + 1)
		if r.op == 0 || at <= seq && planted != replayEverything {
			continue
		}
		c.apply(r, planted)
		top = max(top, at)
	}
	return c, top
}
