package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

// Through a read-only context, or with --read-only, every command looks and none
// changes anything.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(0, "", "cluster", "wait", "--for", "placed", "--timeout", "1m")
	g.says(0, "created", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	g.says(0, "", "context", "add", "look", "--connect", "unix://"+g.socket, "--read-only")
	before := g.state()
	for _, how := range []string{"--context look", "--read-only"} {
		for _, line := range []string{
			"task create y --service Stock --operation getLowStock --interval 1h",
			"task set x --retry 3", "task delete x --yes", "task pause x", "task run x", "task copy x y", "task move x --to n1",
			"node drain n1 --yes", "calendar set c --weekly mon-fri", "operation try Stock getLowStock",
		} {
			words := append(strings.Fields(line), strings.Fields(how)...)
			_, errs, code := g.belfry(words...)
			if code != 4 || !strings.Contains(errs, "nothing was changed") || !strings.Contains(errs, "read-only") {
				t.Errorf("belfry %s: exit %d, %s", strings.Join(words, " "), code, errs)
			}
		}
		for _, line := range []string{
			"status", "task list", "task show x", "task next x", "run list", "node list", "cluster show", "placement show", "explain task x",
			"simulate node-loss n1", "doctor", "audit", "events", "export", "context check", "timeline", "request list", "backup save " + t.TempDir() + "/b",
		} {
			words := append(strings.Fields(line), strings.Fields(how)...)
			if _, errs, code := g.belfry(words...); code == 4 || strings.Contains(errs, "nothing was changed") {
				t.Errorf("belfry %s: exit %d, %s", strings.Join(words, " "), code, errs)
			}
		}
	}
	if after := g.state(); !slices.Equal(before, after) {
		t.Errorf("something was changed:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	g.says(4, "`belfry context set look --read-only=false`", "task", "pause", "x", "--context", "look")
	g.says(0, "changed", "context", "set", "look", "--read-only=false")
	g.says(0, "paused", "task", "pause", "x", "--context", "look")
}

// state is what administrators have made, and the audit of it.
func (g *group) state() []string {
	g.Helper()
	var all []string
	for _, line := range []string{"task list -o name", "calendar list -o name", "audit", "run list -o name"} {
		out, errs, code := g.belfry(strings.Fields(line)...)
		if code != 0 {
			g.Fatalf("belfry %s: exit %d, %s", line, code, errs)
		}
		all = append(all, out)
	}
	return all
}

// Who is not on a terminal is not asked about a production context.
func TestProductionContextInAScript(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(0, "", "context", "add", "live", "--connect", "unix://"+g.socket, "--production")
	g.says(0, "created", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h", "--context", "live")
}

func TestContextsRemember(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(3, "no context was chosen before", "context", "use", "-")
	g.says(0, "", "context", "add", "one", "--connect", "unix://"+g.socket)
	g.says(0, "", "context", "add", "two", "--connect", "unix:///no/such/socket", "--read-only", "--production")
	g.says(0, "one", "context", "use", "one")
	g.says(0, "two", "context", "use", "two")
	g.says(0, "two", "context", "use", "two") // it was already
	g.says(0, "context one is the current one", "context", "use", "-")
	g.says(0, "context two is the current one", "context", "use", "-")
	g.says(0, "two\tunix:///no/such/socket\tproduction, read-only", "context", "list")
	if out := g.says(0, "", "context", "show", "two", "--prompt"); out != "two! (read-only)\n" {
		t.Errorf("prompt %q", out)
	}
	if out := g.says(0, "", "context", "show", "nobody", "--prompt"); out != "" {
		t.Errorf("prompt %q", out)
	}
	g.says(0, "Hosts    1", "context", "check", "one")
	g.says(6, "(context two)", "context", "check", "two")
	g.says(3, "no context three", "context", "check", "three")
	g.says(2, "either", "context", "set", "one", "--connect", "zk://a", "--coordination", "/x")
	g.says(0, "", "context", "set", "two", "--connect", "unix://"+g.socket)
	if out := g.says(0, "", "context", "check", "two", "-o", "json"); !strings.Contains(out, `"production": true`) || !strings.Contains(out, `"nodes": 1`) {
		t.Error(out)
	}
	g.says(0, "", "context", "remove", "one")
	g.says(3, "no context was chosen before", "context", "use", "-")
}
