package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

// plant makes a group with tasks that do not fire by themselves; one is of another
// tenant.
func plant(t *testing.T, names ...string) *group {
	t.Helper()
	g := newGroup(t, cluster.Options{}, "n")
	g.variables = map[string]string{"XDG_STATE_HOME": t.TempDir()}
	g.says(0, "", "cluster", "wait", "--for", "placed", "--timeout", "1m")
	for _, name := range names {
		tenant, name, ok := strings.Cut(name, "/")
		if !ok {
			tenant, name = "default", tenant
		}
		g.says(0, "created", "task", "create", name, "--tenant", tenant, "--service", "Stock", "--operation", "getLowStock", "--interval", "1h", "--start", "+1h")
	}
	return g
}

// definitions are all tasks as files say them.
func (g *group) definitions() string {
	g.Helper()
	return g.says(0, "", "export")
}

// undo runs the commands that a command told to take it back.
func (g *group) undo(told string) {
	g.Helper()
	lines := regexp.MustCompile(`(?m)^  undo: belfry (.*)$`).FindAllStringSubmatch(told, -1)
	if len(lines) == 0 {
		g.Fatalf("nothing says how to take it back:\n%s", told)
	}
	for _, l := range lines {
		args := strings.Fields(l[1])
		for i := range args {
			args[i] = strings.Trim(args[i], "'")
		}
		g.says(0, "", args...)
	}
}

// What -o name prints is taken as names, of whichever tenant; each name is tried, and
// says what became of it.
func TestManyNames(t *testing.T) {
	t.Parallel()
	g := plant(t, "a", "b", "acme/c")
	names := strings.Fields(g.says(0, "", "task", "list", "-o", "name"))
	if want := []string{"acme/DATA_SERVICE_TASK/c", "a", "b"}; !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(want))) {
		t.Fatalf("-o name prints %q", names)
	}
	_, errs, code := g.belfry(append([]string{"task", "pause", "--reason", "spring"}, names...)...)
	if code != 0 || strings.Count(errs, " paused, now revision 2 (was 1)") != 3 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	if out := g.says(0, "", "task", "list", "--state", "paused", "-o", "name"); len(strings.Fields(out)) != 3 {
		t.Errorf("paused are %q", out)
	}
	_, errs, code = g.belfry("task", "resume", "a", "nobody", "task/b", "a")
	for _, want := range []string{"task/a resumed", "task/b resumed", "nobody: there is no task nobody", "1 of 3 were not resumed  [partial]"} {
		if code != 8 || !strings.Contains(errs, want) {
			t.Errorf("exit %d, want 8 and %q:\n%s", code, want, errs)
		}
	}
	g.says(0, "was resumed already, revision 3", "task", "resume", "a")
	out := g.says(0, "", "task", "run", "a", "b", "-o", "json")
	if strings.Count(out, `"fire_id"`) != 2 {
		t.Errorf("two were asked to run: %s", out)
	}
	if out = g.says(0, "", "task", "run", "a", "b", "--wait", "--headers"); strings.Count(out, "\tOK\t") != 2 {
		t.Errorf("two have run: %s", out)
	}
	g.says(8, "task c is paused", "task", "run", "a", "acme/DATA_SERVICE_TASK/c")
	g.says(0, "not in the group now: elsewhere", "task", "move", "a", "b", "--to", "n,elsewhere")
	completed := ""
	for range 100 { // a completion that takes too long offers nothing
		if out, _, _ := g.belfry("__complete", "task", "pause", "a", ""); strings.Contains(out, "b\n") || strings.Contains(out, "a\n") {
			completed = out
			break
		}
	}
	if !strings.Contains(completed, "b\n") || strings.Contains(completed, "a\n") {
		t.Errorf("the second name is completed with %q", completed)
	}
	if out, _, _ := g.belfry("__complete", "task", "show", "a", ""); strings.Contains(out, "b\n") {
		t.Errorf("show takes one name, and is offered %q", out)
	}
}

// What a command tells to take it back does that: definitions are as before.
func TestUndoTakesItBack(t *testing.T) {
	t.Parallel()
	g := plant(t, "a", "b", "acme/c")
	both := []string{"a", "acme/DATA_SERVICE_TASK/c"}
	for _, prepare := range []string{"", "task pause a b --reason spring", "task pause a acme/DATA_SERVICE_TASK/c --reason autumn --for 9h"} {
		if prepare != "" {
			g.says(0, "", strings.Fields(prepare)...)
		}
		for _, line := range []string{
			"task pause --reason summer", "task pause --for 2h", "task resume", "task move --to n", "task delete --yes",
			"task set a --retry 3 --timeout 9s", "task create d --service Stock --operation getLowStock --interval 1h", "task copy a e",
		} {
			before := g.definitions()
			args := strings.Fields(line)
			if n := len(args); !slices.Contains([]string{"set", "create", "copy"}, args[1]) {
				args = append(args[:n:n], both...)
			}
			_, told, code := g.belfry(args...)
			if strings.HasPrefix(line, "task resume") && prepare == "" {
				if strings.Contains(told, "undo") {
					t.Errorf("%s: nothing was changed:\n%s", line, told)
				}
				continue
			}
			if code != 0 {
				t.Fatalf("%s: exit %d\n%s", line, code, told)
			}
			g.undo(told)
			if after := g.definitions(); after != before && !strings.Contains(line, "pause") {
				t.Errorf("after %q, %s and what takes it back:\n%s\nbefore:\n%s", prepare, line, after, before)
			}
		}
	}
}

// A dry run tells what would change and what is refused, and changes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	g := plant(t, "a", "b")
	g.says(0, "calendar/office stored, revision 1", "calendar", "set", "office", "--weekly", "mon-fri")
	g.says(0, "", "task", "create", "f", "--service", "Stock", "--operation", "getLowStock", "--after", "b")
	state := func() string {
		return g.definitions() + g.says(0, "", "audit", "-n", "0", "-o", "json") + g.says(0, "", "node", "show", "n", "--jq", ".drain") + g.says(0, "", "calendar", "list", "-o", "json", "--jq", ".[].revision")
	}
	before := state()
	for line, want := range map[string]string{
		"task pause a b --for 1h":     "task/b would be paused until ",
		"task resume a":               "task/a was resumed already, revision 1",
		"task run a":                  "task/a would be asked to run",
		"task delete a":               "task/a would be deleted",
		"task set a --retry 3":        "task/a would be changed, then revision 2 (now 1)\n  retry.max:  -> 3",
		"task move a --to n":          "task/a would be moved to n, then revision 2",
		"task copy a c --interval 5m": "task/c would be created",
		"task create c --service Stock --operation getLowStock --interval 5m": "task/c would be created",
		"node drain n": "node/n would be drained",
		"calendar set office --zone Europe/Berlin":          "calendar/office would be stored, then revision 2 (now 1)",
		"calendar set other --date 12-25":                   "calendar/other would be stored, revision 1",
		"calendar delete office":                            "calendar/office would be deleted",
		"task revert a --to 1":                              "task/a was reverted already",
		"task backfill a --from 2026-01-01 --to 2026-01-02": "",
	} {
		if _, errs, code := g.belfry(append(strings.Fields(line), "--dry-run")...); code != 0 || !strings.Contains(errs, want) || !strings.Contains(errs, "dry run: nothing was changed") || strings.Contains(errs, "undo:") {
			t.Errorf("belfry %s --dry-run: exit %d, want %q\n%s", line, code, want, errs)
		}
	}
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"task delete b":                        {5, "f"},
		"task set a --retry 3 --if-revision 9": {5, "revision 1, not 9"},
		"task set nobody --retry 3":            {3, "there is no task nobody"},
		"task create a --service Stock --operation getLowStock --interval 5m": {5, "exists already"},
		"task set a --cron x":                           {2, ""},
		"node drain nobody":                             {3, "there is no node nobody"},
		"calendar set office --weekly mon --revision 7": {5, "revision 1, not 7"},
	} {
		if _, errs, code := g.belfry(append(strings.Fields(line), "--dry-run")...); code != want.code || !strings.Contains(errs, want.text) {
			t.Errorf("belfry %s --dry-run: exit %d, want %d and %q\n%s", line, code, want.code, want.text, errs)
		}
	}
	if after := state(); after != before {
		t.Errorf("dry runs changed\n%s\nto\n%s", before, after)
	}
}

// Deletion has the name typed, or the number; what is easily taken back asks only
// whom it can ask, and only of several.
func TestQuestions(t *testing.T) {
	t.Parallel()
	g := plant(t, "a", "b", "c")
	g.says(0, "", "task", "create", "f", "--service", "Stock", "--operation", "getLowStock", "--after", "a")
	for _, want := range []string{"a: waiting, 8760 firings a year, the next in ", "This stops 8760 firings a year", "! f follows a", "say --yes"} {
		g.says(2, want, "task", "delete", "a")
	}
	g.says(2, "! nobody: there is no task nobody", "task", "delete", "b", "nobody")
	g.types("b\n").says(9, "nothing was changed", "task", "delete", "a")
	g.types("").says(9, "nothing was changed", "task", "delete", "b")
	g.types("3\n").says(9, "Delete 2 tasks for good? Type their number:", "task", "delete", "a", "f")
	g.types("2\n").says(0, "task/f deleted", "task", "delete", "a", "f")
	g.types("b\n").says(0, "task/b deleted", "task", "delete", "b")
	files, err := filepath.Glob(filepath.Join(g.variables["XDG_STATE_HOME"], "belfry", "deleted", "*.yaml"))
	if err != nil || len(files) != 2 {
		t.Fatalf("copies: %v, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	g.says(0, "2 created", "apply", "-f", files[0])

	g.types("n\n").says(9, "This would pause 2 tasks. Go on? [y/N]", "task", "pause", "a", "c")
	g.types("\n").says(9, "  c\n", "task", "pause", "a", "c")
	g.types("y\n").says(0, "task/c paused", "task", "pause", "a", "c")
	g.types("").says(0, "task/c paused", "task", "pause", "c", "--reason", "alone")
	g.types("no\n").says(9, "nothing would fire until n is undrained", "node", "drain", "n")
	g.types("n\n").says(0, "is drained", "node", "drain", "n")

	file := filepath.Join(t.TempDir(), "c.yaml")
	out := g.says(0, "", "export", "c")
	if err := os.WriteFile(file, []byte(strings.Replace(out, "1h0m0s", "2h", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	g.types("\n").says(9, "This changes 1 tasks. Go on? [y/N]", "apply", "-f", file)
	g.types("1\n").says(9, "This deletes 2 tasks. Type their number:", "apply", "-f", file, "--prune")
	g.types("y\n").says(0, "1 changed", "apply", "-f", file)
	g.says(2, "say --yes", "apply", "-f", file, "--prune")
	if out := g.says(0, "", "task", "list", "-o", "name"); len(strings.Fields(out)) != 3 {
		t.Errorf("there are %s", out)
	}
}

// Why somebody did something is beside who it was, of each kind of edit.
func TestReasons(t *testing.T) {
	t.Parallel()
	g := plant(t, "a", "b")
	for _, line := range []string{
		"task set a --retry 3", "task pause a", "task resume a", "task move a --to n", "task run a", "task revert a --to 1", "task copy a c",
		"calendar set office --weekly mon", "calendar delete office --yes", "node drain n --yes", "node undrain n", "task delete b --yes",
	} {
		reason := "because-" + strings.Join(strings.Fields(line)[:2], "-")
		g.says(0, "", append(strings.Fields(line), "--reason", reason)...)
		if out := g.says(0, "", "audit", "-n", "1", "--jq", ".[].reason"); strings.TrimSpace(out) != reason {
			t.Errorf("belfry %s: the audit's last reason is %q", line, out)
		}
	}
	history := g.says(0, "", "task", "history", "a", "--jq", ".[].reason")
	for _, verb := range []string{"set", "pause", "resume", "move", "revert"} {
		if !strings.Contains(history, "because-task-"+verb) {
			t.Errorf("the history does not say why task %s:\n%s", verb, history)
		}
	}
	if out := g.says(0, "", "task", "set", "a", "--retry", "9", "-q"); strings.Contains(out, "undo") {
		t.Errorf("-q says %s", out)
	}
}
