package chain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

func key(name string) task.Key { return task.Key{Name: name}.Normal() }

func notice(outcome task.Outcome, followers ...task.Follower) task.Notice {
	return task.Notice{
		Kind: task.NoticeEnded, At: time.UnixMilli(5), Info: task.Info{Key: key("a"), Followers: &followers},
		Run: task.Run{FireID: "1-a:1000", Scheduled: time.UnixMilli(1000), Outcome: outcome, Error: "it's <broken>", Value: "42"},
	}
}

func TestWhoHearsOfAnEnd(t *testing.T) {
	t.Parallel()
	n := func(o task.Outcome) string {
		var heard []string
		for _, m := range (Announcer{}).Announce(notice(o,
			task.Follower{Key: key("yes"), On: task.OnSuccess}, task.Follower{Key: key("no"), On: task.OnFailure},
			task.Follower{Key: key("any"), On: task.OnEnd}, task.Follower{Key: key("zero")},
		)) {
			heard = append(heard, strings.TrimPrefix(m.To, "task:default/DATA_SERVICE_TASK/"))
			if !Addressed(m.To) || m.ID != "1-a:1000>"+strings.TrimPrefix(m.To, "task:") {
				t.Errorf("message %+v", m)
			}
		}
		return strings.Join(heard, " ")
	}
	for outcome, want := range map[task.Outcome]string{
		task.OK: "yes any zero", task.Failed: "no any", task.TimedOut: "no any", task.Unknown: "no any",
		task.Cancelled: "", task.Skipped: "",
	} {
		if got := n(outcome); got != want {
			t.Errorf("%s: %q, want %q", outcome, got, want)
		}
	}
	alert := notice(task.OK, task.Follower{Key: key("yes")})
	alert.Kind = task.AlertFailed
	if m := (Announcer{}).Announce(alert); len(m) > 0 {
		t.Errorf("an alert was taken for an end: %v", m)
	}
}

// store has one follower, and remembers what it was asked.
type store struct {
	to    task.Info
	there bool
	depth int
	asked []string
	err   error
}

func (s *store) Follower(context.Context, task.Key) (task.Info, bool, error) {
	return s.to, s.there, s.err
}

func (s *store) Follow(_ context.Context, to task.Info, from task.Key, ended task.FireID, given task.Input, all []task.Key) error {
	s.asked = append(s.asked, fmt.Sprintf("%s after %s of %s with %s, all %d", to.Name, ended, from.Name, given, len(all)))
	return nil
}

func (s *store) Depth(task.FireID) int { return s.depth }

func TestHowAnEndIsFollowed(t *testing.T) {
	t.Parallel()
	failed := notice(task.Failed, task.Follower{Key: key("c"), On: task.OnFailure})
	message := (Announcer{}).Announce(failed)[0]
	follower := func(change func(*task.After)) task.Info {
		after := &task.After{Tasks: []string{"a", "default/DATA_SERVICE_TASK/b"}, On: task.OnFailure, With: map[string]string{"why": "{{.Outcome}}: {{.Error}}"}}
		if change != nil {
			change(after)
		}
		return task.Info{Key: key("c"), After: after}
	}
	permanent := func(err error) bool {
		e, ok := errors.AsType[*event.SendError](err)
		return ok && e.Permanent
	}
	for name, c := range map[string]struct {
		store store
		want  string
		fails func(error) bool
	}{
		"follows":      {store: store{to: follower(nil), there: true}, want: `c after 1-a:1000 of a with {"why":"FAILED: it's \u003cbroken\u003e"}, all 0`},
		"waits":        {store: store{to: follower(func(a *task.After) { a.All = true }), there: true}, want: `c after 1-a:1000 of a with {"why":"FAILED: it's \u003cbroken\u003e"}, all 2`},
		"gone":         {store: store{}},
		"unreachable":  {store: store{err: errors.New("away")}, fails: func(err error) bool { return err != nil && !permanent(err) }},
		"no more":      {store: store{to: follower(func(a *task.After) { a.Tasks = []string{"b"} }), there: true}},
		"nothing":      {store: store{to: task.Info{Key: key("c")}, there: true}},
		"otherwise":    {store: store{to: follower(func(a *task.After) { a.On = task.OnSuccess }), there: true}},
		"too deep":     {store: store{to: follower(nil), there: true, depth: task.MaxChain}, fails: permanent},
		"bad template": {store: store{to: follower(func(a *task.After) { a.With["why"] = "{{.Nothing}}" }), there: true}, fails: permanent},
		"too long":     {store: store{to: follower(func(a *task.After) { a.With["why"] = strings.Repeat("{{.Error}}", 400) }), there: true}, fails: permanent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := NewDeliverer(&c.store).Send(t.Context(), message)
			if c.fails == nil && err != nil || c.fails != nil && !c.fails(err) {
				t.Errorf("error %v", err)
			}
			if got := strings.Join(c.store.asked, "; "); got != c.want {
				t.Errorf("asked %q, want %q", got, c.want)
			}
		})
	}
}

func TestAddressesAndMessagesThatAreNone(t *testing.T) {
	t.Parallel()
	d := NewDeliverer(&store{})
	if err := d.Check("task:default/DATA_SERVICE_TASK/c"); err != nil {
		t.Error(err)
	}
	for _, to := range []string{"mailto:x@example.com", "task:c", "task:a/b/c/d"} {
		if d.Check(to) == nil || d.Send(t.Context(), task.Message{To: to}) == nil {
			t.Errorf("%s was taken", to)
		}
	}
	if err := d.Send(t.Context(), task.Message{To: "task:a/b/c", Event: []byte("{")}); err == nil {
		t.Error("a broken message was taken")
	}
}
