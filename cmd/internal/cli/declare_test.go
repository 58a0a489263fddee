package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

func (g *group) file(name, text string) string {
	g.Helper()
	path := filepath.Join(g.config, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		g.Fatal(err)
	}
	return path
}

const twoTasks = `name: a
service: Stock
operation: getLowStock
trigger: {interval: 1h}
retry: {max: 2}
---
name: b
service: Stock
operation: getLowStock
trigger: {cron: "0 30 2 * * ?", tz: Europe/Berlin}
paused: true
pause_reason: not yet
`

func TestTaskFiles(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(0, "met", "cluster", "wait", "--for", "placed", "--timeout", "30s")
	file := g.file("t.yaml", twoTasks)
	g.says(1, "2 to create, 0 to change", "diff", "-f", file)
	g.says(0, "+ task/a", "apply", "-f", file, "--dry-run")
	g.says(3, "no task a", "task", "show", "a")
	g.says(0, "2 created, 0 changed, 0 deleted, 0 unchanged, 0 failed", "apply", "-f", file)
	g.says(0, "2 unchanged", "diff", "-f", file)
	g.says(0, "not yet", "task", "show", "b")

	// What is exported applies as no change, and applied elsewhere it is the same.
	exported := g.says(0, "paused: true", "export")
	g.says(0, "2 unchanged", "diff", "-f", g.file("e.yaml", exported))
	g.says(0, "2 tasks exported", "export", "--split", filepath.Join(g.config, "split"))
	g.says(0, "2 unchanged", "diff", "-f", filepath.Join(g.config, "split"))
	if out := g.says(0, "", "export", "a", "--jq", ".[].trigger.count"); out != "-1\n" {
		t.Errorf("count %q", out)
	}

	// A task that was paused by hand stays paused where the file says nothing.
	g.says(0, "paused", "task", "pause", "a", "--reason", "hands off")
	g.says(0, "2 unchanged", "diff", "-f", file)
	g.says(0, "resumed", "task", "resume", "a")
	g.says(0, "2 unchanged", "diff", "-f", file)

	plan := filepath.Join(g.config, "plan.json")
	changed := g.file("c.yaml", strings.Replace(twoTasks, "max: 2", "max: 3", 1))
	g.says(1, "retry.max            2 -> 3", "plan", "-f", changed, "--out", plan)
	g.says(0, "", "task", "set", "a", "--timeout", "5s")
	g.says(5, "stale", "apply", "--plan-file", plan)
	g.says(1, "timeout              5s -> (none)", "plan", "-f", changed, "--out", plan)
	g.says(0, "1 changed", "apply", "--plan-file", plan)
	g.says(5, "stale", "apply", "--plan-file", plan)

	only := g.file("only.yaml", strings.SplitAfter(twoTasks, "---\n")[1])
	g.says(2, "--yes", "apply", "-f", only, "--prune")
	g.says(0, "1 unchanged", "apply", "-f", only, "--prune", "--prefix", "b", "--yes")
	g.says(0, `"deleted": 1`, "apply", "-f", only, "--prune", "--yes", "-o", "json")
	g.says(3, "no task a", "task", "show", "a")

	// What follows another is made after it, and deleted before it.
	chain := g.file("chain.yaml", `name: c3
service: Stock
operation: getLowStock
after: {tasks: [c2]}
---
name: c2
service: Stock
operation: getLowStock
after: {tasks: [c1]}
---
name: c1
service: Stock
operation: getLowStock
trigger: {interval: 1h}
`)
	g.says(0, "3 created", "apply", "-f", chain)
	g.says(0, "3 unchanged", "diff", "-f", chain)
	g.says(0, "3 unchanged", "diff", "-f", g.file("e.yaml", g.says(0, "", "export", "--prefix", "c")))
	g.says(0, "3 deleted", "apply", "-f", only, "--prune", "--prefix", "c", "--yes")
	g.says(2, "a circle", "diff", "-f", g.file("circle.yaml", strings.Replace(strings.Replace(twoTasks, "---", "after: {tasks: [b]}\n---", 1), "paused: true", "after: {tasks: [a]}", 1)))

	g.says(2, "t.yaml:1:1", "validate", "-f", g.file("t.yaml", "nome: x\nservice: y"))
	g.says(2, "is not deployed", "validate", "-f", g.file("t.yaml", "name: x\nservice: Stok\noperation: getLowStock\ntrigger: {interval: 1s}"))
	g.says(0, "1 tasks: ok", "validate", "--offline", "-f", g.file("t.yaml", "name: x\nservice: Stok\noperation: getLowStock\ntrigger: {interval: 1s}"))
	g.says(2, "never fire", "validate", "--offline", "-f", g.file("t.yaml", "name: x\nservice: S\noperation: o\ntrigger: {at: 2001-01-01T00:00:00Z}"))
	g.says(2, "name the task files", "apply")
	g.says(2, "no such file", "apply", "-f", "/no/such/file")
}

// Thousands of tasks are applied in parts that can be gone on with.
func TestApplyThousands(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(0, "met", "cluster", "wait", "--for", "placed", "--timeout", "30s")
	var b strings.Builder
	const many = 2000
	for i := range many {
		fmt.Fprintf(&b, "name: t%04d\nservice: Stock\noperation: getLowStock\ntrigger: {interval: 1h}\n---\n", i)
	}
	file := g.file("many.yaml", b.String())
	g.says(0, "", "task", "create", "t0000", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	var r struct{ Created, Unchanged, Left int }
	out := g.says(0, "", "apply", "-f", file, "-o", "json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || r.Created != many-1 || r.Unchanged != 1 || r.Left != 0 {
		t.Errorf("%v: %s", err, out)
	}
	g.says(0, "2000 unchanged", "apply", "-f", file)
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.variables = map[string]string{}
	g.says(0, "met", "cluster", "wait", "--for", "placed", "--timeout", "30s")
	g.says(0, "", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	g.says(0, "revision 2", "task", "set", "x", "--retry", "3")
	g.says(0, "retry.max:  -> 3", "task", "history", "x")
	g.says(0, "now revision 3", "task", "revert", "x")
	g.says(0, "retry 0", "task", "show", "x")
	g.says(0, "retry 3", "task", "revert", "x", "--to", "2")
	g.says(3, "kept are 1 to 4", "task", "revert", "x", "--to", "9")
	g.says(0, "task/y created", "task", "copy", "x", "y", "--timeout", "7s")
	g.says(0, "retry 3, timeout 7s", "task", "show", "y")
	g.variables["EDITOR"] = "sed -i 's/max: 3/max: 4/'"
	g.says(0, "now revision 5", "task", "edit", "x")
	g.variables["EDITOR"] = "sed -i -e 's/^timeout.*//' -e 's/^#!.*//' -e '/^name/a trigge: 1'"
	g.says(2, "not valid after", "task", "edit", "x")
	g.variables["EDITOR"] = "true"
	g.says(0, "nothing was changed", "task", "edit", "x")
	out := g.says(0, "TASK_CHANGED", "audit", "--object", "task/x")
	if n := strings.Count(out, "\n"); n != 5 || !strings.Contains(out, "TASK_CREATED") || !strings.Contains(out, "\tretry\t") {
		t.Errorf("the audit of x:\n%s", out)
	}
	g.says(0, "task/x\tTASK_CREATED", "events", "--jq", `.[] | [.object, .code] | @tsv`)
	id := strings.TrimSpace(g.says(0, "", "task", "run", "x", "--wait", "-o", "name"))
	if out := g.says(0, "", "run", "output", id); out != "<low>[2J7</low>\n" {
		t.Errorf("the output of %s: %q", id, out)
	}
	g.says(0, "<low>", "run", "output", id, "-o", "json", "--jq", ".value")
	g.says(3, "there is no run", "run", "output", id[:len(id)-1])
	g.says(0, "follows as", "run", "rerun", id)
	g.says(5, "has ended", "run", "cancel", id)
	g.says(0, "", "request", "list")
}
