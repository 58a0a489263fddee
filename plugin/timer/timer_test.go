package timer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// idle is a service that is not started.
func (b *bench) idle(c Config) *Service {
	return New(Deps{
		Config: c, Memory: b, Web: web.NewHTTP(web.Options{Client: b}), Operations: b, Code: b,
		Schedule: func(context.Context, []Timer) error { return nil }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// The example of the original system: task1 has a period of 5 seconds, and its
// receiver fails twice and then recovers. The delay grows, and is reset.
func TestDelayGrowsAndIsReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.answer = func(n int) (int, http.Header) { return map[bool]int{true: 503, false: 200}[n == 2 || n == 3], nil }
		s := b.service(t, sample)
		began := time.Now()
		var outcomes []string
		for n := 1; n <= 12; n++ {
			time.Sleep(5 * time.Second)
			if n == 6 {
				s = b.service(t, sample) // another host goes on with it
			}
			r := s.Invoke(t.Context(), due1("task1", n, task.TimerEvent{
				Data: json.RawMessage(`{"file": "testFile", "n": 9007199254740993}`), Backoff: task.Duration(8 * time.Second),
			}))
			outcomes = append(outcomes, string(r.Outcome))
		}
		// 5 ok, 10 fails: until 18; 20 fails: until 36; 40 ok, then every 5.
		want := strings.Fields("OK FAILED SKIPPED FAILED SKIPPED SKIPPED SKIPPED OK OK OK OK OK")
		if d := cmp.Diff(want, outcomes); d != "" {
			t.Error(d)
		}
		var seconds []int
		for _, at := range b.at {
			seconds = append(seconds, int(at.Sub(began).Seconds()))
		}
		if d := cmp.Diff([]int{5, 10, 20, 40, 45, 50, 55, 60}, seconds); d != "" {
			t.Error(d)
		}
		k := b.kicks[0]
		if k.Name != "task1" || k.Resource != "testFile" || k.Event != EventTimer || k.Attempt != 1 || k.FireID != "7-task1:1" ||
			fmt.Sprint(k.Data) != "map[file:testFile n:9.007199254740992e+15]" || b.keys[0] != "7-task1:1/timer-kicker:testFile" {
			t.Errorf("kick %+v, key %s", k, b.keys[0])
		}
	})
}

func TestDelays(t *testing.T) {
	t.Parallel()
	second := task.Duration(time.Second)
	for _, c := range []struct {
		timer    task.TimerEvent
		failures int
		want     time.Duration
	}{
		{task.TimerEvent{}, 5, 0},
		{task.TimerEvent{Backoff: second}, 1, time.Second},
		{task.TimerEvent{Backoff: second}, 4, 8 * time.Second},
		{task.TimerEvent{Backoff: second}, 1000, task.MaxBackoff},
		{task.TimerEvent{Backoff: second, MaxBackoff: 3 * second}, 3, 3 * time.Second},
		{task.TimerEvent{Backoff: 3600 * second}, 2, time.Hour},
	} {
		if got := grown(&c.timer, c.failures); got != c.want {
			t.Errorf("%+v after %d: %s, want %s", c.timer, c.failures, got, c.want)
		}
	}
}

// A handler may ask for a delay, the longest counts, and a run by hand is not
// delayed.
func TestHandlersAskForDelays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.answer = func(int) (int, http.Header) { return 429, http.Header{"Retry-After": {"30"}} }
		s := b.service(t, sample)
		began := time.Now()
		next := func(name string, n int) time.Duration {
			for ; ; n++ {
				if r := s.Invoke(t.Context(), due1(name, n, task.TimerEvent{})); r.Outcome != task.Skipped {
					return time.Since(began)
				}
				time.Sleep(time.Second)
			}
		}
		if first, second := next("task1", 0), next("task1", 1); first != 0 || second != 30*time.Second {
			t.Errorf("called after %s and %s", first, second)
		}
		manual := due1("task1", 0, task.TimerEvent{})
		manual.FireID = task.ManualID("7-task1", "x")
		if r := s.Invoke(t.Context(), manual); r.Outcome != task.Failed || len(b.kicks) != 3 {
			t.Errorf("by hand: %+v, %d kicks", r, len(b.kicks))
		}
		s = b.service(t, `
handlers:
  - {events: [start], handler: timer-service}
  - {events: timer, handler: code, code: salaries}
  - {events: timer, handler: operation, service: S, operation: broken, delay: 5}
`)
		began = time.Now()
		r := s.Invoke(t.Context(), due1("two", 0, task.TimerEvent{}))
		if r.Outcome != task.Failed || !strings.Contains(r.Error, "salaries is not ready") || !strings.Contains(r.Error, "panic: broken") || r.NotSent {
			t.Errorf("%+v", r)
		}
		if second := next("two", 1); second != time.Minute {
			t.Errorf("called after %s", second)
		}
	})
}

// Several handlers for one event: a further attempt calls only those that failed.
func TestSeveralHandlers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.answer = func(n int) (int, http.Header) { return map[bool]int{true: 500, false: 200}[n == 2], nil }
		s := b.service(t, `
handlers:
  - {events: start, handler: timer-service}
  - {name: a, events: timer, conditions: /event/_taskName =~ task.*, handler: timer-kicker, receiver: http://a.example.org/}
  - {name: b, events: timer, conditions: ["/event/_taskName == task1", "/event/resource"], handler: timer-kicker, receiver: http://b.example.org/}
  - {name: c, events: timer, conditions: /event/_taskName == task2, handler: timer-kicker, receiver: http://c.example.org/}
`)
		call := due1("task1", 1, task.TimerEvent{Data: json.RawMessage(`{"resource":"r"}`)})
		if r := s.Invoke(t.Context(), call); r.Outcome != task.Failed || !strings.Contains(r.Error, "handler b: answered 500") {
			t.Errorf("%+v", r)
		}
		call.Attempt = 2
		if r := s.Invoke(t.Context(), call); r.Outcome != task.OK || r.Rows != 2 {
			t.Errorf("%+v", r)
		}
		want := []string{"7-task1:1/a", "7-task1:1/b", "7-task1:1/b"}
		if d := cmp.Diff(want, b.keys); d != "" || b.kicks[0].Resource != "r" {
			t.Error(d, b.kicks[0].Resource)
		}
		// Nothing is for it: that is no failure.
		if r := s.Invoke(t.Context(), due1("other", 1, task.TimerEvent{})); r.Outcome != task.OK || r.Rows != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A receiver that the host's rules refuse fails the firing for good, unless
// another attempt would be of use to another handler.
func TestRefusedReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.answer = func(n int) (int, http.Header) { return map[bool]int{true: 500, false: 200}[n == 1], nil }
		s := b.service(t, `
handlers:
  - {events: start, handler: timer-service}
  - {name: a, events: timer, handler: timer-kicker, receiver: http://a.example.org/}
  - {name: b, events: timer, handler: timer-kicker, receiver: http://forbidden.example.org/}
`)
		call := due1("task1", 1, task.TimerEvent{})
		if r := s.Invoke(t.Context(), call); r.Outcome != task.Failed || r.Refused {
			t.Errorf("%+v", r)
		}
		call.Attempt = 2
		if r := s.Invoke(t.Context(), call); r.Outcome != task.Failed || !r.Refused || !strings.Contains(r.Error, "handler b") {
			t.Errorf("%+v", r)
		}
		if len(b.kicks) != 2 {
			t.Errorf("%d kicks", len(b.kicks))
		}
	})
}

func TestResourceKicker(t *testing.T) {
	t.Parallel()
	const config = `
handlers:
  - {events: start, handler: timer-service}
  - {events: timer, handler: resource-kicker, receiver: http://r.example.org/, watch: http://w.example.org/file, resource: testFile}
`
	for _, tagged := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench()
			s := b.service(t, config)
			n := 0
			state := func(v string) {
				b.body = v
				if tagged {
					b.etag = `"` + v + `"`
				}
			}
			look := func(want task.Outcome, kicks int) {
				t.Helper()
				n++
				if r := s.Invoke(t.Context(), due1("watch", n, task.TimerEvent{})); r.Outcome != want || len(b.kicks) != kicks {
					t.Errorf("look %d: %+v, %d kicks, want %d", n, r, len(b.kicks), kicks)
				}
			}
			state("one")
			look(task.OK, 0) // the first sight is remembered
			look(task.OK, 0)
			state("two")
			look(task.OK, 1)
			s = b.service(t, config) // another host, or a restart
			look(task.OK, 1)
			state("three")
			b.answer = func(n int) (int, http.Header) { return map[bool]int{true: 500, false: 200}[n == 2], nil }
			look(task.Failed, 2)
			look(task.OK, 3)
			if b.keys[1] != b.keys[2] || b.keys[0] == b.keys[1] {
				t.Errorf("keys %v: the change that was told twice must have one key", b.keys)
			}
			state("two")
			look(task.OK, 4)
			if b.keys[3] == b.keys[0] {
				t.Error("going back to a state before is a change of its own")
			}
			// The kick arrives, and what was seen cannot be kept: it comes again.
			state("four")
			b.fail = errors.New("the store is away")
			look(task.Failed, 4)
			b.fail = nil
			look(task.OK, 5)
			if k := b.kicks[4]; k.Resource != "testFile" || (k.ETag != "") != tagged || len(k.Hash) != 64 {
				t.Errorf("kick %+v", k)
			}
		})
	}
}

func TestNotLaunched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		s := b.service(t, strings.Replace(sample, "timer-service", "timer-kicker, receiver: http://r.example.org/, resource: start", 1))
		if s.Offered() || len(b.kicks) != 1 || b.kicks[0].Event != EventStart || b.keys[0] != "" {
			t.Errorf("offered %v, kicks %+v", s.Offered(), b.kicks)
		}
		if r := s.Invoke(t.Context(), due1("task1", 1, task.TimerEvent{})); r.Outcome != task.Failed || !r.NotSent {
			t.Errorf("%+v", r)
		}
	})
}

// Timers that nothing launches are told of, since nobody would miss them in time.
func TestTimersWithoutService(t *testing.T) {
	t.Parallel()
	for text, warns := range map[string]bool{
		"timers: [{name: a, period: 5}]": true,
		"handlers: [{events: start, handler: timer-service}]\ntimers: [{name: a, period: 5}]": false,
		"handlers: []": false,
	} {
		c, err := Parse("h.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s := New(Deps{
			Config: c, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now,
			Schedule: func(context.Context, []Timer) error { return nil },
		})
		s.Start()
		s.Stop()
		if strings.Contains(log.String(), "do not fire here") != warns {
			t.Errorf("%s: %s", text, &log)
		}
	}
}

func TestTimersAreScheduledUntilTheyAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := Parse("h.yaml", []byte(sample+"timers:\n  - {name: task1, period: 5}\n"))
		if err != nil {
			t.Fatal(err)
		}
		tries := 0
		s := New(Deps{
			Config: c, Log: slog.New(slog.DiscardHandler), Now: time.Now,
			Schedule: func(_ context.Context, timers []Timer) error {
				if tries++; tries < 4 {
					return errors.New("no host has started its timer service")
				}
				if len(timers) != 1 || timers[0].Trigger.Interval != task.Duration(5*time.Second) || timers[0].Trigger.Count != -1 {
					t.Errorf("timers %+v", timers)
				}
				return nil
			},
		})
		s.Start()
		time.Sleep(time.Minute)
		s.Stop()
		if tries != 4 {
			t.Errorf("%d tries", tries)
		}
	})
}
