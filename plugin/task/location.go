package task

import (
	"fmt"
	"strconv"
	"strings"
)

// Location says which members may run a task (WSO2: the locationResolverClass
// of a TaskInfo, and its properties). Package place knows the resolvers.
type Location struct {
	// Resolver by its plain name or that of its class.
	Resolver   string     `json:"resolver"`
	Properties []Property `json:"properties,omitempty"`
}

// Property is one of a resolver's settings, as tasks-config.xml has them.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// String gives resolver and properties on one line: two locations that give the
// same mean the same. Nil: empty, the default of the hosts.
func (l *Location) String() string {
	if l == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(l.Resolver)
	for _, p := range l.Properties {
		fmt.Fprintf(&b, " %s=%s", p.Name, strconv.Quote(p.Value))
	}
	return b.String()
}

// Seat is where the state of a task is kept. Only package store changes it. The
// zero value is the bucket that the task's name falls into.
type Seat struct {
	// Bucket that decides for the task. Zero: that of its name, whatever number
	// that has; buckets of locations begin beyond those of names.
	Bucket int `json:"bucket,omitempty"`
	// Move is its way to another bucket. Nil: it stays. It is never written into.
	Move *Move `json:"move,omitempty"`
}

// Move is a task's way from one bucket to another.
type Move struct {
	// To is the bucket that its owner is to hand the task to, written as
	// Seat.Bucket is. Nil: none, it has arrived.
	To *int `json:"to,omitempty"`
	// Carried is the task's state on its way. While there is some, the new bucket
	// decides nothing about the task but to take it.
	Carried []byte `json:"carried,omitempty"`
}

// To is the bucket that the task is to go to; nil: it stays.
func (s Seat) To() *int {
	if s.Move == nil {
		return nil
	}
	return s.Move.To
}

// Carried is the task's state on its way to Bucket; nil: it is there.
func (s Seat) Carried() []byte {
	if s.Move == nil {
		return nil
	}
	return s.Move.Carried
}

// Going is the seat of a task that is to go elsewhere; nil: that stays.
func (s Seat) Going(to *int) Seat { return s.moving(to, s.Carried()) }

// Carrying is the seat of a task whose state is on its way; nil: has arrived.
func (s Seat) Carrying(state []byte) Seat { return s.moving(s.To(), state) }

func (s Seat) moving(to *int, state []byte) Seat {
	s.Move = nil
	if to != nil || len(state) > 0 {
		s.Move = &Move{To: to, Carried: state}
	}
	return s
}
