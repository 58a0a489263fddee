package task

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// definition gathers the flags that say what a task is; create and set share them.
type definition struct {
	service, operation         string
	cron, tz                   string
	at, start, end             string
	interval, jitter           time.Duration
	timeout, backoff           time.Duration
	count, retry               int
	misfire, overlap, delivery string
	description                string
	alerts                     []string
	location                   string
	replyWithin                time.Duration
	onDeadline                 string
	properties                 []string
	keepOutput                 bool
	action                     action
	after                      after
	windows                    windows
}

func (d *definition) flags(f *pflag.FlagSet) {
	d.action.flags(f)
	d.after.flags(f)
	d.windows.flags(f)
	f.StringVar(&d.service, "service", "", "data service to call")
	f.StringVar(&d.operation, "operation", "", "operation to call; it takes no parameters")
	f.StringVar(&d.cron, "cron", "", "fire by a cron expression: Quartz's (\"0 0/5 * * * ?\"), five fields, @daily, @every 5m; @never: only by hand, or --after others")
	f.DurationVar(&d.interval, "interval", 0, "fire at this interval, such as 30s")
	f.IntVar(&d.count, "count", -1, "with --interval: repeat count; -1 for ever, 0 once, n means n+1 firings")
	f.StringVar(&d.at, "at", "", "fire once, at this time (RFC 3339)")
	f.StringVar(&d.tz, "tz", "", "time zone of the cron expression, such as Europe/Berlin (default UTC)")
	f.StringVar(&d.start, "start", "", "fire nothing before this time (RFC 3339, or +20s from now)")
	f.StringVar(&d.end, "end", "", "fire nothing after this time (RFC 3339, or +1h from now)")
	f.DurationVar(&d.jitter, "jitter", 0, "fire later by a fixed amount below this, different for each task")
	f.StringVar(&d.misfire, "misfire", "", "when instants were missed: fire-once, fire-all or skip (default fire-once)")
	f.StringVar(&d.overlap, "overlap", "", "when due while a run still goes: allow, queue or skip (default allow; of timers skip)")
	f.StringVar(&d.delivery, "delivery", "", "at-most-once, at-least-once or effectively-once (default: the strongest the operation offers)")
	f.IntVar(&d.retry, "retry", 0, "attempts after a failed one")
	f.DurationVar(&d.backoff, "backoff", 0, "wait before the first retry, doubled for each further (default 1s)")
	f.DurationVar(&d.timeout, "timeout", 0, "time that one run may take (default 1m)")
	f.StringVar(&d.description, "description", "", "what the task is for")
	f.DurationVar(&d.replyWithin, "reply-within", 0, "http and soap tasks: a run ends with a reply to its call, which may come so long after; 0 ends it with the call")
	f.StringVar(&d.onDeadline, "on-deadline", "", "without a reply in time: fail or retry (default fail)")
	f.BoolVar(&d.keepOutput, "keep-output", false, "keep the head of what each run is answered, for run output; a run by hand keeps it anyway")
	f.StringVar(&d.location, "location", "", "which hosts may run it: a resolver (nodes, rules, round-robin, random, fixed, active-passive) or default")
	f.StringArrayVar(&d.properties, "location-property", nil, "a property of --location, such as task_nodes=north,south; repeatable")
	f.StringArrayVar(&d.alerts, "alert", nil, "tell somebody: failed=URI, missed=URI, late:30s=URI, silent:1h=URI; URI is mailto: or http(s):; repeatable; '' for none")
}

// apply writes the flags that were given into info. Fields of flags that were
// not given stay as they are.
func (d *definition) apply(f *pflag.FlagSet, info *task.Info, now time.Time) error {
	given := f.Changed
	set := func(flag string, write func() error) error {
		if !given(flag) {
			return nil
		}
		if err := write(); err != nil {
			return env.Usage("--%s: %v", flag, err)
		}
		return nil
	}
	t := &info.Trigger
	for _, field := range []struct {
		flag  string
		write func() error
	}{
		{"service", func() error { info.Service = d.service; return nil }},
		{"operation", func() error { info.Operation = d.operation; return nil }},
		{"cron", func() error { t.Cron, t.Interval, t.At, t.Count = d.cron, 0, time.Time{}, 0; return nil }},
		{"interval", func() error {
			t.Cron, t.Interval, t.At, t.Count = "", task.Duration(d.interval), time.Time{}, d.count
			return nil
		}},
		{"at", func() (err error) {
			t.Cron, t.Interval, t.Count = "", 0, 0
			t.At, err = contract.ParseTime(d.at, now)
			return err
		}},
		{"count", func() error { t.Count = d.count; return nil }},
		{"tz", func() error { t.TZ = d.tz; return nil }},
		{"start", func() (err error) { t.Start, err = contract.ParseTime(d.start, now); return err }},
		{"end", func() (err error) { t.End, err = contract.ParseTime(d.end, now); return err }},
		{"jitter", func() error { t.Jitter = task.Duration(d.jitter); return nil }},
		{"misfire", func() (err error) {
			info.Misfire, err = oneOf(d.misfire, task.MisfireFireOnce, task.MisfireFireAll, task.MisfireSkip)
			return err
		}},
		{"overlap", func() (err error) {
			info.Overlap, err = oneOf(d.overlap, task.OverlapAllow, task.OverlapQueue, task.OverlapSkip)
			return err
		}},
		{"delivery", func() (err error) {
			info.Delivery, err = oneOf(d.delivery, task.AtMostOnce, task.AtLeastOnce, task.EffectivelyOnce)
			return err
		}},
		{"retry", func() error { info.Retry.Max = d.retry; return nil }},
		{"backoff", func() error { info.Retry.Backoff = task.Duration(d.backoff); return nil }},
		{"timeout", func() error { info.Timeout = task.Duration(d.timeout); return nil }},
		{"description", func() error { info.Description = d.description; return nil }},
		{"reply-within", func() error { info.Reply = replyWait(info.Reply, d.replyWithin); return nil }},
		{"keep-output", func() error { info.Output = d.keepOutput; return nil }},
		{"on-deadline", func() error { return setOnDeadline(info, d.onDeadline) }},
		{"location", func() (err error) { info.Location, err = parseLocation(d.location, d.properties); return err }},
		{"alert", func() (err error) { info.Alerts, err = parseAlerts(d.alerts); return err }},
	} {
		if err := set(field.flag, field.write); err != nil {
			return err
		}
	}
	if err := d.after.apply(f, info); err != nil {
		return err
	}
	if err := d.windows.apply(f, info); err != nil {
		return err
	}
	return d.action.apply(f, info)
}

func oneOf[T ~string](given string, allowed ...T) (T, error) {
	var names []string
	for _, a := range allowed {
		if given == string(a) {
			return a, nil
		}
		names = append(names, string(a))
	}
	return "", fmt.Errorf("%q is none of %s", given, strings.Join(names, ", "))
}

// parseAlerts reads alerts, each with one receiver. An empty text is none.
func parseAlerts(given []string) ([]task.Alert, error) {
	var alerts []task.Alert
	for _, s := range given {
		if s == "" {
			continue
		}
		a, err := task.ParseAlert(s)
		if err != nil {
			return nil, err
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}
