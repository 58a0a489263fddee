package trigger

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must be known where the machine has no zone files

	"github.com/seed42aab489/belfry/plugin/task"
)

// FieldError says which field of a task.TriggerInfo is wrong, by its JSON
// name, and why. For a cron expression Err is a *SyntaxError.
type FieldError struct {
	Field string
	Err   error
}

// Error gives "field: reason".
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *FieldError) Unwrap() error { return e.Err }

func wrong(field, format string, args ...any) error {
	return &FieldError{field, fmt.Errorf(format, args...)}
}

// MaxJitter bounds TriggerInfo.Jitter.
const MaxJitter = 24 * time.Hour

// maxCached bounds the expressions that a Compiler keeps; about 250 bytes each.
const maxCached = 65_536

// Compiler makes triggers and keeps what they have in common, so that a
// million tasks with a few expressions and zones hold those once. The zero
// value is ready. It is safe for concurrent use.
type Compiler struct {
	mu    sync.Mutex
	crons map[string]*Cron          // at most maxCached; then it begins afresh
	zones map[string]*time.Location // as many as there are zones
}

// Compile makes the trigger of a task: info says when, from is task.Info.From,
// and uid places the jitter. It refuses, with a *FieldError, what contradicts
// itself. A trigger that has no instants left is no error here: tasks that
// finished are loaded too, and so are those with task.Never, which only fire by
// hand or after others. See Validate for new ones.
func (c *Compiler) Compile(info task.TriggerInfo, from time.Time, uid string) (Trigger, error) {
	if err := checkShape(info); err != nil {
		return Trigger{}, err
	}
	zone, err := c.zone(info.TZ)
	if err != nil {
		return Trigger{}, err
	}
	if info.Cron == task.Never {
		return Trigger{zone: zone}, nil
	}
	info = pin(info, from, 0)
	t := Trigger{
		zone:   zone,
		first:  max(milli(from)+1, milli(info.Start)),
		last:   horizon,
		jitter: jitterOf(uid, info.Jitter),
	}
	if !info.End.IsZero() {
		t.last = milli(info.End)
	}
	every := time.Duration(info.Interval)
	t.more = int64(info.Count)
	switch {
	case info.Cron != "":
		if t.cron, err = c.cron(info.Cron); err != nil {
			return Trigger{}, &FieldError{"cron", err}
		}
		if t.cron.every == 0 {
			return t, nil
		}
		if info.Start.IsZero() {
			info = pin(info, from, t.cron.every)
		}
		every, t.cron, t.more = t.cron.every, nil, -1
	case !info.At.IsZero():
		info.Start = info.At
	}
	if t.more < 0 {
		t.more = math.MaxInt64
	}
	t.anchor, t.every = milli(info.Start), every.Milliseconds()
	return t, nil
}

// cron gives the compiled expression.
func (c *Compiler) cron(expr string) (*Cron, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cron, ok := c.crons[expr]; ok {
		return cron, nil
	}
	cron, err := ParseCron(expr)
	if err != nil {
		return nil, err
	}
	if c.crons == nil || len(c.crons) >= maxCached {
		c.crons = make(map[string]*Cron)
	}
	c.crons[expr] = cron
	return cron, nil
}

func (c *Compiler) zone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if zone, ok := c.zones[name]; ok {
		return zone, nil
	}
	zone, err := LoadZone(name)
	if err != nil {
		return nil, err
	}
	if c.zones == nil {
		c.zones = make(map[string]*time.Location)
	}
	c.zones[name] = zone
	return zone, nil
}

// LoadZone finds a zone by its IANA name; empty: UTC. The machine's zone files
// go first, those built into the program second. An error is a *FieldError.
func LoadZone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "local") {
		return nil, wrong("tz", "%q is a different zone on every machine: give its IANA name, as Europe/London", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, wrong("tz", "%q is no time zone: give an IANA name, as UTC or Europe/London", name)
	}
	return zone, nil
}

// Pin gives info with the Start that an interval, "@every" or a single firing
// at once counts from, where it is not set: so the instants and their count
// stay what they are when from moves on, as it does when a paused task is
// resumed. It is for the moment a task is created or its trigger changed. Info
// that Compile refuses comes back as it is.
func Pin(info task.TriggerInfo, from time.Time) task.TriggerInfo {
	if info.Cron != "" {
		cron, err := ParseCron(info.Cron)
		if err != nil || cron.every == 0 || !info.Start.IsZero() {
			return info
		}
		return pin(info, from, cron.every)
	}
	return pin(info, from, 0)
}

// pin sets the Start of an interval: the first instant that is not past, or
// that one after a wait.
func pin(info task.TriggerInfo, from time.Time, wait time.Duration) task.TriggerInfo {
	switch {
	case !info.Start.IsZero() || !info.At.IsZero() || info.Cron != "" && wait == 0:
	case wait > 0:
		info.Start = from.Add(wait)
	default:
		info.Start = from.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	return info
}

// checkShape refuses what contradicts itself whatever the time is.
func checkShape(info task.TriggerInfo) error {
	interval, jitter := time.Duration(info.Interval), time.Duration(info.Jitter)
	kinds := 0
	for _, set := range []bool{info.Cron != "", interval != 0, !info.At.IsZero()} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		return wrong("trigger", "has more than one of cron, interval and at")
	case interval < 0 || interval%time.Millisecond != 0:
		return wrong("interval", "%s is not a number of milliseconds above 0", interval)
	case info.Count < -1:
		return wrong("count", "%d is below -1: -1 is for ever, 0 once, n is n+1 times", info.Count)
	case info.Count != 0 && !info.At.IsZero():
		return wrong("count", "%d goes with an interval: at fires once", info.Count)
	case info.Count > 0 && info.Cron != "":
		return wrong("count", "%d goes with an interval: a cron expression fires until end", info.Count)
	case info.Count != 0 && info.Cron == "" && interval == 0:
		return wrong("interval", "is needed for count %d; a count of 0 without it fires once", info.Count)
	case !info.End.IsZero() && !info.Start.IsZero() && info.End.Before(info.Start):
		return wrong("end", "%s is before start %s", stamp(info.End), stamp(info.Start))
	case jitter < 0 || jitter%time.Millisecond != 0 || jitter > MaxJitter:
		return wrong("jitter", "%s is not a number of milliseconds up to %s", jitter, MaxJitter)
	case jitter > 0 && interval > 0 && info.Count != 0 && jitter >= interval:
		return wrong("jitter", "%s is not below the interval of %s", jitter, interval)
	}
	return nil
}

// Validate refuses what Compile refuses, a jitter that is not below the time
// between two firings, and a trigger that never fires after from. It is for
// tasks that are created or changed, with from as it will be stored.
func (c *Compiler) Validate(info task.TriggerInfo, from time.Time) error {
	t, err := c.Compile(info, from, "")
	if err != nil {
		return err
	}
	if info.Cron != "" {
		cron, err := c.cron(info.Cron)
		if err != nil {
			return &FieldError{"cron", err}
		}
		if least := cron.leastGap(milli(from) / 1000); time.Duration(info.Jitter) >= least {
			return wrong("jitter", "%s is not below the %s between two firings", time.Duration(info.Jitter), least)
		}
	}
	// The jitter of this very task is not known here: allow for the most.
	t.jitter = max(0, time.Duration(info.Jitter).Milliseconds()-1)
	if _, ok := t.Next(from); !ok {
		return t.neverFires(info, from)
	}
	return nil
}

// neverFires blames the field that keeps the trigger from firing.
func (t Trigger) neverFires(info task.TriggerInfo, from time.Time) error {
	switch {
	case !info.At.IsZero() && !info.At.After(from):
		return wrong("at", "%s is past: it never fires", stamp(info.At))
	case !info.At.IsZero() && info.At.Before(info.Start):
		return wrong("at", "%s is before start %s: it never fires", stamp(info.At), stamp(info.Start))
	case !info.End.IsZero() && !info.End.After(from):
		return wrong("end", "%s is past: it never fires", stamp(info.End))
	case !info.End.IsZero():
		free := t
		free.last = horizon
		if next, ok := free.Next(from); ok {
			return wrong("end", "%s is before the first firing, %s: it never fires", stamp(info.End), stamp(next))
		}
	}
	if info.Cron != "" {
		return &FieldError{"cron", errors.New("never fires again: no such date lies ahead")}
	}
	return wrong("start", "%s and the count lie in the past: it never fires", stamp(info.Start))
}

// leastGap is the least time between two of the next firings, as the calendar
// has them.
func (c *Cron) leastGap(from int64) time.Duration {
	if c.every > 0 {
		return c.every
	}
	least := int64(math.MaxInt64 / time.Second)
	last, ok := c.nextLocal(from)
	for range 32 {
		if !ok {
			break
		}
		var next int64
		if next, ok = c.nextLocal(last + 1); ok {
			least, last = min(least, next-last), next
		}
	}
	return time.Duration(least) * time.Second
}

func stamp(at time.Time) string { return at.Format(time.RFC3339) }
