// Package order is what screens ask of a group: values that can be shown before
// they are carried out, as what they will change and as the command line that does
// the same, and that tell afterwards what they did and how to undo it.
package order

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Verb is what is done.
type Verb string

// The verbs.
const (
	Create   Verb = "create"
	Edit     Verb = "edit"
	Pause    Verb = "pause"
	Anew     Verb = "pause anew" // what is paused: with another end, or for another reason
	Resume   Verb = "resume"
	Run      Verb = "run"
	Delete   Verb = "delete"
	Cancel   Verb = "cancel"
	Try      Verb = "try"
	Drain    Verb = "drain"
	Undrain  Verb = "undrain"
	Activate Verb = "activate"
)

// Order is one thing to do. Which fields count depends on the verb.
type Order struct {
	Verb   Verb
	Tasks  []task.Key // Pause, Anew, Resume, Run, Delete
	Reason string     // Pause, Anew, Run, Drain
	Until  End        // Pause, Anew
	Info   task.Info  // Create, Edit: as it shall be
	Was    task.Info  // Edit, and Anew and Resume of one task: as it is
	FireID string     // Cancel
	Node   string     // Drain, Undrain
	// Service and Operation of Try.
	Service, Operation string
	// By is who asks: Drain, Activate.
	By string
}

// Editor changes definitions; control.Control does.
type Editor interface {
	CreateTask(ctx context.Context, info task.Info) (contract.TaskView, []time.Time, error)
	UpdateTask(ctx context.Context, key task.Key, revision int64, change func(*task.Info) error) (contract.TaskView, error)
	DeleteTask(ctx context.Context, key task.Key) error
}

// Switch starts and stops tasks and their runs; control.Control does.
type Switch interface {
	PauseTaskUntil(ctx context.Context, key task.Key, reason string, until time.Time) (contract.TaskView, error)
	ResumeTask(ctx context.Context, key task.Key) (contract.TaskView, error)
	RunTask(ctx context.Context, key task.Key, reason string) (string, error)
	CancelRun(ctx context.Context, fireID string) error
	TryOperation(ctx context.Context, service, operation string, params map[string][]string, accept string) (call.TryResult, error)
}

// Nodes orders hosts about; control.Control does.
type Nodes interface {
	DrainNode(ctx context.Context, name, reason, by string) (contract.NodeView, error)
	UndrainNode(ctx context.Context, name string) (bool, error)
	Activate(ctx context.Context, by string) (contract.BarrierView, error)
}

// Hand carries orders out.
type Hand interface {
	Editor
	Switch
	Nodes
}

// Done is what became of an order.
type Done struct {
	Order Order
	Text  string // one line
	// Undo is a command line that takes it back; empty: nothing does.
	Undo string
	// Body is what a tried operation answered.
	Body []byte
	Err  error // nil: all of it was done
	Hint string
}

// Carry carries an order out.
func (o Order) Carry(ctx context.Context, h Hand) Done {
	d := Done{Order: o}
	var err error
	switch o.Verb {
	case Create:
		var next []time.Time
		if _, next, err = h.CreateTask(ctx, o.Info); err == nil && len(next) > 0 {
			d.Text = "first fires at " + next[0].UTC().Format(time.RFC3339)
		}
	case Edit:
		_, err = h.UpdateTask(ctx, o.Info.Key, o.Was.Revision, o.change)
	case Pause, Anew, Resume, Run, Delete:
		return o.each(ctx, h)
	case Cancel:
		err = h.CancelRun(ctx, o.FireID)
	case Try:
		var result call.TryResult
		if result, err = h.TryOperation(ctx, o.Service, o.Operation, nil, ""); err == nil {
			d.Body = result.Body
			d.Text = fmt.Sprintf("%d rows in %s", result.Rows, result.Elapsed.Round(time.Millisecond))
		}
	case Drain:
		_, err = h.DrainNode(ctx, o.Node, o.Reason, o.By)
	case Undrain:
		_, err = h.UndrainNode(ctx, o.Node)
	case Activate:
		_, err = h.Activate(ctx, o.By)
	}
	return d.with(err)
}

// Failed is what became of an order that could not be begun.
func (o Order) Failed(err error) Done { return Done{Order: o}.with(err) }

// change writes what the form shows into a definition, and leaves the rest.
func (o Order) change(info *task.Info) error {
	n := o.Info
	info.Service, info.Operation, info.Trigger = n.Service, n.Operation, n.Trigger
	info.Misfire, info.Overlap, info.Delivery = n.Misfire, n.Overlap, n.Delivery
	info.Retry, info.Timeout, info.Description = n.Retry, n.Timeout, n.Description
	info.Alerts, info.Output, info.Windows = n.Alerts, n.Output, n.Windows
	return nil
}

// each does the same to several tasks, and goes on past one that fails.
func (o Order) each(ctx context.Context, h Hand) Done {
	d := Done{Order: o}
	var failed []string
	var first error
	for _, key := range o.Tasks {
		var err error
		switch o.Verb {
		case Pause, Anew:
			_, err = h.PauseTaskUntil(ctx, key, o.Reason, o.Until.At)
		case Resume:
			_, err = h.ResumeTask(ctx, key)
		case Run:
			_, err = h.RunTask(ctx, key, o.Reason)
		case Delete:
			err = h.DeleteTask(ctx, key)
		}
		if err == nil {
			continue
		}
		failed = append(failed, key.Name)
		if first == nil {
			first = err
		}
	}
	if first != nil && len(o.Tasks) > 1 {
		e := failure.Of(first)
		first = &failure.Error{
			Code: e.Code, Hint: e.Hint, Err: first,
			Message: fmt.Sprintf("%d of %d done; not %s: %s", len(o.Tasks)-len(failed), len(o.Tasks), strings.Join(failed, ", "), e.Message),
		}
	}
	return d.with(first)
}

// with completes what is told.
func (d Done) with(err error) Done {
	if err != nil {
		e := failure.Of(err)
		d.Err, d.Text, d.Hint = err, d.Order.Title()+": "+e.Message, e.Hint
		return d
	}
	text := d.Order.done()
	if d.Text != "" {
		text += ", " + d.Text
	}
	d.Text = text
	if u, ok := d.Order.Undo(); ok {
		d.Undo = strings.Join(u.Commands(), "; ")
	}
	return d
}

func (o Order) done() string {
	what := o.subject()
	switch o.Verb {
	case Create:
		return what + " created"
	case Edit:
		return what + " changed"
	case Pause, Anew:
		switch {
		case !o.Until.At.IsZero():
			return what + " paused until " + stamp(o.Until.At)
		case o.Verb == Anew:
			return what + " paused until resumed"
		}
		return what + " paused"
	case Resume:
		return what + " resumed"
	case Run:
		return what + " asked to run"
	case Delete:
		return what + " deleted"
	case Cancel:
		return what + " asked to stop"
	case Try:
		return what + " answered"
	case Drain:
		return what + " is being drained"
	case Undrain:
		return what + " takes tasks again"
	}
	return "tasks are being placed"
}

// Title is the order in a few words: "pause task nightly".
func (o Order) Title() string {
	switch o.Verb {
	case Activate:
		return "place tasks now"
	case Anew:
		return "change the pause of " + o.subject()
	}
	return string(o.Verb) + " " + o.subject()
}

func (o Order) subject() string {
	switch o.Verb {
	case Create, Edit:
		return "task " + o.Info.Name
	case Cancel:
		return "run " + o.FireID
	case Try:
		return o.Service + "." + o.Operation
	case Drain, Undrain:
		return "node " + o.Node
	}
	if len(o.Tasks) == 1 {
		return "task " + o.Tasks[0].Name
	}
	return fmt.Sprintf("%d tasks", len(o.Tasks))
}

// Undo gives the order that takes this one back. False: none does.
func (o Order) Undo() (Order, bool) {
	switch o.Verb {
	case Pause:
		return Order{Verb: Resume, Tasks: o.Tasks, Was: o.paused()}, true
	case Anew:
		if len(o.Tasks) == 1 && o.Was.Paused {
			return Order{Verb: Anew, Tasks: o.Tasks, Reason: o.Was.PauseReason, Until: EndOf(o.Was), Was: o.paused()}, true
		}
	case Resume:
		return Order{Verb: Pause, Tasks: o.Tasks, Reason: o.Was.PauseReason, Until: EndOf(o.Was)}, true
	case Drain:
		return Order{Verb: Undrain, Node: o.Node}, true
	case Undrain:
		return Order{Verb: Drain, Node: o.Node, By: o.By}, true
	case Edit:
		is := o.Info
		is.Revision = 0 // the edit has made another
		return Order{Verb: Edit, Info: o.Was, Was: is}, true
	}
	return Order{}, false
}

// paused is the task of the order as it stands once it is paused.
func (o Order) paused() task.Info {
	info := o.Was
	info.Paused, info.PauseReason, info.PauseUntil = true, o.Reason, nil
	if at := o.Until.At; !at.IsZero() {
		info.PauseUntil = &at
	}
	return info
}

// Weight is how much care an order takes.
type Weight uint8

// The weights.
const (
	Light  Weight = iota // done at once; it is told how to undo it
	Middle               // asked for, with what it changes
	Heavy                // the name is typed
)

// Weight tells how much care the order takes.
func (o Order) Weight() Weight {
	switch o.Verb {
	case Delete:
		return Heavy
	case Run, Resume, Undrain, Try:
		if len(o.Tasks) > 1 {
			return Middle
		}
		return Light
	}
	return Middle
}

// Word is what is typed to allow a Heavy order.
func (o Order) Word() string {
	if len(o.Tasks) == 1 {
		return o.Tasks[0].Name
	}
	return fmt.Sprint(len(o.Tasks))
}

// Ends tells whether an end can be given.
func (o Order) Ends() bool { return o.Verb == Pause || o.Verb == Anew }

// Reasoned tells whether a reason can be given.
func (o Order) Reasoned() bool {
	return o.Verb == Pause || o.Verb == Anew || o.Verb == Drain || o.Verb == Run
}
