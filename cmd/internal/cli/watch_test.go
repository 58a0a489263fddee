package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/cluster"
)

// watches runs a command line that goes on, and gives the lines that it writes. It
// ends with the test.
func (g *group) watches(args ...string) <-chan string {
	g.Helper()
	r, w := io.Pipe()
	lines, done := make(chan string, 1000), make(chan struct{})
	ctx, stop := context.WithCancel(g.Context())
	go func() { // ends when the command does
		defer close(lines)
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	go func() { // ends with stop
		defer close(done)
		e := &env.Env{In: strings.NewReader(""), Out: w, Err: io.Discard, Now: time.Now, Version: "dev", Getenv: func(name string) string {
			return map[string]string{env.ConnectVariable: "unix://" + g.socket, "XDG_CONFIG_HOME": g.config}[name]
		}}
		root := New(e)
		root.SetArgs(args)
		if err := root.ExecuteContext(ctx); !errors.Is(err, context.Canceled) {
			g.Errorf("belfry %s ended: %v", strings.Join(args, " "), err)
		}
		_ = w.Close() // a pipe's close does not fail
	}()
	g.Cleanup(func() {
		stop()
		_ = r.Close() // a writer that is not read any more ends too
		<-done
	})
	return lines
}

// shows waits for a line that holds all of the texts.
func (g *group) shows(lines <-chan string, texts ...string) {
	g.Helper()
	over := time.After(5 * time.Minute)
	var seen []string
	for {
		select {
		case line := <-lines:
			seen = append(seen, line)
			all := true
			for _, text := range texts {
				all = all && strings.Contains(line, text)
			}
			if all {
				return
			}
		case <-over:
			g.Fatalf("no line with %q:\n%s", texts, strings.Join(seen, "\n"))
		}
	}
}

// What --watch shows is pushed: edits, runs, calendars, hosts and events.
func TestWatchIsTold(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "one")
	g.says(0, "", "cluster", "wait", "--for", "placed")
	tasks, runs, calendars := g.watches("task", "list", "--watch"), g.watches("run", "list", "-w", "-o", "jsonl"), g.watches("calendar", "list", "-w")
	events, history := g.watches("events", "-f"), g.watches("audit", "-w")
	g.says(0, "", "task", "create", "a", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	g.shows(tasks, "a", "waiting")
	one := g.watches("task", "show", "a", "-w", "-o", "jsonl")
	g.shows(one, `"state":"waiting"`)
	g.says(0, "", "task", "pause", "a", "--reason", "upgrade")
	g.shows(tasks, "a", "paused")
	g.shows(one, "upgrade")
	g.shows(history, "a", "upgrade")
	g.says(0, "", "task", "resume", "a")
	g.says(0, "", "task", "run", "a", "--wait")
	g.shows(runs, `"outcome":"OK"`)
	g.says(0, "", "calendar", "set", "office", "--weekly", "mon-fri 09:00-17:00")
	g.shows(calendars, "office")
	g.shows(events, "task/a", "pause")
}
