package bucket

import (
	"math"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Rules bound what becomes of late and waiting firings. The zero value of each
// means its default.
type Rules struct {
	// Misfire is how late an instant may be before its task's misfire policy
	// applies. Up to it, it simply fires late. Default DefaultMisfire.
	Misfire time.Duration
	// CatchUp is the most missed instants that fire-all fires after one outage,
	// oldest first. Default DefaultCatchUp.
	CatchUp int
	// Window is how far back fire-all looks. Default DefaultWindow.
	Window time.Duration
	// Spread is the pause between two firings of a catch-up. Default
	// DefaultSpread.
	Spread time.Duration
	// Queue is the most firings of one task that wait for the one before. What
	// comes then is skipped. Default DefaultQueue.
	Queue int
	// OpenFor is how long an effectively-once firing may stay open before it is
	// UNKNOWN: half of what the inbox keeps. Default DefaultOpenFor.
	OpenFor time.Duration
	// AlertEvery is the part of the clock (five minutes: from :00 to :05, to :10,
	// ...) in which a task's alerts of a kind come true once: a task that fails
	// every second is worth one message, not one a second. Zero: each comes true.
	// The alert of silence has a rule of its own.
	AlertEvery time.Duration
}

// The defaults of Rules.
const (
	DefaultMisfire = time.Minute
	DefaultCatchUp = 100
	DefaultWindow  = 24 * time.Hour
	DefaultSpread  = 100 * time.Millisecond
	DefaultQueue   = 200
	DefaultOpenFor = 84 * time.Hour
)

// maxAttempts bounds the attempts at one firing, whatever its retry policy.
const maxAttempts = 1 << 16

func (r Rules) withDefaults() Rules {
	if r.Misfire <= 0 {
		r.Misfire = DefaultMisfire
	}
	if r.CatchUp <= 0 {
		r.CatchUp = DefaultCatchUp
	}
	if r.Window <= 0 {
		r.Window = DefaultWindow
	}
	if r.Spread <= 0 {
		r.Spread = DefaultSpread
	}
	if r.Queue <= 0 {
		r.Queue = DefaultQueue
	}
	if r.OpenFor <= 0 {
		r.OpenFor = DefaultOpenFor
	}
	return r
}

// Schedule tells when a task is due; trigger.Trigger is one. Its instants are
// whole milliseconds, and a function of the arguments alone.
type Schedule interface {
	// Next is the first instant after a time, or false when there is none.
	Next(after time.Time) (time.Time, bool)
	// Last is the last instant after a time and not after another, or false.
	Last(after, upTo time.Time) (time.Time, bool)
	// Count is how many instants lie after a time and not after another.
	Count(after, upTo time.Time) int
}

// Compile makes the schedule of a definition, whose instants all lie after its
// From. Its error is one that an administrator can act upon.
type Compile func(info *task.Info) (Schedule, error)

// Triggers compiles the triggers of definitions.
func Triggers(c *trigger.Compiler) Compile {
	return func(info *task.Info) (Schedule, error) {
		t, err := c.Compile(info.Trigger, info.From, info.UID)
		if err != nil {
			return nil, err
		}
		return t, nil
	}
}

// never is the instant that does not come.
const never = int64(math.MaxInt64)

// nextAfter is the first instant of s in milliseconds after ms, or never.
func nextAfter(s Schedule, ms int64) int64 {
	if s == nil {
		return never
	}
	t, ok := s.Next(time.UnixMilli(ms))
	if n := t.UnixMilli(); ok && n > ms {
		return n
	}
	return never
}

// lastUpTo is the last instant of s after base and up to end, or base.
func lastUpTo(s Schedule, base, end int64) int64 {
	t, ok := s.Last(time.UnixMilli(base), time.UnixMilli(end))
	if !ok {
		return base
	}
	return t.UnixMilli()
}

// countUpTo counts the instants after base and up to end, at most MaxCount.
func countUpTo(s Schedule, base, end int64) int {
	return min(s.Count(time.UnixMilli(base), time.UnixMilli(end)), MaxCount)
}
