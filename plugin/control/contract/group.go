package contract

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// EventView is something that happened and that an administrator may want to
// know, newest last.
type EventView struct {
	Time   time.Time `json:"time"`
	Level  string    `json:"level"` // info, warn, error
	Code   string    `json:"code"`  // stable
	Object string    `json:"object"`
	Text   string    `json:"text"`
	Node   string    `json:"node"`
}

// NodeView is a host.
type NodeView struct {
	Name    string     `json:"name"`
	Member  string     `json:"member"` // its incarnation; empty: it is gone
	Joined  *time.Time `json:"joined"` // null: it is gone
	Version string     `json:"version"`
	Address string     `json:"address"`
	State   NodeState  `json:"state"`
	Reason  string     `json:"reason"` // of a state other than healthy
	Running int        `json:"running"`
	Leader  bool       `json:"leader"`
	// Placed is how many buckets belong to it, Owned how many it has taken.
	Placed int `json:"buckets_placed"`
	Owned  int `json:"buckets_owned"`
	// Tasks in the buckets that it owns, as the leader counted them last.
	Tasks int `json:"tasks"`
	// SkewMS is how far its clock is ahead of the store's, at least.
	SkewMS int64      `json:"clock_skew_ms"`
	Drain  *DrainView `json:"drain"` // null: it is not drained
}

// NodeInfo is the value of a member: what a host publishes of itself.
type NodeInfo struct {
	Version string `json:"version"`
	Address string `json:"address"`
	State   string `json:"state"`            // a NodeState that only the host knows; empty: healthy
	Reason  string `json:"reason,omitempty"` // of State
	Running int    `json:"running"`
	// Cluster is where the group is, as zk://...; empty: the host is alone.
	Cluster string `json:"cluster,omitempty"`
	// Replies is the base address at which the host takes replies to calls of
	// tasks. Empty: plain HTTP at Address; NoReplies: none that can be told.
	Replies string `json:"replies,omitempty"`
	// Formerly are the incarnations that the host's process had before.
	Formerly []coordclient.MemberID `json:"formerly,omitempty"`
}

// NoReplies is NodeInfo.Replies of a host that can be named for no reply.
const NoReplies = "none"

// NodeState is what a host is doing in the group.
type NodeState string

// The states of a node. A host may publish others of itself.
const (
	NodeHealthy  NodeState = "healthy"
	NodeJoining  NodeState = "joining"   // it has not begun yet
	NodeDraining NodeState = "draining"  // asked for, and it still owns something
	NodeDrained  NodeState = "drained"   // it owns nothing, and gets nothing
	NodeStopping NodeState = "stopping"  // it hands over, to stop
	NodeClockOff NodeState = "clock_off" // its clock is wrong, so it gets nothing
	NodeAiling   NodeState = "ailing"    // it cannot commit claims, so it fires nothing
	NodeGone     NodeState = "gone"      // it is not in the group
)

// DrainView says who wants a node to own nothing.
type DrainView struct {
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	At     *time.Time `json:"at"`
	// Stopping: the host asked for it itself, until it is gone.
	Stopping bool `json:"stopping"`
}

// Text is the reason and who gave it.
func (d *DrainView) Text() string {
	by := ""
	if d.By != "" {
		by = "by " + d.By
	}
	return strings.Trim(d.Reason+" "+by, " ")
}

// LeaderView is who places the buckets. Without a leader nothing moves, and
// firing goes on.
type LeaderView struct {
	Node   string `json:"node"` // who took the lead last; empty: nobody yet
	Member string `json:"member"`
	Term   int64  `json:"term"`
	// Present: it is in the group.
	Present bool `json:"present"`
}

// Text is the leader as a person reads it.
func (l LeaderView) Text() string {
	switch {
	case l.Node == "":
		return "none yet"
	case !l.Present:
		return fmt.Sprintf("none; the last was %s, in term %d", l.Node, l.Term)
	}
	return fmt.Sprintf("%s, term %d", l.Node, l.Term)
}

// BarrierView is the start-up barrier: nothing is placed until enough servers
// are there.
type BarrierView struct {
	Open     bool       `json:"open"`
	Servers  int        `json:"servers"` // that it waits for; below 2: for none
	Present  int        `json:"present"` // different nodes that have begun
	WithinMS int64      `json:"within_ms"`
	Since    *time.Time `json:"since"` // when it changed last; null: there is none yet
	Lifted   bool       `json:"lifted"`
	LiftedBy string     `json:"lifted_by"`
}

// ClusterView is the group without its tasks.
type ClusterView struct {
	Cluster string      `json:"cluster"`
	UUID    string      `json:"uuid"`
	Nodes   int         `json:"nodes"` // different ones in the group
	Waiting string      `json:"waiting"`
	Leader  LeaderView  `json:"leader"`
	Barrier BarrierView `json:"barrier"`
	PlacedView
	// Rollover is when ZooKeeper will have to elect its leader anew because the
	// numbers of its writes are used up; null: the store has no such thing.
	Rollover *RolloverView `json:"rollover"`
}

// RolloverView is how far a store is from numbering its writes anew.
type RolloverView struct {
	Used   float64 `json:"used"`    // the part of the numbers that is used
	PerDay float64 `json:"per_day"` // writes, of late; 0: not known
	Days   float64 `json:"days"`    // until then at that pace; 0: not known
}

// PlacedView counts the buckets of a group by where they are.
type PlacedView struct {
	Buckets  int `json:"buckets"`
	Settled  int `json:"buckets_settled"`  // owned by whom they belong to
	Moving   int `json:"buckets_moving"`   // they belong to one that has not taken them yet
	Unplaced int `json:"buckets_unplaced"` // they have no place, for the time being
}

// PlacementView is where the leader has placed the buckets, and what became of it.
type PlacementView struct {
	Term    int64  `json:"term"` // of the leader that wrote it; 0: nobody did yet
	Waiting string `json:"waiting"`
	PlacedView
	Members []PlacedMemberView `json:"members"`
	Without []UnplacedView     `json:"unplaced"`
}

// PlacedMemberView is what a placement gives one member.
type PlacedMemberView struct {
	Node      string  `json:"node"`
	Member    string  `json:"member"`
	Present   bool    `json:"present"`
	Placed    int     `json:"buckets_placed"`
	Owned     int     `json:"buckets_owned"`
	Tasks     int     `json:"tasks"`      // in the buckets placed there, as the leader counted them last
	PerMinute float64 `json:"per_minute"` // firings to be expected there
}

// UnplacedView is buckets without a place for one reason.
type UnplacedView struct {
	Reason  string `json:"reason"`
	Buckets []int  `json:"buckets"`
	Tasks   int    `json:"tasks"`
}

// BucketView is where one bucket is.
type BucketView struct {
	Bucket int    `json:"bucket"`
	Node   string `json:"node"`   // it belongs to; empty: nobody
	Owner  string `json:"owner"`  // the node that has taken it; empty: nobody
	Reason string `json:"reason"` // why it belongs to nobody
	Tasks  int    `json:"tasks"`
}
