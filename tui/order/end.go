package order

import (
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// End is when a pause ends of itself, as it was typed. The zero value: it does not.
type End struct {
	Text string    // for how long ("2h"), or until when as contract.ParseTime reads it
	At   time.Time // zero: Text is empty or at fault
	// Fault is why a pause cannot end then; empty: it can.
	Fault string
}

// EndOf is the end of the pause that a task is in; the zero value: it has none.
func EndOf(info task.Info) End {
	if info.PauseUntil == nil {
		return End{}
	}
	return End{Text: stamp(*info.PauseUntil), At: *info.PauseUntil}
}

// ParseEnd reads the end of a pause that begins now.
func ParseEnd(text string, now time.Time) End {
	e := End{Text: strings.TrimSpace(text)}
	if e.Text == "" {
		return e
	}
	length, lasts := e.length()
	at := now.Add(length)
	if !lasts {
		var err error
		if at, err = contract.ParseTime(e.Text, now); err != nil {
			e.Fault = err.Error() + ", or 2h"
			return e
		}
	}
	switch end, err := control.PauseEnd(at, now); {
	case err != nil:
		e.Fault = failure.Of(err).Message
	case end == nil:
		e.Fault = "it names no time"
	default:
		e.At = *end
	}
	return e
}

// length is for how long, where that was typed. One with a sign is a time from now.
func (e End) length() (time.Duration, bool) {
	if strings.HasPrefix(e.Text, "+") {
		return 0, false
	}
	d, err := time.ParseDuration(e.Text)
	return d, err == nil
}

// flag is that of task pause; empty: none.
func (e End) flag() string {
	if e.Text == "" {
		return ""
	}
	if _, lasts := e.length(); lasts {
		return "--for " + Quote(e.Text)
	}
	return "--until " + Quote(e.Text)
}

// effect says how long a task that is paused does not fire.
func (e End) effect(now time.Time) string {
	switch {
	case e.Fault != "":
		return "! it is not clear yet until when"
	case e.At.IsZero():
		return "it does not fire until it is resumed"
	}
	return "it does not fire until " + stamp(e.At) + ", in " + e.At.Sub(now).Round(time.Second).String() + ", when it resumes by itself"
}
