package timer

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	e := Event{EventTimer, map[string]any{
		TaskName: "task1", "n": json.Number("5"), "on": true, "none": nil, "file": map[string]any{"name": "a && b", "tags": []any{"x"}},
	}}
	for text, want := range map[string]bool{
		"/event/_taskName =~ task1":                           true,
		"/event/_taskName=~task1":                             true,
		"/event/_taskName =~ task":                            false, // the whole value
		"/event/_taskName =~ task.*":                          true,
		"/event/_taskName =~ task2|task1":                     true,
		"/event/_taskName !~ task2":                           true,
		"/event/_taskName == task1":                           true,
		"/event/_taskName != task1":                           false,
		"/event/n == 5":                                       true,
		"/event/on == true":                                   true,
		"/event/none == \"\"":                                 true,
		"/event/file":                                         true,
		"/event/file/size":                                    false,
		"/event/file/size != 3":                               true,
		"/event/file/size !~ .*":                              true,
		"/event/file/name == \"a && b\"":                      true,
		"/event/file/name == `a && b` && /event/n == 5":       true,
		"/event/file/tags == [\"x\"]":                         true,
		"/event/_taskName == x || /event/n == 5":              true,
		"/event/_taskName == x && /event/n == 5 || /event/on": true,
		"/event/_taskName == x && (/event/n == 5":             false,
	} {
		c, err := ParseCondition(text)
		if strings.Contains(text, "(/") {
			if err == nil {
				t.Errorf("%s is read", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := c.Holds(e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if !(Condition{}).Holds(e) {
		t.Error("no condition does not hold")
	}
	for _, text := range []string{
		"", "/event", "/event/", "event/x", "/request/x == 1", "/event/x ~ 1", "/event/x ==", "/event/x =~ (", "/event/x == \"a", "a && ", "/event/x = 1",
		strings.Repeat("x", maxCondition+1),
	} {
		if c, err := ParseCondition(text); err == nil {
			t.Errorf("%q is read as %+v", text, c)
		}
	}
}

func FuzzCondition(f *testing.F) {
	f.Add("/event/_taskName =~ task1 && /event/n == \"5\" || /event/x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(text)
		if err != nil {
			return
		}
		again, err := ParseCondition(c.String())
		e := Event{Data: map[string]any{TaskName: "task1", "n": "5"}}
		if err != nil || again.Holds(e) != c.Holds(e) {
			t.Errorf("%q is read otherwise the second time: %v", text, err)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	c, err := Parse("h.yaml", []byte(`{
  "handlers": [
    {"events": "start", "handler": "timer-service"},
    {"events": ["timer"], "conditions": "/event/_taskName =~ task1", "handler": "timer-kicker",
     "receiver": "http://r.example.org/", "headers": {"B": "$file{b}", "A": "1"}}
  ],
  "timers": [
    {"name": "task1", "period": 5, "data": {"file": "testFile"}, "on_failure": {"delay": "10s", "max": 60}},
    {"name": "nightly", "cron": "0 0 2 * * ?", "tz": "Europe/Berlin"},
    {"name": "once", "at": "2027-01-31T06:00:00Z"}
  ]
}`))
	if err != nil {
		t.Fatal(err)
	}
	if h := c.Handlers[1]; h.Name != "timer-kicker" || len(h.Conditions) != 1 || !slices.Equal(h.Headers, []task.Header{{Name: "A", Value: "1"}, {Name: "B", Value: "$file{b}"}}) {
		t.Errorf("%+v", h)
	}
	want := []Timer{
		{"task1", task.TriggerInfo{Interval: task.Duration(5 * time.Second), Count: -1}, task.TimerEvent{
			Data: json.RawMessage(`{"file":"testFile"}`), Backoff: task.Duration(10 * time.Second), MaxBackoff: task.Duration(time.Minute),
		}},
		{"nightly", task.TriggerInfo{Cron: "0 0 2 * * ?", TZ: "Europe/Berlin"}, task.TimerEvent{}},
		{"once", task.TriggerInfo{At: time.Date(2027, 1, 31, 6, 0, 0, 0, time.UTC)}, task.TimerEvent{}},
	}
	if d := cmp.Diff(want, c.Timers); d != "" {
		t.Error(d)
	}
	if c, err := Parse("h.yaml", nil); err != nil || len(c.Handlers) != 0 {
		t.Errorf("an empty file: %+v, %v", c, err)
	}
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"handler: x":                                                                                                "h.yaml:1: field handler not found",
		"handlers:\n  - {event: start}":                                                                             `h.yaml:2: "event" is not known`,
		"handlers:\n\n  - {handler: timer-service}":                                                                 "h.yaml:3:5: handler: it is for no event",
		"handlers: [{events: stop, handler: code}]":                                                                 `event "stop" is not known`,
		"handlers: [{events: timer, handler: x}]":                                                                   `"x" is no handler: use timer-service`,
		"handlers: [{events: timer, handler: timer-service}]":                                                       "for the event start alone",
		"handlers: [{events: timer, handler: timer-kicker}]":                                                        `receiver "" is no plain`,
		"handlers: [{events: timer, handler: timer-kicker, receiver: 'file:///x'}]":                                 "no plain http",
		"handlers: [{events: timer, handler: timer-kicker, receiver: 'http://u@x/'}]":                               "no plain http",
		"handlers: [{events: timer, handler: resource-kicker, receiver: 'http://x/'}]":                              "watch",
		"handlers: [{events: [start, timer], handler: resource-kicker, receiver: 'http://x/', watch: 'http://x/'}]": "remembered by timer",
		"handlers: [{events: timer, handler: operation, service: S}]":                                               "no operation",
		"handlers: [{events: timer, handler: code}]":                                                                "no code",
		"handlers: [{events: timer, handler: code, code: a, delay: -1}]":                                            "cannot be",
		"handlers: [{events: timer, handler: code, code: a, conditions: x}]":                                        "no path like",
		"handlers: [{events: timer, handler: code, code: a}, {events: timer, handler: code, code: a}]":              "two handlers are named code:a",
		"handlers: [x]":                                                  "h.yaml:1: an entry is a list of members",
		"timers: [{period: 5}]":                                          "h.yaml:1:10: timer: it has no name",
		"timers: [{name: a}]":                                            "one of period, cron and at",
		"timers: [{name: a, period: 5, cron: '*'}]":                      "one of period, cron and at",
		"timers: [{name: a b, period: 5}]":                               `h.yaml:1:10: timer: name "a b": use letters`,
		"timers: [{name: a, cron: x}]":                                   "h.yaml:1:10: timer: a: cron: ",
		"timers: [{name: a, cron: '@daily', tz: Mars/X}]":                `h.yaml:1:10: timer: a: tz: "Mars/X" is no time zone`,
		"timers: [{name: a, period: soon}]":                              "is no time",
		"timers: [{name: a, period: -5}]":                                "cannot be",
		"timers: [{name: a, period: 5, on_failure: {dealy: 1}}]":         `"dealy" is not known`,
		"timers: [{name: a, period: 5, on_failure: {delay: 9, max: 1}}]": "cannot be",
		"timers: [{name: a, period: 5}, {name: a, period: 5}]":           "two timers are named a",
		"timers: [{name: a, period: 5, data: [1]}]":                      "h.yaml:1",
		"\tx":                          "h.yaml:",
		strings.Repeat("#", MaxFile+1): "at most",
	} {
		if _, err := Parse("h.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
}
