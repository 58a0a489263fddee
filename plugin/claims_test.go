package plugin_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/task"
)

// closer is a session with faults that can be closed as a Port is.
type closer struct {
	*coordtest.Faulty
	io.Closer
}

// safe is a buffer for a log.
type safe struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *safe) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), what)
}

// A store that is reached and takes no commits, because its disk is full, say, is
// told in the log once a minute, to the group and by Trouble; nothing is lost, and
// when it takes them again that is told too.
func TestClaimsThatCannotBeCommitted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		member := coordtest.NewCluster(time.Now).Join("n1", nil)
		faulty, host, log := coordtest.NewFaulty(member), &shop{}, &safe{}
		var told []string // by one goroutine at a time
		p := plugin.New(plugin.Deps{
			Join: func(context.Context) (plugin.Port, error) { return closer{faulty, member}, nil },
			Host: host, Sender: &post{}, Node: "n1", Now: time.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
			Options: plugin.Options{
				Buckets: 8, PreviousOwnerDead: true,
				Ailing: func(_ context.Context, reason string) { told = append(told, reason) },
			},
		})
		if err := p.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		schedule(t, control.New(control.Deps{KV: member, Members: member, Caller: member, Now: time.Now}),
			task.Info{Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: 3}, Misfire: task.MisfireFireAll})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		before := len(host.made())

		full := func(c coordtest.Call) coordtest.Fault {
			claim := slices.ContainsFunc(c.Ops, func(o coordclient.Op) bool { return strings.Contains(o.Key, "/log/") })
			return coordtest.Fault{Drop: c.Op == coordtest.OpCommit && claim}
		}
		faulty.Plan(full)
		time.Sleep(2*time.Minute + 30*time.Second)
		synctest.Wait()
		if p.Trouble() == "" || p.FailedCommits() == 0 || len(told) != 1 || told[0] == "" {
			t.Errorf("trouble %q, %d failed commits, told %q", p.Trouble(), p.FailedCommits(), told)
		}
		if n := log.count("nothing fires here until they can"); n < 2 || n > 3 {
			t.Errorf("logged %d times in two minutes and a half, want once a minute", n)
		}
		if n := len(host.made()); n != before {
			t.Errorf("%d calls while nothing could be claimed", n-before)
		}

		faulty.Plan(nil)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if p.Trouble() != "" || len(told) != 2 || told[1] != "" || log.count("claims are committed again") != 1 {
			t.Errorf("trouble %q, told %q", p.Trouble(), told)
		}
		if n := len(host.made()); n != 4 {
			t.Errorf("%d calls in all, want one for each of 4 instants", n)
		}
		if err := p.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}
