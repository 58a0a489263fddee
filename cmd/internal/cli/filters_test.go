package cli

import (
	"slices"
	"strings"
	"testing"
)

// Each filter lets pass what it says, and nothing else; a word that is nearly one
// names that one.
func TestFilters(t *testing.T) {
	t.Parallel()
	g := plant(t, "stock-a", "stock-b", "other", "acme/stock-a")
	g.says(0, "", "task", "pause", "stock-b", "--reason", "spring")
	g.says(0, "", "task", "set", "other", "--start", "+30h", "--interval", "1h")
	g.says(0, "", "task", "run", "stock-a", "--wait")
	g.says(0, "", "calendar", "set", "office", "--weekly", "mon")
	filtered(t, g, map[string]string{
		"task list --state paused":                             "stock-b",
		"task list --state paused,waiting --prefix sto":        "acme/DATA_SERVICE_TASK/stock-a stock-a stock-b",
		"task list --state paused --state waiting":             "acme/DATA_SERVICE_TASK/stock-a other stock-a stock-b",
		"task list --due 20h":                                  "acme/DATA_SERVICE_TASK/stock-a stock-a",
		"task list --due 20h --tenant default":                 "stock-a",
		"task list --failed 24h":                               "",
		"audit --for calendar/office --jq .[].code":            "CALENDAR_SET",
		"audit --for node/office --jq .[].code":                "",
		"audit --by nobody --jq .[].code":                      "",
		"events --for task/stock-b --jq .[].code":              "TASK_CREATED TASK_PAUSED",
		"events --for task/stock-b --level warn --jq .[].code": "",
		"events --for task/stock-b --since 1ns --jq .[].code":  "",
		"run list --node n --jq .[].task":                      "stock-a",
		"run list --node elsewhere --jq .[].task":              "",
		"run list --until 1h --jq .[].task":                    "",
		"run list --since 1h --jq .[].task":                    "stock-a",
	})
	// For a moment the tasks have no host then.
	g.says(0, "", "node", "drain", "n", "--yes", "--no-wait")
	g.says(0, "", "node", "undrain", "n")
	filtered(t, g, map[string]string{
		"audit --for node/n --jq .[].code":                      "NODE_DRAINED NODE_UNDRAINED",
		"events --for node/n --kind node_drained --jq .[].code": "NODE_DRAINED",
	})
	for line, want := range map[string]string{
		"task list --state waiting,pasued": "did you mean paused?",
		"run list --outcome faild":         "did you mean FAILED?",
		"events --level eror":              "did you mean error?",
	} {
		g.says(2, want, strings.Fields(line)...)
	}
	for typed, want := range map[string]string{
		"task list --state pa":         "paused",
		"task list --state waiting,pa": "waiting,paused",
		"run list --outcome time":      "timed_out",
		"events --level w":             "warn",
	} {
		if out, _, _ := g.belfry(append([]string{"__complete"}, strings.Fields(typed)...)...); !strings.HasPrefix(out, want+"\n:4") {
			t.Errorf("%s is completed with %q, want %q", typed, out, want)
		}
	}
}

// filtered checks what command lines give.
func filtered(t *testing.T, g *group, lines map[string]string) {
	t.Helper()
	for line, want := range lines {
		args := strings.Fields(line)
		if !slices.Contains(args, "--jq") {
			args = append(args, "-o", "name")
		}
		found := strings.Fields(g.says(0, "", args...))
		slices.Sort(found)
		if got := strings.Join(found, " "); got != want {
			t.Errorf("belfry %s: %q, want %q", line, got, want)
		}
	}
}
