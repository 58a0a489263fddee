package cluster

import (
	"fmt"
	"time"
)

// clock compares this member's clock with the store's, until loops ends. That it
// did so for the first time tells the leader that this member is ready.
func (c *Cluster) clock() {
	known, pause, announced := time.Duration(0), minPause, false
	for c.loops.Err() == nil {
		skew, err := c.d.Store.Compare(c.loops, c.d.Now, known)
		if err == nil && !announced {
			err = c.d.Store.Announce(c.loops)
			announced = err == nil
		}
		if err != nil {
			wait(c.loops, pause)
			pause = min(2*pause, maxPause)
			continue
		}
		pause = minPause
		turned := off(skew) != off(known)
		known = skew
		c.mu.Lock()
		c.skew, c.known = skew, true
		c.mu.Unlock()
		c.nudge()
		if turned {
			c.d.Log.Warn("clock compared with the store's", "ahead", skew, "fit", off(skew) == "")
			continue // to write it down
		}
		wait(c.loops, compareClocks)
	}
}

// off says why a member with such a clock may own nothing; empty: it may.
func off(skew time.Duration) string {
	switch {
	case skew > MaxSkew:
		return fmt.Sprintf("its clock is %s ahead", skew.Round(time.Second))
	case skew < -MaxSkew:
		return fmt.Sprintf("its clock is %s behind", -skew.Round(time.Second))
	}
	return ""
}

// unfit is why this member may own nothing. It needs mu.
func (c *Cluster) unfit() string {
	if c.newest != "" && c.newest != c.me {
		return "its node has joined again, as " + string(c.newest)
	}
	return off(c.skew)
}
