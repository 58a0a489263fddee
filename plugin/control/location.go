package control

import (
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Pinned is the location of a task that only these nodes may run.
func Pinned(nodes ...string) *task.Location {
	return &task.Location{Resolver: "nodes", Properties: []task.Property{{Name: "task_nodes", Value: strings.Join(nodes, ",")}}}
}
