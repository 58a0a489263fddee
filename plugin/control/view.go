package control

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The types of this file are the JSON contract of the command line and of any
// other reader: snake_case, lists are arrays and never null, times RFC 3339 in
// UTC. Fields may be added, none is renamed or removed.

// State is what a task is doing, in the words that administrators see (WSO2:
// TaskManager.TaskState).
type State string

// The states of a task.
const (
	Waiting  State = "waiting"  // NORMAL
	Running  State = "running"  // NORMAL, a run is going
	Paused   State = "paused"   // PAUSED
	Blocked  State = "blocked"  // BLOCKED: due, but an earlier run still goes
	Unplaced State = "unplaced" // NONE: nobody owns it
	Finished State = "finished" // FINISHED: never fires again
	Failed   State = "failed"   // ERROR: its last firing failed, retries used up
	Unknown  State = "unknown"  // UNKNOWN: its owner is out of reach
)

// TaskView is a task as it stands.
type TaskView struct {
	Name      string `json:"name"`
	Tenant    string `json:"tenant"`
	Type      string `json:"type"`
	UID       string `json:"uid"`
	Revision  int64  `json:"revision"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Kind is what the task does in a word, Calls what it calls in a line, and Do
	// all of it; null: it calls the operation in process.
	Kind  task.Kind    `json:"kind"`
	Calls string       `json:"calls"`
	Do    *task.Action `json:"do"`
	// Trigger in one line: "cron:0 0/5 * * * ?", "every:1m0s", "every:10s*10",
	// "at:2027-01-01T00:00:00Z".
	Trigger string     `json:"trigger"`
	TZ      string     `json:"tz"`
	Start   *time.Time `json:"start"`
	End     *time.Time `json:"end"`
	State   State      `json:"state"`
	Reason  string     `json:"reason"` // a stable code with an explanation, or empty
	// PausedUntil is when the pause ends of itself; null: it does not, or there is
	// none.
	PausedUntil *time.Time    `json:"paused_until"`
	Node        string        `json:"node"` // the owner's --node name; empty: none
	Next        *time.Time    `json:"next"`
	Last        *RunView      `json:"last"`
	Fired       int64         `json:"fired"` // firings that ended or are open
	Failures    int64         `json:"failures"`
	Skipped     int64         `json:"skipped"`
	Misfire     task.Misfire  `json:"misfire"`
	Overlap     task.Overlap  `json:"overlap"`
	Delivery    task.Delivery `json:"delivery"`
	Retry       int           `json:"retry"`
	Timeout     string        `json:"timeout"`
	// Reply says for what reply a run waits; null: it ends with its call.
	Reply  *task.ReplyWait `json:"reply"`
	Alerts []task.Alert    `json:"alerts"`

	Description string `json:"description"`

	// Location says which hosts may run it; empty: as their default says. Moving
	// is that it is on its way to them; empty: it is not.
	Location string `json:"location"`
	Moving   string `json:"moving"`

	// Windows say by calendars when it may run, Window says it in one line: "in
	// office, not in freeze; outside: defer". Null and empty: at any time.
	Windows *task.Windows `json:"windows"`
	Window  string        `json:"window"`

	// After says which tasks it follows, and how, in one line: "success of a",
	// "end of all of a, b". Empty: none. Followers are the names of those that
	// follow it.
	After     string   `json:"after"`
	Followers []string `json:"followers"`
}

// RunView is one attempt at a firing.
type RunView struct {
	FireID    string     `json:"fire_id"`
	Task      string     `json:"task"`
	Tenant    string     `json:"tenant"`
	Type      string     `json:"type"`
	Scheduled time.Time  `json:"scheduled"`
	Started   *time.Time `json:"started"`
	Ended     *time.Time `json:"ended"`
	Outcome   string     `json:"outcome"` // RUNNING, WAITING, OK, FAILED, TIMED_OUT, INTERRUPTED, UNKNOWN, SKIPPED, CANCELLED
	Reason    string     `json:"reason"`
	Attempt   int        `json:"attempt"`
	Node      string     `json:"node"`
	Error     string     `json:"error"`
	Skips     int        `json:"skips"`
	// Value is what a reply returned, of a run that waited for one; of others the
	// head of what the call answered, where it is kept (task.Info.Output).
	Value string `json:"value"`
	// Deadline of a WAITING run's reply; null: it waits for none.
	Deadline *time.Time `json:"deadline"`
}

// ServiceView is a deployed data service, or one that could not be.
type ServiceView struct {
	Name        string          `json:"name"`
	File        string          `json:"file"`
	Status      string          `json:"status"` // active, inactive, failed
	Error       string          `json:"error"`  // of a failed or a newer, refused version
	Node        string          `json:"node"`
	Deployed    *time.Time      `json:"deployed"`
	Description string          `json:"description"`
	Operations  []OperationView `json:"operations"`
	Resources   []ResourceView  `json:"resources"`
	Triggers    []string        `json:"event_triggers"`
	Unsupported []string        `json:"unsupported"`
}

// OperationView is an operation, and whether it can be scheduled.
type OperationView struct {
	Service     string   `json:"service"`
	Name        string   `json:"name"`
	Parameters  []string `json:"parameters"`
	Schedulable bool     `json:"schedulable"`
	Why         string   `json:"why"` // why it is not
	// Delivery is the strongest that the operation's source offers.
	Delivery task.Delivery `json:"delivery"`
	Reads    bool          `json:"reads"` // it returns a result

	action *task.Action // what calls it, of a service of another system
}

// ResourceView is a resource.
type ResourceView struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

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

// StatusView is the whole in one screen.
type StatusView struct {
	Cluster string `json:"cluster"` // "standalone", or where the group is: zk://...
	// Waiting is why nothing is placed on hosts: "waiting for servers: 2 of 3".
	// Empty: nothing waits.
	Waiting  string        `json:"waiting"`
	Leader   LeaderView    `json:"leader"`
	Nodes    []NodeView    `json:"nodes"`
	Tasks    map[State]int `json:"tasks"`
	Total    int           `json:"total"`
	Next     []TaskView    `json:"next"`      // the soonest few
	Trouble  []TaskView    `json:"attention"` // failed, blocked, unplaced, unknown
	Services int           `json:"services"`
	Failed   int           `json:"services_failed"`
	Outbox   int           `json:"messages_waiting"`
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

// LeaderView is who places the buckets. Without a leader nothing moves, and
// firing goes on.
type LeaderView struct {
	Node   string `json:"node"` // who took the lead last; empty: nobody yet
	Member string `json:"member"`
	Term   int64  `json:"term"`
	// Present: it is in the group.
	Present bool `json:"present"`
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
