package control

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxListed bounds the tasks that a refusal names.
const maxListed = 12

// validateNew checks a task to be created and fills in its defaults.
func (c *Control) validateNew(ctx context.Context, info *task.Info) error {
	if err := store.CheckKey(info.Key); err != nil {
		return failure.Invalid("%v", err)
	}
	if err := c.validateTarget(ctx, info); err != nil {
		return err
	}
	if err := check.Policies(info); err != nil {
		return err
	}
	if err := c.validateAfter(ctx, info); err != nil {
		return err
	}
	return c.validateTrigger(info, c.now())
}

// validateEdit checks what an edit has changed.
func (c *Control) validateEdit(ctx context.Context, before, after *task.Info) error {
	if !sameAfter(before.After, after.After) || before.Service != after.Service || before.Operation != after.Operation || before.Delivery != after.Delivery || !sameAction(before.Do, after.Do) {
		if err := c.validateTarget(ctx, after); err != nil {
			return err
		}
	}
	if err := check.Policies(after); err != nil {
		return err
	}
	if !sameAfter(before.After, after.After) {
		if err := c.validateAfter(ctx, after); err != nil {
			return err
		}
	}
	if before.Trigger == after.Trigger {
		return nil
	}
	return c.validateTrigger(after, c.now())
}

func (c *Control) validateTrigger(info *task.Info, now time.Time) error {
	t, err := c.triggers.Compile(info.Trigger, now, info.UID)
	if err != nil {
		return &failure.Error{Code: failure.CodeInvalid, Message: "trigger: " + err.Error(), Err: err}
	}
	if _, ok := t.Next(now); !ok && info.Trigger.Cron != task.Never {
		return failure.Invalid("trigger %s would never fire after now", standing.Line(info.Trigger))
	}
	return nil
}

// validateTarget checks that the operation can be scheduled, and settles the
// delivery.
func (c *Control) validateTarget(ctx context.Context, info *task.Info) error {
	if info.Do != nil {
		return c.validateAction(ctx, info)
	}
	services, err := c.Services(ctx)
	if err != nil {
		return err
	}
	op, why := check.Operation(services, info.Service, info.Operation, info.After)
	if why != "" {
		return &failure.Error{Code: failure.CodeInvalid, Message: why, Hint: check.Schedulable(services, info.Service)}
	}
	if op.Action != nil {
		info.Do = op.Action.Clone()
		return c.validateAction(ctx, info)
	}
	switch info.Delivery {
	case "":
		info.Delivery = op.Delivery
		if info.Delivery == "" {
			info.Delivery = task.AtLeastOnce
		}
	case task.AtMostOnce, task.AtLeastOnce:
	case task.EffectivelyOnce:
		if op.Delivery != task.EffectivelyOnce {
			return failure.Invalid("delivery effectively-once: %s of %s offers %s only, because its source has no transactions",
				op.Name, info.Service, cmp.Or(op.Delivery, task.AtLeastOnce))
		}
	default:
		return failure.Invalid("delivery %q is unknown: use %s, %s or %s", info.Delivery, task.AtMostOnce, task.AtLeastOnce, task.EffectivelyOnce)
	}
	return nil
}

func sameAction(a, b *task.Action) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Hash() == b.Hash()
}

// validateAction checks what a task does that calls no operation in process,
// and settles its delivery.
func (c *Control) validateAction(ctx context.Context, info *task.Info) error {
	var inputs []string
	if info.After != nil {
		inputs = slices.Collect(maps.Keys(info.After.With))
	}
	if err := check.Action(info.Do, inputs); err != nil {
		return err
	}
	if need := info.Needs(); need != "" {
		if err := c.offered(ctx, info, need); err != nil {
			return err
		}
	}
	switch info.Delivery {
	case "":
		info.Delivery = task.AtLeastOnce
	case task.AtMostOnce, task.AtLeastOnce:
	case task.EffectivelyOnce:
		return &failure.Error{
			Code: failure.CodeInvalid,
			Message: "delivery effectively-once: " + info.Calls() + " keeps no record of fire ids that this system could ask, " +
				"so nobody could tell whether an interrupted run had its effect",
			Hint: "use at-least-once: every attempt carries the fire id as Idempotency-Key, by which the receiver can tell repeats",
		}
	default:
		return failure.Invalid("delivery %q is unknown: use %s or %s", info.Delivery, task.AtMostOnce, task.AtLeastOnce)
	}
	return nil
}

// offered tells whether a host offers what the task needs.
func (c *Control) offered(ctx context.Context, info *task.Info, need string) error {
	services, err := c.Services(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(services, func(s contract.ServiceView) bool { return s.Name == need && s.Status == contract.StatusActive }) {
		return nil
	}
	if info.Kind() == task.KindTimer {
		return &failure.Error{
			Code: failure.CodeInvalid, Message: "no host has started its timer service",
			Hint: "the handlers' configuration of a host starts it: a handler \"timer-service\" of the event \"start\"",
		}
	}
	var names []string
	for _, s := range services {
		if name, ok := strings.CutPrefix(s.Name, task.CodeService); ok && s.Status == contract.StatusActive {
			names = append(names, name)
		}
	}
	hint := "no host has code built in"
	if len(names) > 0 {
		slices.Sort(names)
		hint = "there is: " + strings.Join(slices.Compact(names), ", ")
	}
	return &failure.Error{Code: failure.CodeInvalid, Message: "no host has code named " + strconv.Quote(info.Do.Code.Name), Hint: hint}
}
