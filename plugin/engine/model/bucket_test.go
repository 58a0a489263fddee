package model

// bucket is what a member does about one bucket, and the server for it.
func (w *world) bucket(s *state, mi, b int, step stepper) {
	m := &s.member[mi]
	o := &m.owns[b]
	if !m.up {
		return
	}
	if o.request.kind != none {
		w.wire(s, mi, b, step)
		if o.request.status == flying {
			w.pool(s, mi, b, step)
			return
		}
	}
	switch o.phase {
	case idle:
		if w.planted == readsBefore && o.request.kind == none {
			step(false, well(func(s *state) {
				o := &s.member[mi].owns[b]
				o.early, o.earlySeq = s.replay(b, noFault)
			}), "member %d reads bucket %d too early", mi, b)
		}
		// What is its own on paper alone, because an answer came to nobody, it takes
		// anew.
		if o.request.kind == none && (s.free(b) || s.nodes[b].owner == m.inc) && s.living(m.inc) {
			w.acquisition(s, mi, b, step)
		}
	case loading:
		step(false, well(func(s *state) { w.load(s, &s.member[mi], b) }), "member %d reads bucket %d", mi, b)
	case refreshing:
		step(false, well(func(s *state) { w.refresh(s, mi, b) }), "member %d refreshes bucket %d", mi, b)
	case rereading:
		step(false, well(func(s *state) { w.reread(s, mi, b) }), "member %d refreshes bucket %d further", mi, b)
	case serving:
		w.pool(s, mi, b, step)
		if o.request.kind == none {
			w.serve(s, mi, b, step)
		}
	}
}

// wire is the way of a request and of its answer.
func (w *world) wire(s *state, mi, b int, step stepper) {
	r := &s.member[mi].owns[b].request
	if r.status != flying {
		p := s.member[mi].owns[b].phase
		if p == serving || p == idle {
			step(false, func(s *state) error { return w.answered(s, mi, b) }, "member %d has an answer for bucket %d", mi, b)
		}
		return
	}
	run := func(s *state) error { return w.execute(s, &s.member[mi].owns[b].request, b) }
	step(false, run, "the server executes member %d's request for bucket %d", mi, b)
	if s.left.lose == 0 {
		return
	}
	step(true, func(s *state) error {
		s.left.lose--
		err := run(s)
		s.member[mi].owns[b].request.status = lost
		return err
	}, "the answer to member %d for bucket %d is lost", mi, b)
	if s.member[mi].late.kind == none {
		step(true, well(func(s *state) {
			m := &s.member[mi]
			s.left.lose--
			m.late, m.lateB = m.owns[b].request, uint8(b)
			m.owns[b].request.status = lost
		}), "member %d's request for bucket %d is late", mi, b)
	}
}

func (w *world) acquisition(s *state, mi, b int, step stepper) {
	step(false, well(func(s *state) {
		m := &s.member[mi]
		o := &m.owns[b]
		n := s.nodes[b]
		o.request = request{kind: acquire, inc: m.inc, fence: n.version, epoch: n.epoch + 1}
	}), "member %d wants bucket %d", mi, b)
}

// serve is what an owner without a request does.
func (w *world) serve(s *state, mi, b int, step stepper) {
	m := &s.member[mi]
	o := &m.owns[b]
	if w.stale(s, o, b) {
		step(false, well(func(s *state) { s.member[mi].owns[b].phase = refreshing }), "member %d hears of bucket %d", mi, b)
	}
	rec := w.decide(s, m, b)
	again := o.queue != 0 && !o.fresh
	if !rec.empty() || again {
		step(false, well(func(s *state) { w.sendBatch(s, &s.member[mi], b, rec) }), "member %d commits a batch in bucket %d: %+v", mi, b, rec)
	}
	if w.policy == atMostOnce && o.inherited != 0 && !o.drain {
		step(false, well(func(s *state) { w.giveUp(s, mi, b) }), "member %d has waited long enough in bucket %d", mi, b)
	}
	if s.left.fold > 0 && o.seq > s.pages[b].seq {
		step(true, well(func(s *state) {
			s.left.fold--
			o := &s.member[mi].owns[b]
			p := page{o.seq, o.cursor}
			if w.planted == openNotPaged {
				p.open = 0
			}
			if w.planted == seqRestarts {
				o.seq = 0
			}
			o.send(&s.member[mi], request{kind: fold, page: p})
		}), "member %d folds bucket %d", mi, b)
	}
	if s.left.release > 0 && !o.drain {
		step(true, well(func(s *state) {
			s.left.release--
			s.member[mi].owns[b].drain = true
		}), "member %d is to release bucket %d", mi, b)
	}
	if o.drain && rec.empty() && o.queue == 0 && o.open&^o.inherited == 0 {
		step(false, well(func(s *state) {
			m := &s.member[mi]
			m.owns[b].send(m, request{kind: release})
		}), "member %d releases bucket %d", mi, b)
	}
}

// giveUp makes what an earlier owner left open UNKNOWN, when its runs must have
// ended: so much time has passed for everybody.
func (w *world) giveUp(s *state, mi, b int) {
	m := &s.member[mi]
	o := &m.owns[b]
	if w.planted != unknownAtOnce {
		for other := range s.member {
			if other == mi {
				continue
			}
			for ob := range s.member[other].owns {
				s.member[other].owns[ob].fresh = false
				s.member[other].owns[ob].request.old = true
			}
			for f := range uint8(fires) {
				if o.inherited&(1<<f) != 0 && s.member[other].runs[f] == started {
					s.member[other].runs[f] = ended
					s.effects[f]++
				}
			}
		}
		for f := range uint8(fires) {
			if o.inherited&(1<<f) != 0 && m.runs[f] == started {
				m.runs[f] = ended
				s.effects[f]++
			}
		}
	}
	w.sendBatch(s, m, b, record{unknown: o.inherited})
}

// pool starts what is claimed.
func (w *world) pool(s *state, mi, b int, step stepper) {
	o := &s.member[mi].owns[b]
	if o.queue == 0 {
		return
	}
	if o.fresh || w.planted == startsLate {
		for f := range uint8(fires) {
			bit := mask(1) << f
			if o.queue&bit == 0 || s.member[mi].runs[f] != notRunning {
				continue
			}
			step(false, func(s *state) error {
				s.member[mi].owns[b].queue &^= bit
				s.member[mi].runs[f] = started
				s.starts[f]++
				switch {
				case s.claims&bit == 0:
					return errNoClaim
				case w.policy == atMostOnce && s.starts[f] > 1, s.unknowns&bit != 0:
					return errStarts
				}
				return nil
			}, "member %d starts fire %d of bucket %d", mi, f, b)
		}
	}
	if o.fresh && s.left.stale > 0 {
		step(true, well(func(s *state) {
			s.left.stale--
			s.member[mi].owns[b].fresh = false
		}), "member %d is late to start what it claimed in bucket %d", mi, b)
	}
}

// good tells whether all has come to its end.
func (w *world) good(s *state) bool {
	d := &s.def
	if s.now < instants || d.tomb || s.asked && d.live || d.arriving || d.to != nobody && d.live {
		return false
	}
	undecided := s.due &^ (s.claims | s.skips)
	open := s.claims &^ s.ends
	if d.live && d.paused { // the rest waits for the resumption
		undecided &^= fire(d.uid, 1) | fire(d.uid, 2)
		open = 0
	}
	if undecided|open != 0 {
		return false
	}
	for f := range uint8(fires) {
		sure := s.ends&^s.unknowns&(1<<f) != 0
		if sure && s.effects[f] != 1 {
			return false
		}
	}
	served := !d.live
	for mi := range s.member {
		m := &s.member[mi]
		if !m.up || !s.living(m.inc) || m.late.kind != none {
			return false
		}
		for b := range m.owns {
			if m.owns[b].request.kind != none {
				return false
			}
		}
		o := &m.owns[d.seat]
		served = served || o.phase == serving && o.fence == s.nodes[d.seat].version
	}
	return served
}
