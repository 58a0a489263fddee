package coordtest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/tree"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

var (
	errCut     = errors.New("the connection is cut")
	errExpired = errors.New("the session has expired")
	errLeft    = errors.New("the session is closed")
)

// Cluster is a coordination store in memory. What was committed lasts as long
// as it does, whatever becomes of the members. Safe for concurrent use.
type Cluster struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows, and the sessions' states
	tree    *tree.Tree[cell]
	members []*Member // oldest first
	joined  int       // how many ever were
	watch   chan struct{}
	leaders map[string]*Member
	elect   chan struct{}
}

// cell is an entry's value. It is never changed in place.
type cell struct {
	value    []byte
	modified time.Time
}

// NewCluster makes an empty store without members. now is its clock; nil means
// time.Now.
func NewCluster(now func() time.Time) *Cluster {
	if now == nil {
		now = time.Now
	}
	return &Cluster{
		now:     now,
		tree:    tree.New[cell](),
		watch:   make(chan struct{}),
		leaders: make(map[string]*Member),
		elect:   make(chan struct{}),
	}
}

// NewMemory makes a store and joins it as its only member, "memory".
func NewMemory() *Member { return NewCluster(nil).Join("memory", nil) }

// Join makes a new member. Incarnations are counted, not random, so that a
// simulation runs the same way each time.
func (c *Cluster) Join(node string, value []byte) *Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined++
	m := &Member{
		Client: c.client(),
		joined: c.now().Truncate(time.Millisecond),
		value:  bytes.Clone(value),
		verbs:  verbs.New(),
	}
	m.id = coordclient.MemberID(fmt.Sprintf("%s.%032x", node, c.joined))
	c.members = append(c.members, m)
	c.membersChanged()
	return m
}

// Dial connects without joining, as the companion does.
func (c *Cluster) Dial() *Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client()
}

func (c *Cluster) client() *Client {
	return &Client{c: c, state: coordclient.Healthy, changed: make(chan struct{})}
}

// membersChanged needs mu.
func (c *Cluster) membersChanged() {
	close(c.watch)
	c.watch = make(chan struct{})
}

// electionsChanged needs mu.
func (c *Cluster) electionsChanged() {
	close(c.elect)
	c.elect = make(chan struct{})
}

// find needs mu.
func (c *Cluster) find(id coordclient.MemberID) *Member {
	i := slices.IndexFunc(c.members, func(m *Member) bool { return m.id == id })
	if i < 0 {
		return nil
	}
	return c.members[i]
}

// remove takes a member out of the group and of its offices. Needs mu.
func (c *Cluster) remove(m *Member) {
	if i := slices.Index(c.members, m); i >= 0 {
		c.members = slices.Delete(c.members, i, i+1)
		c.membersChanged()
	}
	for role, leader := range c.leaders {
		if leader == m {
			delete(c.leaders, role)
		}
	}
	c.electionsChanged()
}

// commit needs mu.
func (c *Cluster) commit(self coordclient.MemberID, ops []coordclient.Op) error {
	now := c.now().Truncate(time.Millisecond).UTC()
	stage := c.tree.Stage()
	err := stage.Add(ops, tree.Rules[cell]{
		Member: func(id coordclient.MemberID) bool { return id == self && c.find(id) != nil },
		Payload: func(op coordclient.Op, _ cell) cell {
			return cell{append([]byte{}, op.Value...), now}
		},
	})
	if err == nil {
		stage.Apply()
	}
	return err
}
