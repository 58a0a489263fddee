// Package code runs Go code that an embedding program has built into the host,
// as tasks (WSO2: DSTaskExt, which runs a DataTask by its class name).
//
// Code is registered by name when the host is made, published with what the host
// has deployed, and scheduled with `belfry task create NAME --code …` on the
// hosts that have it. A run of it is at-least-once: it may be repeated after a
// crash, with the same fire id, so an effect that must not be repeated is keyed
// by Context.FireID.
package code

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// DataTask is code that a task runs (WSO2: DataTask). One value serves all
// runs: it must be safe for concurrent use.
type DataTask interface {
	// Execute makes one attempt. It returns soon after ctx ends: the task's
	// time-out, a cancellation, or the end of the host. An error is a failure, and
	// its text is shown; so is a panic.
	Execute(ctx context.Context, c *Context) error
}

// Func is a function as a DataTask.
type Func func(ctx context.Context, c *Context) error

// Execute calls f.
func (f Func) Execute(ctx context.Context, c *Context) error { return f(ctx, c) }

// Answer is what an operation or a resource answered.
type Answer struct {
	ContentType string // application/xml or application/json
	Body        []byte
	Rows        int64 // that came back or were changed; of an operation alone
}

// Services are the data services of the host. Safe for concurrent use.
type Services interface {
	// Invoke calls an operation with its parameters.
	Invoke(ctx context.Context, service, operation string, params map[string][]string) (Answer, error)
	// Access calls a resource: its path below the service, without a slash in
	// front.
	Access(ctx context.Context, service, method, path string, params map[string][]string) (Answer, error)
	// Active tells whether a service is deployed here and active.
	Active(service string) bool
}

// Context is what a run of code has to do with the host (WSO2:
// DataTaskContext). It is of one run.
type Context struct {
	Task      task.Key
	FireID    task.FireID
	Scheduled time.Time // UTC
	Attempt   int       // 1 is the first
	// Properties of the task.
	Properties map[string]string
	// Event is the data of the event whose handler the code is; nil if it is not.
	Event map[string]any

	services Services
}

// CheckServices tells which of the services are not deployed here and active.
func (c *Context) CheckServices(names ...string) error {
	for _, name := range names {
		if !c.services.Active(name) {
			return fmt.Errorf("service %s is not deployed here, or not active", name)
		}
	}
	return nil
}

// InvokeOperation calls an operation of a data service of this host, in
// process, in a transaction of its own. A parameter that is an array has
// several values.
func (c *Context) InvokeOperation(ctx context.Context, service, operation string, params map[string][]string) (Answer, error) {
	return c.services.Invoke(ctx, service, operation, params)
}

// AccessResource calls a resource of a data service of this host, in process:
// method GET, POST, PUT or DELETE, and the path below the service.
func (c *Context) AccessResource(ctx context.Context, service, method, path string, params map[string][]string) (Answer, error) {
	return c.services.Access(ctx, service, method, path, params)
}

// Registry is the code that a host has, by name.
type Registry map[string]DataTask

var nameRule = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Check refuses names that cannot be published.
func (r Registry) Check() error {
	for name, t := range r {
		if !nameRule.MatchString(name) {
			return fmt.Errorf("code %q: use letters, digits, underscore, hyphen and dot, at most 64", name)
		}
		if t == nil {
			return fmt.Errorf("code %s is nil", name)
		}
	}
	return nil
}

// Names lists the code in order.
func (r Registry) Names() []string { return slices.Sorted(maps.Keys(r)) }

// Code runs what is registered. Safe for concurrent use.
type Code struct {
	registry Registry
	services Services
}

// New makes a Code.
func New(r Registry, s Services) *Code { return &Code{maps.Clone(r), s} }

// Has tells whether there is code of a name.
func (c *Code) Has(name string) bool { return c.registry[name] != nil }

// Invoke makes one attempt. The context's deadline bounds it.
func (c *Code) Invoke(ctx context.Context, call task.Call) task.Result {
	name := call.Info.Do.Code.Name
	if !c.Has(name) {
		return task.Result{Outcome: task.Failed, NotSent: true, Error: "this host has no code named " + name}
	}
	err := c.Run(ctx, name, &Context{
		Task: call.Info.Key, FireID: call.FireID, Scheduled: call.Scheduled.UTC(), Attempt: call.Attempt,
		Properties: maps.Clone(call.Info.Do.Properties),
	})
	switch {
	case err == nil:
		return task.Result{Outcome: task.OK}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return task.Result{Outcome: task.TimedOut, Error: err.Error()}
	}
	return task.Result{Outcome: task.Failed, Error: err.Error()}
}

// Run runs code for somebody else than a task, such as a handler of events. A
// panic is its error.
func (c *Code) Run(ctx context.Context, name string, tc *Context) (err error) {
	t := c.registry[name]
	if t == nil {
		return fmt.Errorf("this host has no code named %s", name)
	}
	tc.services = c.services
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.Execute(ctx, tc)
}
