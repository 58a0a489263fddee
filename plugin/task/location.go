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
	// To is the bucket that its owner is to hand the task to, written as Bucket
	// is. Nil: the task stays.
	To *int `json:"to,omitempty"`
	// Carried is the task's state on its way from one bucket to another. While
	// there is some, the new bucket decides nothing about the task but to take it.
	Carried []byte `json:"carried,omitempty"`
}
