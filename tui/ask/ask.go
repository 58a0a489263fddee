// Package ask is what screens ask of a group beyond what its picture shows:
// questions that take a while to answer, and change nothing.
package ask

import (
	"context"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/order"
)

// Kind is what is asked.
type Kind string

// The kinds.
const (
	Loss   Kind = "node-loss" // what would happen if Nodes died now
	Health Kind = "doctor"    // what is not as it should be
	Why    Kind = "explain"   // why Task does what it does
)

// Question is one thing to ask. Which fields count depends on the kind.
type Question struct {
	Kind  Kind
	Nodes []string
	Task  task.Key
}

// Is tells whether two questions are the same.
func (q Question) Is(other Question) bool {
	return q.Kind == other.Kind && q.Task == other.Task && slices.Equal(q.Nodes, other.Nodes)
}

// Command is the command line that asks the same.
func (q Question) Command() string {
	switch q.Kind {
	case Loss:
		words := []string{"simulate node-loss"}
		for _, n := range q.Nodes {
			words = append(words, order.Quote(n))
		}
		return order.Line(words...)
	case Why:
		return order.Line("explain task", order.Quote(q.Task.Name), order.KeyFlags(q.Task))
	}
	return order.Line("doctor")
}

// Oracle answers; control.Control does.
type Oracle interface {
	Simulate(ctx context.Context, lost []string) (control.Simulation, error)
	Diagnose(ctx context.Context) (explain.Diagnosis, error)
	ExplainTask(ctx context.Context, key task.Key) (explain.Explanation, error)
}

// Answer is what came of a question. Which field is filled depends on its kind.
type Answer struct {
	Question Question
	At       time.Time // when it was answered; zero: it has not been
	Loss     control.Simulation
	Findings []explain.Finding
	Err      error // nil: it was answered
}

// Put asks, and waits for the answer.
func (q Question) Put(ctx context.Context, o Oracle, now func() time.Time) Answer {
	a := Answer{Question: q}
	switch q.Kind {
	case Loss:
		a.Loss, a.Err = o.Simulate(ctx, q.Nodes)
	case Why:
		var e explain.Explanation
		e, a.Err = o.ExplainTask(ctx, q.Task)
		a.Findings = e.Findings
	default:
		var d explain.Diagnosis
		d, a.Err = o.Diagnose(ctx)
		a.Findings = d.Checks
	}
	a.At = now()
	return a
}
