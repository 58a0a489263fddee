package contract

import "slices"

// Bounds of the lists in a status.
const (
	soonest    = 5
	maxTrouble = 20
)

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

// Count sorts tasks by how they stand, and picks those to be named.
func (v *StatusView) Count(tasks []TaskView) {
	v.Total = len(tasks)
	v.Tasks = make(map[State]int)
	for _, s := range States() {
		v.Tasks[s] = 0
	}
	var next []TaskView
	for _, t := range tasks {
		v.Tasks[t.State]++
		switch t.State {
		case Failed, Blocked, Unplaced, Unknown:
			if len(v.Trouble) < maxTrouble {
				v.Trouble = append(v.Trouble, t)
			}
		}
		if t.Next != nil {
			next = append(next, t)
		}
	}
	slices.SortStableFunc(next, func(a, b TaskView) int { return a.Next.Compare(*b.Next) })
	v.Next = append(v.Next, next[:min(len(next), soonest)]...)
}
