package zk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// epochWrites is how many writes one leader of the ensemble can number. After
// them the servers elect a leader anew, and firing pauses meanwhile
// (ZOOKEEPER-1277).
const epochWrites = 1 << 32

// writeMark is one numbered write and when it was made.
type writeMark struct {
	zxid int64
	at   time.Time
}

// Rollover tells how far the ensemble is from electing its leader anew because
// its writes cannot be numbered any more: from the znodes of the group, so that
// no four-letter command is needed. Error: coordclient.ErrUnavailable.
func (c *Client) Rollover(ctx context.Context) (coordclient.Rollover, error) {
	names, err := c.children(ctx, c.paths.beats())
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return coordclient.Rollover{}, fmt.Errorf("rollover: %w", readError(err))
	}
	all := append(c.paths.top(), c.paths.root, c.paths.entry("/leader"), c.paths.entry("/placement"), c.paths.entry("/cluster/barrier"))
	for _, name := range names {
		all = append(all, c.paths.beats()+"/"+name, c.paths.members()+"/"+name)
	}
	var marks []writeMark
	for _, path := range all {
		s, err := c.stat(ctx, path)
		if errors.Is(err, zk.ErrNoNode) {
			continue
		}
		if err != nil {
			return coordclient.Rollover{}, fmt.Errorf("rollover: %w", readError(err))
		}
		marks = append(marks, writeMark{s.Czxid, time.UnixMilli(s.Ctime)}, writeMark{s.Mzxid, time.UnixMilli(s.Mtime)})
	}
	return rollover(marks), nil
}

// rollover compares the newest write with the oldest under the same leader.
func rollover(marks []writeMark) coordclient.Rollover {
	var newest, oldest writeMark
	for _, m := range marks {
		if m.zxid > newest.zxid {
			newest = m
		}
	}
	oldest = newest
	for _, m := range marks {
		if m.zxid>>32 == newest.zxid>>32 && m.zxid < oldest.zxid {
			oldest = m
		}
	}
	made := newest.zxid & (epochWrites - 1)
	r := coordclient.Rollover{Used: float64(made) / epochWrites}
	if days := newest.at.Sub(oldest.at).Hours() / 24; days > 0 {
		r.PerDay = float64(newest.zxid-oldest.zxid) / days
	}
	if r.PerDay > 0 {
		r.Days = float64(epochWrites-made) / r.PerDay
	}
	return r
}
