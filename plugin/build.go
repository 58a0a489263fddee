package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/invoke"
	"github.com/seed42aab489/belfry/plugin/invoke/code"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/timer"
)

// build makes what invokes tasks, by their kind.
func (p *Plugin) build() {
	p.calls = web.NewHTTP(p.d.Web)
	p.code = code.New(p.d.Code, p.d.Host)
	p.timers = timer.New(timer.Deps{
		Config: p.d.Handlers, Memory: memories{p.store}, Web: p.calls, Operations: operations{p.d.Host}, Code: eventCode{p.code},
		Schedule: p.schedule, Now: p.d.Now, Log: p.d.Log,
	})
	p.kinds = invoke.Kinds{
		task.KindOperation: invoke.NewOperation(p.d.Host), task.KindHTTP: p.calls, task.KindSOAP: web.NewSOAP(p.d.Web),
		task.KindTimer: p.timers, task.KindCode: p.code,
	}
}

// services are what the host has deployed, and what else tasks need of it.
func (p *Plugin) services() []contract.ServiceView {
	all := p.d.Host.Services()
	for _, name := range p.d.Code.Names() {
		all = append(all, contract.ServiceView{Name: task.CodeService + name, Status: contract.StatusActive, Description: "code that is built in"})
	}
	if p.timers.Offered() {
		all = append(all, contract.ServiceView{Name: task.TimerService, Status: contract.StatusActive, Description: "the timer service"})
	}
	return all
}

// offers tells whether this host has what task.Info.Needs names.
func (p *Plugin) offers(need string) bool {
	if name, ok := strings.CutPrefix(need, task.CodeService); ok {
		return p.code.Has(name)
	}
	return need == task.TimerService && p.timers.Offered()
}

// operations calls operations for handlers of events.
type operations struct{ services code.Services }

func (o operations) CallOperation(ctx context.Context, service, operation string) error {
	_, err := o.services.Invoke(ctx, service, operation, nil)
	return err
}

// eventCode runs code for handlers of events.
type eventCode struct{ *code.Code }

func (c eventCode) RunCode(ctx context.Context, name string, e timer.Event) error {
	return c.Run(ctx, name, &code.Context{Event: e.Data, Attempt: 1})
}

// memories are what is remembered of timers, as they ask for it.
type memories struct{ s *store.Store }

func (m memories) Recall(ctx context.Context, uid string) ([]byte, int64, error) {
	return m.s.Recall(ctx, uid)
}

func (m memories) Remember(ctx context.Context, uid string, data []byte, version int64) error {
	err := m.s.Remember(ctx, uid, data, version)
	if errors.Is(err, coordclient.ErrConflict) {
		return fmt.Errorf("%w: %w", timer.ErrMoved, err)
	}
	return err
}

// schedule makes the timers of the configuration tasks, and those that are
// there already what the configuration says. Other tasks are left alone: a
// timer that is no longer in the configuration stays until somebody deletes it.
func (p *Plugin) schedule(ctx context.Context, timers []timer.Timer) error {
	c := control.New(control.Deps{KV: p.link, Members: p.link, Caller: p.link})
	var failures []error
	for _, t := range timers {
		err := scheduleOne(ctx, c, t)
		if err == nil {
			continue
		}
		if at := t.Trigger.At; failure.Of(err).Code == failure.CodeInvalid && !at.IsZero() && !at.After(p.d.Now()) {
			p.d.Log.Info("a timer of the configuration is past", "timer", t.Name, "at", at)
			continue // another attempt would be in vain
		}
		failures = append(failures, fmt.Errorf("timer %s: %w", t.Name, err))
	}
	if err := p.store.ForgetGone(ctx); err != nil && ctx.Err() == nil {
		p.d.Log.Warn("what is remembered of deleted tasks is not removed yet", "err", err)
	}
	return errors.Join(failures...)
}

func scheduleOne(ctx context.Context, c *control.Control, t timer.Timer) error {
	key := task.Key{Name: t.Name}.Normal()
	says := func(info *task.Info) error {
		if info.Kind() != task.KindTimer {
			return fmt.Errorf("there is a task of this name that is no timer (it calls %s)", info.Calls())
		}
		info.Trigger.Cron, info.Trigger.Interval, info.Trigger.Count = t.Trigger.Cron, t.Trigger.Interval, t.Trigger.Count
		info.Trigger.At, info.Trigger.TZ = t.Trigger.At, t.Trigger.TZ
		event := t.Event
		info.Do = &task.Action{Timer: &event, Properties: info.Do.Properties}
		return nil
	}
	_, err := c.UpdateTask(ctx, key, 0, says)
	if e := failure.Of(err); err == nil || e.Code != failure.CodeNotFound {
		return err
	}
	// A kick that takes longer than the period must not meet the next one.
	info := task.Info{Key: key, Overlap: task.OverlapSkip, Description: "timer of the handlers' configuration", Do: &task.Action{Timer: &task.TimerEvent{}}}
	if err := says(&info); err != nil {
		return err
	}
	_, _, err = c.CreateTask(ctx, info)
	if e := failure.Of(err); err != nil && e.Code == failure.CodeExists {
		return nil // another host was faster
	}
	return err
}
