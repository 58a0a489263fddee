package contract

import (
	"cmp"
	"slices"
)

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
	Dead     int           `json:"messages_dead"` // given up, and kept to be seen
}

// NewStatus makes one without tasks.
func NewStatus() StatusView {
	v := StatusView{Next: []TaskView{}, Trouble: []TaskView{}, Tasks: make(map[State]int)}
	for _, s := range States() {
		v.Tasks[s] = 0
	}
	return v
}

// Add counts a task, and names it if it is one of those to be named.
func (v *StatusView) Add(t TaskView) {
	v.Total++
	v.Tasks[t.State]++
	switch t.State {
	case Failed, Blocked, Unplaced, Unknown:
		v.Trouble = least(v.Trouble, t, maxTrouble, ByName)
	}
	if t.Next != nil {
		v.Next = least(v.Next, t, soonest, func(a, b TaskView) int { return cmp.Or(a.Next.Compare(*b.Next), ByName(a, b)) })
	}
}

// least puts a task into a list of the first few.
func least(few []TaskView, t TaskView, most int, compare func(a, b TaskView) int) []TaskView {
	i, _ := slices.BinarySearchFunc(few, t, compare)
	if i == most {
		return few
	}
	few = slices.Insert(few, i, t)
	return few[:min(len(few), most)]
}
