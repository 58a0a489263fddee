package model

import "fmt"

type policy uint8

const (
	atMostOnce policy = iota
	effectivelyOnce
)

// fault is a rule of the protocol that is left out on purpose.
type fault uint8

const (
	noFault fault = iota
	noFence
	noReadBack       // the answer of an acquisition is lost, and it is taken for done
	editsInSilence   // an edit does not move the node
	openNotPaged     // open claims are missing from the page
	readsBefore      // page and log are read without a sync: as they were before the acquisition
	startsFirst      // before the claim is committed
	landingNotRead   // the node moved: the batch is taken for lost
	skipsForgotten   // a replayed skip does not move the cursor
	startsLate       // a claim may start whenever
	seqRestarts      // after a fold
	replayEverything // also below what the page holds
	definitionsFirst // and then the node
	resumesPast      // a resumption does not set From
	requestLater     // a request is deleted after its claim
	unknownAtOnce    // without waiting for the old owner's run
	cursorStays      // a task moves without its cursor
	adoptUnlogged    // and its cursor is not in the new bucket's log
	seatIgnored      // an owner decides for whatever task it sees
)

// world is what a state does not hold.
type world struct {
	policy  policy
	planted fault
	last    uint8 // bucket: 0, or 1 when there are two
	unowned bool  // nobody has a bucket at first; else member b has bucket b
}

// edge is one step.
type edge struct {
	to   state
	bad  bool // a fault or an edit: it need not come
	err  error
	name string
	args []any
}

func (e *edge) String() string { return fmt.Sprintf(e.name, e.args...) }

// next gives all steps from a state.
func (w *world) next(s *state) []edge {
	var all []edge
	step := func(bad bool, do func(*state) error, format string, args ...any) {
		e := edge{to: *s, bad: bad, name: format, args: args}
		e.err = do(&e.to)
		all = append(all, e)
	}
	w.outside(s, step)
	for mi := range s.member {
		w.process(s, mi, step)
		for b := range w.last + 1 {
			w.bucket(s, mi, int(b), step)
		}
	}
	return all
}

type stepper func(bad bool, do func(*state) error, format string, args ...any)

func well(do func(*state)) func(*state) error {
	return func(s *state) error {
		do(s)
		return nil
	}
}

// outside is time, administrators, and the end of sessions.
func (w *world) outside(s *state, step stepper) {
	if s.now < instants {
		step(false, well(func(s *state) {
			s.now++
			if s.def.live {
				s.due |= fire(s.def.uid, s.now)
				if s.def.paused {
					s.inPause |= fire(s.def.uid, s.now)
				}
			}
		}), "an instant becomes due")
	}
	if s.left.edit > 0 {
		w.edits(s, step)
	}
	if s.left.move > 0 && s.def.live {
		step(true, well(func(s *state) {
			s.left.move--
			to := 1 - s.def.seat
			if s.def.to != nobody {
				to = nobody
			}
			s.def.to = to
			w.touch(s)
		}), "the task is to move")
	}
	if s.left.manual > 0 && s.def.live && !s.asked {
		step(true, well(func(s *state) {
			s.left.manual--
			s.asked = true
			w.touch(s)
		}), "a run is asked for")
	}
	for inc := uint8(1); inc <= s.incs; inc++ {
		if !s.living(inc) {
			continue
		}
		held := false
		for mi := range s.member {
			held = held || s.member[mi].up && s.member[mi].inc == inc
		}
		end := well(func(s *state) { s.alive &^= 1 << inc })
		if !held {
			step(false, end, "the session of incarnation %d, whose process is gone, expires", inc)
		} else if s.left.expire > 0 {
			step(true, well(func(s *state) {
				s.left.expire--
				s.alive &^= 1 << inc
			}), "the session of incarnation %d expires", inc)
		}
	}
}

// touch moves the node of the bucket that has the task, as every edit does.
func (w *world) touch(s *state) {
	if w.planted != editsInSilence {
		s.nodes[s.def.seat].version++
	}
}

func (w *world) edits(s *state, step stepper) {
	edit := func(may bool, name string, change func(*state)) {
		if may {
			step(true, well(func(s *state) {
				s.left.edit--
				change(s)
				w.touch(s)
			}), "administrator: %s", name)
		}
	}
	edit(s.def.live && !s.def.paused, "pause", func(s *state) { s.def.paused = true })
	edit(s.def.live && s.def.paused, "resume", func(s *state) {
		s.def.paused = false
		if w.planted != resumesPast {
			s.def.from = s.now
		}
	})
	edit(s.def.live, "delete", func(s *state) {
		s.def.live, s.def.tomb, s.def.paused, s.def.to, s.def.until = false, true, false, nobody, s.now
	})
	edit(!s.def.live && !s.def.tomb && s.def.uid+1 < uids, "create again", func(s *state) {
		s.def = definition{live: true, uid: s.def.uid + 1, from: s.now, to: nobody}
	})
	edit(s.def.live, "touch", func(*state) {})
}

// process is what happens to a member as a whole.
func (w *world) process(s *state, mi int, step stepper) {
	m := &s.member[mi]
	join := func(s *state) {
		m := &s.member[mi]
		s.incs++
		m.up, m.inc = true, s.incs
		s.alive |= 1 << s.incs
	}
	switch {
	case !m.up:
		step(false, well(join), "member %d is started", mi)
		w.late(s, mi, step)
		return
	case !s.living(m.inc):
		again := func(s *state) {
			s.member[mi].owns = [buckets]ownership{}
			join(s)
		}
		step(false, well(again), "member %d sees that its session is over, and joins again", mi)
		for b := range m.owns {
			if r := m.owns[b].request; r.kind != none && r.status == flying && m.late.kind == none {
				step(true, well(func(s *state) {
					s.member[mi].late, s.member[mi].lateB = r, uint8(b)
					again(s)
				}), "member %d joins again, a request of bucket %d still queued", mi, b)
			}
		}
	}
	if s.left.crash > 0 {
		crash := func(s *state) {
			m := &s.member[mi]
			s.left.crash--
			m.up, m.owns, m.runs = false, [buckets]ownership{}, [fires]run{}
		}
		step(true, well(crash), "member %d crashes", mi)
		for b := range m.owns {
			if r := m.owns[b].request; r.kind != none && r.status == flying && m.late.kind == none {
				step(true, well(func(s *state) {
					s.member[mi].late, s.member[mi].lateB = r, uint8(b)
					crash(s)
				}), "member %d crashes, its request for bucket %d on its way", mi, b)
			}
		}
	}
	w.late(s, mi, step)
	w.run(s, mi, step)
}

// late is a copy of a request that is still on its way.
func (w *world) late(s *state, mi int, step stepper) {
	if s.member[mi].late.kind == none {
		return
	}
	step(false, well(func(s *state) { s.member[mi].late = request{} }), "a late request of member %d is lost", mi)
	step(true, func(s *state) error {
		r, b := s.member[mi].late, int(s.member[mi].lateB)
		s.member[mi].late = request{}
		return w.execute(s, &r, b)
	}, "a late request of member %d arrives", mi)
}

// run is what the runs of a member do.
func (w *world) run(s *state, mi int, step stepper) {
	for f := range uint8(fires) {
		bit := mask(1) << f
		switch s.member[mi].runs[f] {
		case started:
			step(false, func(s *state) error {
				s.member[mi].runs[f] = ended
				if w.policy == effectivelyOnce && s.inbox&bit != 0 {
					return nil
				}
				s.inbox |= bit
				s.effects[f]++
				if w.policy == effectivelyOnce && s.effects[f] > 1 {
					return errEffects
				}
				return nil
			}, "fire %d of member %d has its effect and ends", f, mi)
		case ended:
			told := false
			for b := range s.member[mi].owns {
				o := &s.member[mi].owns[b]
				told = told || o.open&^o.inherited&^o.queue&bit != 0
			}
			if !told {
				step(false, well(func(s *state) { s.member[mi].runs[f] = notRunning }), "nobody wants to know of fire %d of member %d", f, mi)
			}
		}
	}
}
