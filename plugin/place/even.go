package place

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"math"
)

// tolerance is the part of the mean load by which members may differ before a
// bucket is moved for it.
const tolerance = 0.1

// settle gives buckets without a place one.
func (p *planner) settle() {
	for _, b := range p.homeless() {
		p.put(b, p.choose(b))
	}
}

func (p *planner) choose(b int) int {
	may := p.reach[b].members
	switch p.kinds[b] {
	case Together:
		if active, ok := p.active(p.in.Buckets[b].Group); ok && p.reach[b].of(active) {
			return active
		}
		return may[0]
	case Scattered:
		best, highest := may[0], uint64(0)
		for _, m := range may {
			if h := p.draw(b, m); h > highest {
				best, highest = m, h
			}
		}
		return best
	default:
		best := may[0]
		for _, m := range may[1:] {
			if p.lighter(b, m, best) {
				best = m
			}
		}
		return best
	}
}

// lighter tells whether bucket b on m makes less load there than on other.
func (p *planner) lighter(b, m, other int) bool {
	load, l := p.scale(b)
	wm, wo := p.in.Members[m].weight(), p.in.Members[other].weight()
	return cmp.Or(
		cmp.Compare((load[m]+l)*wo, (load[other]+l)*wm),
		cmp.Compare(p.empty[m]*wo, p.empty[other]*wm),
		cmp.Compare(p.in.Members[m].Node, p.in.Members[other].Node),
	) < 0
}

// draw is a number drawn for a bucket on a node. That a node comes or goes does
// not change what is drawn for others.
func (p *planner) draw(b, m int) uint64 {
	h := fnv.New64a()
	var number [16]byte
	binary.BigEndian.PutUint64(number[:8], p.resolver(b).Spread().Seed)
	binary.BigEndian.PutUint64(number[8:], uint64(b)) //nolint:gosec // a bucket's number is not negative
	_, _ = h.Write(number[:])                         // a hash takes everything
	_, _ = h.Write([]byte(p.in.Members[m].Node))
	x := h.Sum64() // FNV mixes short inputs badly in the high bits: finish as MurmurHash3 does
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// active is the member that holds the most buckets of a group.
func (p *planner) active(group string) (int, bool) {
	counts := make(map[int]int, len(p.usable))
	for b, m := range p.place {
		if m != nowhere && p.in.Buckets[b].Group == group {
			counts[m]++
		}
	}
	best, most := 0, 0
	for _, m := range p.usable {
		if counts[m] > most {
			best, most = m, counts[m]
		}
	}
	return best, most > 0
}

// even moves buckets for balance, within the share that may be on its way.
func (p *planner) even() {
	for b := range p.in.Buckets {
		if owner, ok := p.byID[p.in.Buckets[b].Owner]; ok && owner != p.place[b] {
			p.underway++
		}
	}
	share := p.in.Share
	if share <= 0 {
		share = DefaultShare
	}
	limit := max(1, int(math.Ceil(share*float64(len(p.in.Buckets)))))
	for len(p.moved)+p.underway < limit {
		b, to, ok := p.best()
		if !ok {
			return
		}
		p.put(b, to)
		p.settled[b] = false
		p.moved = append(p.moved, b)
	}
}

// best is the move that helps most.
func (p *planner) best() (bucket, to int, ok bool) {
	if b, to, ok := p.gather(); ok {
		return b, to, true
	}
	var gain float64
	slackLoad, slackEmpty := p.slack(p.load), p.slack(p.empty)
	for b, from := range p.place {
		if !p.movable(b) || p.kinds[b] != Balanced {
			continue
		}
		slack := slackLoad
		if p.vacant(b) {
			slack = slackEmpty
		}
		for _, m := range p.reach[b].members {
			if g := p.gain(b, from, m, slack); g > gain {
				bucket, to, gain, ok = b, m, g, true
			}
		}
	}
	return bucket, to, ok
}

func (p *planner) movable(b int) bool { return p.settled[b] && !p.in.Buckets[b].Open }

// gather moves a bucket that is to be with others to the member that holds most
// of them.
func (p *planner) gather() (bucket, to int, ok bool) {
	actives := make(map[string]int)
	for b, at := range p.place {
		if p.kinds[b] != Together || !p.movable(b) {
			continue
		}
		group := p.in.Buckets[b].Group
		active, known := actives[group]
		if !known {
			active, _ = p.active(group)
			actives[group] = active
		}
		if at != active && p.reach[b].of(active) {
			return b, active, true
		}
	}
	return 0, 0, false
}

// slack is by how much the loads of two members on a scale, each for its weight,
// may differ.
func (p *planner) slack(scale []int64) float64 {
	var load, weight int64
	for _, m := range p.usable {
		load += scale[m]
		weight += p.in.Members[m].weight()
	}
	if weight == 0 {
		return 0
	}
	return tolerance * float64(load) / float64(weight)
}

// gain is what moving b would take off the sum of squared loads, each for its
// member's weight; that sum falls with each move, so that moves come to an end.
// Below zero: it would not help, or the two are within the slack.
func (p *planner) gain(b, from, to int, slack float64) float64 {
	load, l := p.scale(b)
	wf, wt := p.in.Members[from].weight(), p.in.Members[to].weight()
	// In whole numbers: by a rounding error two members would for ever hand a
	// bucket to each other.
	gap := load[from]*wt - load[to]*wf
	off := 2*gap - l*(wf+wt)
	if from == to || off <= 0 || float64(gap) <= slack*float64(wf*wt) {
		return -1
	}
	return float64(l) * float64(off) / float64(wf*wt)
}
