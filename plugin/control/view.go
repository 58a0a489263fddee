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
	// Trigger in one line: "cron:0 0/5 * * * ?", "every:1m0s", "every:10s*10",
	// "at:2027-01-01T00:00:00Z".
	Trigger  string        `json:"trigger"`
	TZ       string        `json:"tz"`
	Start    *time.Time    `json:"start"`
	End      *time.Time    `json:"end"`
	State    State         `json:"state"`
	Reason   string        `json:"reason"` // a stable code with an explanation, or empty
	Node     string        `json:"node"`   // the owner's --node name; empty: none
	Next     *time.Time    `json:"next"`
	Last     *RunView      `json:"last"`
	Fired    int64         `json:"fired"` // firings that ended or are open
	Failures int64         `json:"failures"`
	Skipped  int64         `json:"skipped"`
	Misfire  task.Misfire  `json:"misfire"`
	Overlap  task.Overlap  `json:"overlap"`
	Delivery task.Delivery `json:"delivery"`
	Retry    int           `json:"retry"`
	Timeout  string        `json:"timeout"`
	Alerts   []task.Alert  `json:"alerts"`

	Description string `json:"description"`
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
	Outcome   string     `json:"outcome"` // RUNNING, OK, FAILED, TIMED_OUT, INTERRUPTED, UNKNOWN, SKIPPED, CANCELLED
	Reason    string     `json:"reason"`
	Attempt   int        `json:"attempt"`
	Node      string     `json:"node"`
	Error     string     `json:"error"`
	Skips     int        `json:"skips"`
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
	Cluster  string        `json:"cluster"` // "standalone", or the root in ZooKeeper
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
	Name    string    `json:"name"`
	Member  string    `json:"member"`
	Joined  time.Time `json:"joined"`
	Version string    `json:"version"`
	Address string    `json:"address"`
	State   string    `json:"state"` // healthy, suspended, draining
	Running int       `json:"running"`
}
