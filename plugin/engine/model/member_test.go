package model

import "errors"

var errOther = errors.New("a log entry of mine is another's")

// see is what bucket b's owner reads of the task.
func (w *world) see(s *state, o *ownership, b int) {
	o.seen, o.asked = definition{to: nobody}, false
	if w.planted == seatIgnored || (s.def.live || s.def.tomb) && s.def.seat == uint8(b) {
		o.seen, o.asked = s.def, s.asked
	}
}

// stale tells whether there is something to be seen that the owner has not seen:
// what a watch, or a comparison once a minute, tells it.
func (w *world) stale(s *state, o *ownership, b int) bool {
	var now ownership
	w.see(s, &now, b)
	return o.seen != now.seen || o.asked != now.asked || s.nodes[b].version != o.fence
}

// decide is the batch that an owner would commit now.
func (w *world) decide(s *state, m *member, b int) record {
	o := &m.owns[b]
	var rec record
	for f := range uint8(fires) {
		bit := mask(1) << f
		if o.open&^o.inherited&^o.queue&bit != 0 && m.runs[f] == ended {
			rec.settle |= bit
		}
	}
	if o.drain {
		return rec
	}
	d := &o.seen
	switch {
	case d.arriving:
		return record{adopt: true, carried: d.carried}
	case d.tomb:
		w.bury(o, &rec)
	case d.live:
		w.plan(s, o, &rec)
	}
	return rec
}

// bury decides about a deleted task.
func (w *world) bury(o *ownership, rec *record) {
	d := &o.seen
	rec.skip = o.undecided(d.uid, d.until)
	rec.refuse = o.asked
	if w.policy == effectivelyOnce {
		rec.reclaim = o.inherited
	}
	if rec.empty() && o.open == 0 && !o.asked {
		rec.forget = true
	}
}

// plan decides about a task that is there.
func (w *world) plan(s *state, o *ownership, rec *record) {
	d := &o.seen
	rec.skip = o.undecided(d.uid, d.from)
	if d.paused {
		rec.refuse = o.asked
	} else {
		if w.policy == effectivelyOnce {
			rec.reclaim = o.inherited
		}
		if o.asked {
			rec.claim |= manualFire
		}
	}
	if d.to != nobody {
		if rec.empty() && o.open&^o.inherited == 0 && !o.asked {
			rec.give, rec.carried = true, o.cursor
		}
		return
	}
	if !d.paused {
		rec.claim |= o.undecided(d.uid, s.now) &^ rec.skip
	}
}

// undecided are the fires of a task after the cursor up to an instant.
func (c *cursor) undecided(uid, upTo uint8) mask {
	var all mask
	for i := c.at[uid] + 1; i <= upTo; i++ {
		all |= fire(uid, i)
	}
	return all
}

// send puts a request on its way.
func (o *ownership) send(m *member, r request) {
	r.inc, r.fence, r.epoch = m.inc, o.fence, o.epoch
	o.request = r
}

func (w *world) sendBatch(s *state, m *member, b int, rec record) {
	o := &m.owns[b]
	o.ops++
	rec.op = o.epoch<<4 | o.ops
	r := request{kind: batch, seq: o.seq + 1, record: rec}
	if rec.give {
		r.target = s.nodes[o.seen.to].version
	}
	o.send(m, r)
	if w.planted == startsFirst {
		o.queue |= rec.claim
		o.fresh = true
	}
}

// landed takes a committed batch in.
func (w *world) landed(m *member, o *ownership) {
	rec := &o.request.record
	o.cursor.apply(rec, noFault)
	o.seq = o.request.seq
	if w.planted != startsFirst {
		o.queue |= rec.claim
	}
	o.queue |= rec.reclaim
	o.inherited &^= rec.reclaim | rec.unknown
	o.fresh = !o.request.old
	for f := range uint8(fires) {
		if rec.settle&(1<<f) != 0 {
			m.runs[f] = notRunning
		}
	}
	switch {
	case rec.adopt:
		o.inherited = o.open
		o.seen.arriving, o.seen.carried = false, cursor{}
	case rec.give || rec.forget:
		o.seen, o.asked, o.inherited = definition{to: nobody}, false, 0
	}
	if rec.claim&manualFire != 0 || rec.refuse {
		o.asked = false
	}
	o.request = request{}
}

// answered acts on an answer, by the table in the comment of package engine.
func (w *world) answered(s *state, mi, b int) error {
	m := &s.member[mi]
	o := &m.owns[b]
	r := &o.request
	switch r.kind {
	case acquire:
		w.acquired(s, m, b)
		return nil
	case release:
		if r.status == ok || r.status == lost && s.nodes[b].owner != m.inc {
			m.owns[b] = ownership{}
			return nil
		}
	}
	switch r.status {
	case ok:
		if r.kind == batch {
			w.landed(m, o)
		}
		o.request = request{}
	case taken:
		if s.logs[b][r.seq-1].op != r.record.op {
			return errOther
		}
		w.landed(m, o)
	case moved, gone:
		o.phase = refreshing
	case again:
		o.request = request{} // it is decided anew
	case fenced:
		m.leave(b)
	case lost:
		r.status = flying // the same once more
		if r.record.give {
			r.target = s.nodes[s.def.to&1].version
		}
	}
	return nil
}

// leave forgets a bucket. What runs goes on.
func (m *member) leave(b int) { m.owns[b] = ownership{} }

func (w *world) acquired(s *state, m *member, b int) {
	o := &m.owns[b]
	r := o.request
	n := &s.nodes[b]
	mine := r.status == ok
	if r.status == lost {
		mine = w.planted == noReadBack || n.owner == m.inc && n.epoch == r.epoch
	}
	early, earlySeq := o.early, o.earlySeq
	*o = ownership{}
	if mine {
		o.phase, o.epoch, o.fence = loading, r.epoch, n.version
		if r.status == ok || w.planted == noReadBack {
			o.fence = r.fence + 1
		}
		o.early, o.earlySeq = early, earlySeq
	}
}

// load reads all that is stored of an acquired bucket.
func (w *world) load(s *state, m *member, b int) {
	o := &m.owns[b]
	o.cursor, o.seq = s.replay(b, w.planted)
	if w.planted == readsBefore {
		o.cursor, o.seq = o.early, o.earlySeq
	}
	o.early, o.earlySeq = cursor{}, 0
	o.inherited = o.open
	w.see(s, o, b)
	o.phase = serving
}

// reread is the second half of a refresh: definitions after the node.
func (w *world) reread(s *state, mi, b int) {
	m := &s.member[mi]
	o := &m.owns[b]
	o.phase = serving
	if w.planted == definitionsFirst {
		w.refence(s, mi, b)
		if o.phase == idle {
			return
		}
		o.phase = serving
	} else {
		w.see(s, o, b)
	}
	r := &o.request
	if r.kind == batch && w.planted != landingNotRead && int(r.seq) <= slots && s.logs[b][r.seq-1].op == r.record.op {
		seen, asked := o.seen, o.asked
		w.landed(m, o)
		o.seen, o.asked = seen, asked // what was read now is newer
		return
	}
	if w.planted == startsFirst {
		o.queue &^= r.record.claim
	}
	o.request = request{}
}

// refence reads the bucket's node.
func (w *world) refence(s *state, mi, b int) {
	m := &s.member[mi]
	o, n := &m.owns[b], &s.nodes[b]
	if n.owner != m.inc || n.epoch != o.epoch {
		m.leave(b)
		return
	}
	o.fence = n.version
	o.phase = rereading
}

func (w *world) refresh(s *state, mi, b int) {
	if w.planted == definitionsFirst {
		o := &s.member[mi].owns[b]
		w.see(s, o, b)
		o.phase = rereading
		return
	}
	w.refence(s, mi, b)
}
