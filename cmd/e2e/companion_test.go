//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Every example that --help shows is run beside a host with the sample
// configuration, as its reader would.
func TestExamples(t *testing.T) {
	t.Parallel()
	h := sampleHost(t)
	h.edit("configs/belfryd.yaml", "#allow: []", "allow: [loopback]") // remote services are this host's own
	h.start()
	h.write("tasks.yaml", "name: from-a-file\nservice: Stock\noperation: getLowStock\ntrigger: {cron: \"0 30 2 * * ?\"}\n")
	h.write("holidays.ics", "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\nEND:VCALENDAR\n")
	h.shell("cp holidays.ics maintenance.ics")
	examples := examplesOf(t)
	if len(examples) < 40 {
		t.Fatalf("only %d examples found", len(examples))
	}
	for _, example := range examples {
		if !strings.Contains(example, "afterwards") {
			h.shell("belfry task delete afterwards --yes 2>/dev/null || true") // or what it follows could not be deleted
		}
		// Each example finds the tasks that it speaks of.
		prepare := []string{"stock-watch", "nightly"}
		if words := strings.Fields(example); len(words) > 3 && words[1] == "task" && words[2] == "create" {
			h.shell("belfry task delete " + words[3] + " --yes 2>/dev/null || true")
			prepare = slices.DeleteFunc(prepare, func(name string) bool { return name == words[3] })
		}
		for _, name := range prepare {
			h.shell("belfry task show " + name + " >/dev/null 2>&1 || belfry task create " + name +
				" --service Stock --operation getLowStock --interval 1h --start +1h >/dev/null")
		}
		if strings.HasPrefix(example, "belfry context ") {
			h.shell("belfry context add prod --connect zk://127.0.0.1:1 --replace && belfry context add sample --connect unix://var/belfryd.sock --replace")
			if strings.Contains(example, "context use -") {
				h.shell("belfry context use sample && belfry context use prod")
			}
			if strings.Contains(example, "context add") {
				h.shell("belfry context remove prod && belfry context remove sample")
			}
		}
		if strings.HasPrefix(example, "belfry calendar ") {
			h.shell("for name in office freeze; do belfry calendar set $name --weekly mon-fri; done")
		}
		if strings.Contains(example, "run list --task") {
			h.shell("belfry task run stock-watch --wait >/dev/null")
		}
		if strings.Contains(example, "backup ") {
			h.shell("belfry backup save belfry.backup")
		}
		if strings.Contains(example, "task copy ") {
			for _, name := range []string{"stock-watch-2", "nightly-paused"} {
				h.shell("belfry task delete " + name + " --yes 2>/dev/null || true")
			}
		}
		if strings.Contains(example, "task revert ") {
			h.shell("belfry task set stock-watch --description \"$(date +%N)\"")
		}
		if strings.Contains(example, "--if-revision") {
			h.shell("belfry task delete stock-watch --yes && belfry task create stock-watch --service Stock --operation getLowStock --interval 1h")
			h.shell("belfry task set stock-watch --retry 1")
		}
		if strings.HasPrefix(example, "belfry tui") {
			term := openTerminal(t, h.dir, "80", "24", example)
			term.shows("live", "stock-watch")
			term.keys("q")
			term.ends("0")
			continue
		}
		if out := h.shell(example); t.Failed() {
			t.Fatalf("example of --help: %s\n%s", example, out)
		}
		if words := strings.Fields(example); len(words) > 3 && words[1] == "task" && words[2] == "move" {
			// It is pinned to nodes that are not there.
			h.shell("belfry task move " + words[3] + " --anywhere")
			eventually(t, patience, words[3]+" has a place again", func() bool {
				return strings.TrimSpace(h.shell("belfry task show "+words[3]+" --jq '.moving + .node'")) == "n1"
			})
		}
	}
	h.stop()
}

// examplesOf reads the examples of every command from its --help.
func examplesOf(t *testing.T) []string {
	t.Helper()
	var examples []string
	var visit func(path ...string)
	visit = func(path ...string) {
		out, err := exec.Command(filepath.Join(bin, "belfry"), append(path, "--help")...).Output()
		if err != nil {
			t.Fatalf("%v --help: %v", path, err)
		}
		for _, m := range regexp.MustCompile(`(?m)^  ((?:EDITOR=.* )?belfry .*)$`).FindAllStringSubmatch(string(out), -1) {
			// Usage lines and the aliases stand apart from examples: they end in
			// [flags] or [command].
			if !strings.HasSuffix(m[1], "]") {
				examples = append(examples, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(string(out), -1) {
			if m[1] != "help" && m[1] != "completion" && len(path) < 2 {
				visit(append(slices.Clone(path), m[1])...)
			}
		}
	}
	visit()
	return slices.Compact(examples)
}

// The companion's JSON is a contract: these fields are there, whatever else is.
func TestJSONContract(t *testing.T) {
	t.Parallel()
	h := sampleHost(t)
	h.args = append(h.args, "--node", "n1", "--socket", h.socket())
	h.start()
	h.must("task", "run", "watch-stock", "--wait")
	eventually(t, patience, "events are written", func() bool { return len(show[[]any](h, "events")) > 0 })
	for _, c := range []struct {
		args   []string
		fields []string
	}{
		{[]string{"task", "list"}, []string{"name", "tenant", "type", "service", "operation", "trigger", "state", "reason", "node", "next", "last"}},
		{[]string{"run", "list"}, []string{"fire_id", "task", "scheduled", "started", "ended", "outcome", "attempt", "node", "error"}},
		{[]string{"service", "list"}, []string{"name", "file", "status", "error", "operations", "resources"}},
		{[]string{"operation", "list"}, []string{"service", "name", "parameters", "schedulable", "why"}},
		{[]string{"events"}, []string{"time", "level", "code", "object", "text", "node"}},
	} {
		list := show[[]map[string]any](h, c.args...)
		if len(list) == 0 {
			t.Errorf("belfry %s is empty", strings.Join(c.args, " "))
			continue
		}
		for _, field := range c.fields {
			if _, ok := list[0][field]; !ok {
				t.Errorf("belfry %s has no field %s", strings.Join(c.args, " "), field)
			}
		}
	}
	var task map[string]any
	eventually(t, patience, "the task waits", func() bool { // it fires every few seconds
		task = show[map[string]any](h, "task", "show", "watch-stock")
		return task["state"] == "waiting"
	})
	last, _ := task["last"].(map[string]any)
	for _, field := range []string{"scheduled", "started", "ended", "outcome", "attempt", "node"} {
		if _, ok := last[field]; !ok {
			t.Errorf("the last run of a task has no field %s", field)
		}
	}
	if task["node"] != "n1" {
		t.Errorf("node %v", task["node"])
	}
	if list := h.must("task", "list", "--state", "failed", "-o", "json"); strings.TrimSpace(list) != "[]" {
		t.Errorf("an empty list is %q, want []", list)
	}
	instants := show[[]string](h, "cron", "next", "0 30 2 * * ?", "--tz", "America/New_York", "--from", "2027-03-13T00:00:00Z", "-n", "3")
	if want := []string{"2027-03-13T07:30:00Z", "2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"}; !slices.Equal(instants, want) {
		t.Errorf("cron next: %v, want %v", instants, want)
	}
	h.stop()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	h := sampleHost(t)
	h.args = append(h.args, "--socket", h.socket())
	h.start()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{0, "", []string{"status"}},
		{2, "unknown command", []string{"task", "lst"}},
		{2, "unknown flag", []string{"task", "list", "--no-such-flag"}},
		{2, "-o takes", []string{"task", "list", "-o", "xml"}},
		{2, "column", []string{"cron", "parse", "0 0 25 * * ?"}},
		{2, "say when", []string{"task", "create", "x", "--service", "Stock", "--operation", "getLowStock"}},
		{2, "--yes", []string{"task", "delete", "watch-stock"}},
		{2, "input parameters", []string{"task", "create", "x", "--service", "Stock", "--operation", "updateProductQuantity", "--interval", "1s"}},
		{2, "Stock", []string{"task", "create", "x", "--service", "Stok", "--operation", "getLowStock", "--interval", "1s"}},
		{3, "watch-stock", []string{"task", "show", "watch-stok"}},
		{3, "", []string{"run", "show", "0-6b1f0c1e-8d0e-4f0e-9f7a-2f1f4f1f4f1f:1795000000000"}},
		{5, "exists", []string{"task", "create", "watch-stock", "--service", "Stock", "--operation", "getLowStock", "--interval", "1s"}},
		{5, "", []string{"task", "set", "watch-stock", "--retry", "2", "--if-revision", "99"}},
		{6, "no host answers", []string{"status", "--connect", "unix:///no/such/socket"}},
	} {
		out, errs, code := h.belfry(c.args...)
		if code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("belfry %s: exit %d, want %d and %q on stderr\n%s%s", strings.Join(c.args, " "), code, c.code, c.says, out, errs)
		}
	}
	_, errs, _ := h.belfry("task", "show", "nobody", "-o", "json")
	var failure struct {
		Error struct {
			Code     string `json:"code"`
			ExitCode int    `json:"exit_code"`
		} `json:"error"`
	}
	if err := json.Unmarshal([]byte(errs), &failure); err != nil || failure.Error.Code != "not_found" || failure.Error.ExitCode != 3 {
		t.Errorf("an error with -o json is %q", errs)
	}
	h.stop()
}

// A service that is missing when its task fires is a failed run that is
// retried, not a lost one.
func TestMissingServiceIsRetried(t *testing.T) {
	t.Parallel()
	h := sampleHost(t)
	h.args = append(h.args, "--socket", h.socket())
	h.start()
	text := h.shell("cat configs/services/Stock.dbs")
	answers := func(want int) {
		eventually(t, patience, fmt.Sprint("the service answers ", want), func() bool {
			status, _ := h.get("/services/Stock/products", "*/*")
			return status == want
		})
	}
	// The service is to be gone before the task is due, however slow the machine is.
	for ahead := 6 * time.Second; ; ahead *= 2 {
		at := time.Now().Add(ahead).Truncate(time.Second)
		h.must("task", "create", "late", "--service", "Stock", "--operation", "getProducts", "--at", at.UTC().Format(time.RFC3339))
		h.shell("rm configs/services/Stock.dbs")
		answers(http.StatusNotFound)
		if time.Now().Before(at) {
			break
		}
		h.write("configs/services/Stock.dbs", text)
		answers(http.StatusOK)
		h.must("task", "delete", "late", "--yes")
	}
	eventually(t, patience, "a failed attempt is recorded", func() bool {
		runs := show[[]struct{ Error string }](h, "run", "list", "--task", "late")
		return len(runs) > 0 && strings.Contains(runs[0].Error, "not deployed")
	})
	h.write("configs/services/Stock.dbs", text)
	eventually(t, patience, "the firing succeeds after all", func() bool {
		v := show[taskView](h, "task", "show", "late")
		return v.State == "finished" && v.Last != nil && v.Last.Outcome == "OK"
	})
	h.stop()
}
