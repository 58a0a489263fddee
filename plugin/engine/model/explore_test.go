package model

import (
	"fmt"
	"strings"
)

// found is what an exploration came to.
type found struct {
	states int
	whole  bool   // nothing is left to explore
	err    error  // what must not be
	trace  string // how it came about
}

// explorer holds all states that were reached, by number.
type explorer struct {
	w      *world
	number map[state]int32
	states []state
	from   []int32
	back   [][]int32 // who reaches it without a fault
	good   []int32
}

func (w *world) start(left budget) state {
	s := state{left: left}
	s.def = definition{live: true, to: nobody}
	for mi := range s.member {
		m := &s.member[mi]
		m.up, m.inc = true, uint8(mi+1)
		s.alive |= 1 << (mi + 1)
		if w.unowned || mi > int(w.last) {
			continue
		}
		s.nodes[mi] = node{version: 1, owner: m.inc, epoch: 1}
		s.epochs[mi] = 1
		m.owns[mi] = ownership{phase: serving, fence: 1, epoch: 1}
		w.see(&s, &m.owns[mi], mi)
	}
	s.incs = members
	return s
}

// explore looks at every state that can be reached, at most limit.
func (w *world) explore(left budget, limit int) found {
	x := &explorer{w: w, number: make(map[state]int32)}
	x.add(w.start(left), -1)
	for i := int32(0); int(i) < len(x.states); i++ {
		if len(x.states) > limit {
			return found{states: len(x.states)}
		}
		s := x.states[i]
		if w.good(&s) {
			x.good = append(x.good, i)
		}
		all := w.next(&s)
		for n := range all {
			e := &all[n]
			if e.err != nil {
				return found{len(x.states), false, e.err, x.trace(i) + e.String()}
			}
			n := x.add(e.to, i)
			if !e.bad {
				x.back[n] = append(x.back[n], i)
			}
		}
	}
	if i, ok := x.deadEnd(); ok {
		return found{len(x.states), true, errDeadEnd, x.trace(i)}
	}
	return found{states: len(x.states), whole: true}
}

func (x *explorer) add(s state, from int32) int32 {
	n, ok := x.number[s]
	if !ok {
		n = int32(len(x.states)) //nolint:gosec // bounded by limit
		x.number[s] = n
		x.states = append(x.states, s)
		x.from = append(x.from, from)
		x.back = append(x.back, nil)
	}
	return n
}

// deadEnd gives a state from which no good end can be reached.
func (x *explorer) deadEnd() (int32, bool) {
	reaches := make([]bool, len(x.states))
	todo := x.good
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if reaches[i] {
			continue
		}
		reaches[i] = true
		todo = append(todo, x.back[i]...)
	}
	for i, ok := range reaches {
		if !ok {
			return int32(i), true //nolint:gosec // bounded by limit
		}
	}
	return 0, false
}

// trace tells how a state came about.
func (x *explorer) trace(i int32) string {
	var steps []string
	for ; i > 0; i = x.from[i] {
		all := x.w.next(&x.states[x.from[i]])
		for n := range all {
			if all[n].to == x.states[i] {
				steps = append(steps, all[n].String())
				break
			}
		}
	}
	var b strings.Builder
	for n := len(steps) - 1; n >= 0; n-- {
		fmt.Fprintf(&b, "%s\n", steps[n])
	}
	return b.String()
}
