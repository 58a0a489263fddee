package model

import (
	"errors"
	"fmt"
)

// What must never be.
var (
	errTwice      = errors.New("an instant is decided twice")
	errEdit       = errors.New("claimed against an acknowledged edit")
	errPhantom    = errors.New("claimed what was not scheduled")
	errSeat       = errors.New("decided by a bucket that has not the task")
	errNoClaim    = errors.New("ended or started without a claim")
	errStarts     = errors.New("at-most-once started twice")
	errEffects    = errors.New("effectively-once had its effect twice")
	errEpoch      = errors.New("an epoch did not grow")
	errBack       = errors.New("a cursor went back")
	errDeadEnd    = errors.New("no good end can be reached from here")
	errModelBound = errors.New("the model's log is too short")
)

// execute is the server's part: all of a request or nothing.
func (w *world) execute(s *state, r *request, b int) error {
	if !s.living(r.inc) {
		r.status = fenced
		return nil
	}
	n := &s.nodes[b]
	if n.version != r.fence && (r.kind == acquire || w.planted != noFence) {
		r.status = moved
		return nil
	}
	switch r.kind {
	case acquire:
		n.version++
		n.owner, n.epoch, r.status = r.inc, r.epoch, ok
		if r.epoch <= s.epochs[b] {
			return errEpoch
		}
		s.epochs[b] = r.epoch
	case batch:
		return w.append(s, r, b)
	case fold:
		return w.fold(s, r, b)
	case release:
		n.version++
		n.owner, r.status = 0, ok
	}
	return nil
}

func (w *world) fold(s *state, r *request, b int) error {
	for q := s.pages[b].seq + 1; q <= r.page.seq; q++ {
		if s.logs[b][q-1].op == 0 {
			r.status = moved
			return nil
		}
	}
	r.status = ok
	if r.page.seq < s.pages[b].seq {
		return errBack
	}
	s.pages[b] = r.page
	for q := range r.page.seq {
		s.logs[b][q] = record{}
	}
	return nil
}

// append creates a log entry, with all that is part of its commit.
func (w *world) append(s *state, r *request, b int) error {
	rec := &r.record
	switch {
	case int(r.seq) > slots:
		return errModelBound
	case r.seq <= s.pages[b].seq && w.planted != replayEverything:
		r.status = ok // a late copy of what was folded: every reader ignores it
		return nil
	case s.logs[b][r.seq-1].op != 0:
		r.status = taken
		return nil
	case rec.claim&manualFire != 0 && !s.asked && w.planted != requestLater:
		r.status = gone
		return nil
	case rec.give && s.nodes[s.def.to].version != r.target:
		r.status = again
		return nil
	}
	r.status = ok
	s.logs[b][r.seq-1] = *rec
	if rec.claim&manualFire != 0 && w.planted != requestLater {
		s.asked = false
	}
	if rec.refuse {
		s.asked = false
	}
	err := w.judge(s, rec, b)
	switch {
	case rec.forget:
		s.def = definition{uid: s.def.uid, to: nobody}
	case rec.give:
		to := s.def.to
		s.def.seat, s.def.to, s.def.arriving = to, nobody, true
		if s.def.carried = rec.carried; w.planted == cursorStays {
			s.def.carried = cursor{}
		}
		s.logs[b][r.seq-1].carried = cursor{}
		s.nodes[to].version++
	case rec.adopt:
		s.def.arriving, s.def.carried = false, cursor{}
		if w.planted == adoptUnlogged {
			s.logs[b][r.seq-1].adopt, s.logs[b][r.seq-1].carried = false, cursor{}
		}
	}
	return err
}

// judge holds what a batch decides against what has happened.
func (w *world) judge(s *state, rec *record, b int) error {
	if x := (rec.claim | rec.skip) & (s.claims | s.skips); x != 0 {
		return fmt.Errorf("%w: %05b", errTwice, x)
	}
	d := &s.def
	if !rec.empty() && (d.live || d.tomb) && (d.seat != uint8(b) || d.arriving != rec.adopt) {
		return errSeat
	}
	for f := range uint8(fires) {
		bit := mask(1) << f
		if rec.claim&bit == 0 {
			continue
		}
		switch {
		case !d.live || d.paused || f != manual && d.uid != f/instants:
			return fmt.Errorf("%w: fire %d", errEdit, f)
		case s.inPause&bit != 0 || f != manual && s.due&bit == 0:
			return fmt.Errorf("%w: fire %d", errPhantom, f)
		}
	}
	s.claims |= rec.claim
	s.skips |= rec.skip
	if (rec.settle|rec.unknown|rec.reclaim)&^s.claims != 0 {
		return errNoClaim
	}
	s.ends |= rec.settle | rec.unknown
	s.unknowns |= rec.unknown
	return nil
}
