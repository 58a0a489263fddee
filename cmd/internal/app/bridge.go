package app

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/task"
)

// bridge is the data services as the plugin sees them. Safe for concurrent use.
type bridge struct {
	services *host.Host
	natures  *natures

	mu    sync.Mutex
	tasks map[string]task.Key // guarded by mu; the tasks of firings under way, by fire id
}

func newBridge(services *host.Host, n *natures) *bridge {
	return &bridge{services: services, natures: n, tasks: map[string]task.Key{}}
}

// Call executes an operation for a firing.
func (b *bridge) Call(ctx context.Context, c invoke.OperationCall) (invoke.Answer, error) {
	id := string(c.FireID)
	b.mu.Lock()
	b.tasks[id] = c.Task
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.tasks, id)
		b.mu.Unlock()
	}()
	call := dataservice.Call{Service: c.Service, Operation: c.Operation, Values: map[string][]string{}, Caller: onBehalf("task " + c.Task.Name)}
	for name, value := range c.Params {
		call.Values[name] = []string{value}
	}
	if c.Keyed {
		call.Fire = &dataservice.FireKey{ID: id, ClaimedAt: c.ClaimedAt}
	}
	if c.Keep == 0 {
		outcome, err := b.services.Invoke(ctx, call)
		return invoke.Answer{Rows: outcome.Rows}, forFiring(err)
	}
	// One byte more tells that there is more.
	answer, err := b.services.Head(ctx, call, b.format(c.Service, c.Operation, ""), c.Keep+1)
	return invoke.Answer{Rows: answer.Outcome.Rows, Body: answer.Body}, forFiring(err)
}

// onBehalf is the host as the caller of a service. Whoever made the task, or
// opened the companion's socket, controls the host.
func onBehalf(name string) *dataservice.Principal {
	return &dataservice.Principal{Name: name, System: true}
}

// forFiring says what a fault means for a firing.
func forFiring(err error) error {
	var f *dataservice.Fault
	if !errors.As(err, &f) {
		return err
	}
	// The operator sees the database's own words; a client of the service does not.
	shown := error(f)
	if f.Err != nil && !strings.Contains(f.Message, f.Err.Error()) {
		shown = errors.Join(f, f.Err)
	}
	said := &invoke.Failure{Err: oneLine{shown}}
	switch f.Kind {
	case dataservice.FaultNotFound, dataservice.FaultInactive, dataservice.FaultUnsupported, dataservice.FaultUnreachable, dataservice.FaultBusy:
		said.NotSent = true
	default:
		said.Final = f.Final || f.Kind == dataservice.FaultExpired
	}
	return said
}

// oneLine writes joined errors in one line.
type oneLine struct{ error }

func (o oneLine) Error() string { return strings.ReplaceAll(o.error.Error(), "\n", ": ") }
func (o oneLine) Unwrap() error { return o.error }

// Target tells what stands behind a task.
func (b *bridge) Target(info task.Info) (task.Target, bool) {
	s, ok := b.services.Service(info.Service)
	if !ok {
		return task.Target{}, false
	}
	if _, ok := s.Schedulable(info.Operation); !ok && (info.After == nil || len(info.After.With) == 0 || s.Operation(info.Operation) == nil) {
		return task.Target{}, false
	}
	t := task.Target{Hash: s.OperationHash(info.Operation), Limits: []string{"service:" + s.Name}}
	if q := s.Query(s.Operation(info.Operation).Call.Query); q != nil {
		t.Limits = append(t.Limits, "source:"+s.Name+"/"+q.Source)
	}
	return t, true
}

// Services is the catalogue.
func (b *bridge) Services() []contract.ServiceView {
	views := b.services.Services()
	out := make([]contract.ServiceView, 0, len(views))
	for _, v := range views {
		out = append(out, b.view(v))
	}
	return out
}

func (b *bridge) view(v host.View) contract.ServiceView {
	out := contract.ServiceView{Name: v.Name, File: v.File, Status: string(v.State), Error: v.Error, Description: v.Description}
	if !v.DeployedAt.IsZero() {
		out.Deployed = &v.DeployedAt
	}
	s, _ := b.services.Service(v.Name)
	for _, o := range v.Operations {
		view := contract.OperationView{
			Service: v.Name, Name: o.Name, Schedulable: o.Schedulable, Why: o.Reason, Delivery: task.AtLeastOnce,
		}
		for _, p := range o.Params {
			view.Parameters = append(view.Parameters, p.Name)
		}
		if s != nil {
			view.Reads, view.Delivery = b.natures.of(s, o.Name)
		}
		out.Operations = append(out.Operations, view)
	}
	for _, r := range v.Resources {
		out.Resources = append(out.Resources, contract.ResourceView{Method: r.Method, Path: r.Path})
	}
	if s != nil {
		for _, t := range s.Triggers {
			out.Triggers = append(out.Triggers, t.ID)
		}
	}
	for _, u := range v.Unsupported {
		out.Unsupported = append(out.Unsupported, u.What+": "+u.Why)
	}
	return out
}

// TryOperation calls an operation for the companion.
func (b *bridge) TryOperation(ctx context.Context, r call.TryRequest) (call.TryResult, error) {
	format := b.format(r.Service, r.Operation, r.Accept)
	answer, err := b.services.Try(ctx, dataservice.Call{Service: r.Service, Operation: r.Operation, Values: r.Params, Caller: onBehalf("companion")}, format, call.MaxTryBody)
	if err != nil {
		return call.TryResult{}, asControl(err)
	}
	return call.TryResult{ContentType: answer.ContentType, Rows: answer.Outcome.Rows, Body: answer.Body}, nil
}

func asControl(err error) error {
	var f *dataservice.Fault
	if !errors.As(err, &f) {
		return err
	}
	code := failure.CodeInternal
	switch f.Kind {
	case dataservice.FaultInput, dataservice.FaultUnsupported:
		code = failure.CodeInvalid
	case dataservice.FaultNotFound:
		code = failure.CodeNotFound
	case dataservice.FaultInactive, dataservice.FaultUnreachable, dataservice.FaultBusy:
		code = failure.CodeUnavailable
	case dataservice.FaultTimeout:
		code = failure.CodeTimeout
	}
	return &failure.Error{Code: code, Message: forFiring(err).Error(), Err: err}
}

// hook hands what the host shows on to the event triggers.
type hook struct {
	triggers *event.Triggers
	bridge   *bridge
}

func (h hook) Deploy(s *dataservice.Service) error {
	specs := make([]event.TriggerSpec, 0, len(s.Triggers))
	for _, t := range s.Triggers {
		specs = append(specs, event.TriggerSpec{
			Line: t.Line, Column: t.Column, ID: t.ID, Language: t.Language, Expression: t.Expression, Topic: t.Topic,
			Subscriptions: t.Subscriptions, Edge: t.Edge, Hold: t.Hold, CoolDown: t.CoolDown, Rearm: t.Rearm, Digest: t.Digest,
			Subject: t.Subject, Body: t.Body,
		})
	}
	return h.triggers.Deploy(s.Name, specs)
}

func (h hook) Undeploy(name string) { h.triggers.Undeploy(name) }

func (h hook) Observe(ctx context.Context, o dataservice.Observation) ([]byte, error) {
	seen := event.Observation{
		Service: o.Service.Name, Query: o.Query, Trigger: o.Trigger.ID, Input: o.Input, Document: o.Document, Request: o.Request, At: o.At,
	}
	if o.Fire != nil {
		seen.FireID = task.FireID(o.Fire.ID)
		h.bridge.mu.Lock()
		if key, ok := h.bridge.tasks[o.Fire.ID]; ok {
			seen.Task = &key
		}
		h.bridge.mu.Unlock()
	}
	return h.triggers.Observe(ctx, seen)
}

func (h hook) Accept(ctx context.Context, hits [][]byte) error { return h.triggers.Accept(ctx, hits) }
