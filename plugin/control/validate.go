package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of a definition.
const (
	MaxRetries     = 100
	MaxTimeout     = 24 * time.Hour
	MaxAlerts      = 16
	MaxReceivers   = 32
	MaxDescription = 4096 // bytes; also of a pause's reason
	// maxListed bounds the operations that a refusal names.
	maxListed = 12
)

// validateNew checks a task to be created and fills in its defaults.
func (c *Control) validateNew(ctx context.Context, info *task.Info) error {
	if err := store.CheckKey(info.Key); err != nil {
		return invalid("%v", err)
	}
	if err := c.validateTarget(ctx, info); err != nil {
		return err
	}
	if err := checkPolicies(info); err != nil {
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
	if err := checkPolicies(after); err != nil {
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
		return &Error{Code: CodeInvalid, Message: "trigger: " + err.Error(), Err: err}
	}
	if _, ok := t.Next(now); !ok && info.Trigger.Cron != task.Never {
		return invalid("trigger %s would never fire after now", Line(info.Trigger))
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
	op, why := findOperation(services, info.Service, info.Operation, info.After)
	if why != "" {
		return &Error{Code: CodeInvalid, Message: why, Hint: schedulable(services, info.Service)}
	}
	if op.action != nil {
		info.Do = op.action.Clone()
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
			return invalid("delivery effectively-once: %s of %s offers %s only, because its source has no transactions",
				op.Name, info.Service, orWord(op.Delivery, task.AtLeastOnce))
		}
	default:
		return invalid("delivery %q is unknown: use %s, %s or %s", info.Delivery, task.AtMostOnce, task.AtLeastOnce, task.EffectivelyOnce)
	}
	return nil
}

func orWord[S ~string](word, otherwise S) S {
	if word == "" {
		return otherwise
	}
	return word
}

// findOperation looks for an operation that can be scheduled, or says why there
// is none.
func findOperation(services []ServiceView, service, operation string, after *task.After) (OperationView, string) {
	switch {
	case service == "":
		return OperationView{}, "no service is named"
	case operation == "":
		return OperationView{}, "no operation is named"
	}
	why := "service " + service + " is not deployed on any host"
	for _, s := range services {
		if s.Name != service {
			continue
		}
		if s.Status == StatusFailed {
			why = "service " + service + " could not be deployed: " + s.Error
			continue
		}
		i := slices.IndexFunc(s.Operations, func(o OperationView) bool { return o.Name == operation })
		switch {
		case i < 0:
			why = "service " + service + " has no operation " + operation
		case !s.Operations[i].Schedulable && !given(s.Operations[i], after):
			why = "cannot be scheduled: " + s.Operations[i].Why
		default:
			return s.Operations[i], ""
		}
	}
	return OperationView{}, why
}

// given tells whether all parameters of an operation come from what its task
// follows.
func given(o OperationView, after *task.After) bool {
	return after != nil && len(o.Parameters) > 0 && !slices.ContainsFunc(o.Parameters, func(p string) bool {
		_, ok := after.With[p]
		return !ok
	})
}

// schedulable lists what could be scheduled: of the service if it has any.
func schedulable(services []ServiceView, service string) string {
	var of, all []string
	for _, s := range services {
		for _, o := range s.Operations {
			if !o.Schedulable || s.Status == StatusFailed {
				continue
			}
			all = append(all, s.Name+"."+o.Name)
			if s.Name == service {
				of = append(of, s.Name+"."+o.Name)
			}
		}
	}
	if len(of) > 0 {
		all = of
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return "nothing can be scheduled yet: deploy a service with an HTTP endpoint and an operation without parameters"
	}
	more := ""
	if len(all) > maxListed {
		more = fmt.Sprintf(" and %d more", len(all)-maxListed)
		all = all[:maxListed]
	}
	return "could be scheduled: " + strings.Join(all, ", ") + more
}

// checkPolicies checks what needs no look elsewhere, and fills in defaults.
func checkPolicies(info *task.Info) error {
	info.Misfire = orWord(info.Misfire, task.MisfireFireOnce)
	info.Overlap = orWord(info.Overlap, defaultOverlap(info))
	switch {
	case !slices.Contains([]task.Misfire{task.MisfireFireOnce, task.MisfireFireAll, task.MisfireSkip}, info.Misfire):
		return invalid("misfire %q is unknown: use fire-once, fire-all or skip", info.Misfire)
	case !slices.Contains([]task.Overlap{task.OverlapAllow, task.OverlapQueue, task.OverlapSkip}, info.Overlap):
		return invalid("overlap %q is unknown: use allow, queue or skip", info.Overlap)
	case info.Retry.Max < 0 || info.Retry.Max > MaxRetries:
		return invalid("retry %d: use 0 to %d", info.Retry.Max, MaxRetries)
	case info.Retry.Backoff < 0 || time.Duration(info.Retry.Backoff) > task.MaxBackoff:
		return invalid("backoff %s: use 0s to %s", info.Retry.Backoff, task.MaxBackoff)
	case info.Timeout < 0 || time.Duration(info.Timeout) > MaxTimeout:
		return invalid("timeout %s: use 0s (the default, %s) to %s", info.Timeout, task.DefaultTimeout, MaxTimeout)
	case len(info.Description) > MaxDescription:
		return invalid("description of %d bytes: the limit is %d", len(info.Description), MaxDescription)
	case info.PauseUntil != nil && !info.Paused:
		return invalid("pause_until goes with paused: true")
	case len(info.PauseReason) > MaxDescription:
		return invalid("reason of %d bytes: the limit is %d", len(info.PauseReason), MaxDescription)
	case len(info.Alerts) > MaxAlerts:
		return invalid("%d alerts: the limit is %d", len(info.Alerts), MaxAlerts)
	}
	if err := checkLocation(info.Location); err != nil {
		return err
	}
	if err := checkWindows(info); err != nil {
		return err
	}
	for _, a := range info.Alerts {
		if err := checkAlert(a); err != nil {
			return err
		}
	}
	return checkReply(info)
}

// defaultOverlap is allow, but for timers: two runs at a time would both find the
// same change of a resource, and tell it twice.
func defaultOverlap(info *task.Info) task.Overlap {
	if info.Kind() == task.KindTimer {
		return task.OverlapSkip
	}
	return task.OverlapAllow
}

func checkAlert(a task.Alert) error {
	switch a.On {
	case task.AlertFailed, task.AlertMissed:
	case task.AlertLate, task.AlertSilent:
		if a.After <= 0 {
			return invalid("alert %s: say after how long", a.On)
		}
	default:
		return invalid("alert on %q is unknown: use failed, late, missed or silent", a.On)
	}
	if len(a.To) == 0 || len(a.To) > MaxReceivers {
		return invalid("alert %s: name 1 to %d receivers", a.On, MaxReceivers)
	}
	for _, to := range a.To {
		scheme, rest, _ := strings.Cut(to, ":")
		if !slices.Contains([]string{"mailto", "http", "https"}, strings.ToLower(scheme)) || strings.Trim(rest, "/") == "" {
			return invalid("alert %s: receiver %q: use mailto:, http: or https:", a.On, to)
		}
	}
	return nil
}
