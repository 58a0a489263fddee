package cli

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

// Each command that shows something does so in every format, or says clearly why it
// does not.
func TestEveryFormatOfEveryCommand(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "n1")
	g.says(0, "", "cluster", "wait", "--for", "placed", "--timeout", "1m")
	g.says(0, "", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h")
	g.says(0, "", "task", "set", "x", "--description", "often")
	g.says(0, "", "task", "run", "x", "--wait", "--timeout", "1m")
	g.says(0, "", "calendar", "set", "office", "--weekly", "mon-fri")
	g.says(0, "", "context", "add", "here", "--connect", "unix://"+g.socket)
	for _, line := range []string{
		"status", "task list", "task show x", "task next x", "task history x", "run list", "node list", "node show n1",
		"service list", "service show Stock", "operation list", "calendar list", "calendar show office", "calendar next office", "audit", "events",
		"request list", "cluster show", "leader show", "placement show", "placement show --buckets", "placement plan", "simulate node-loss n1",
		"explain task x", "timeline", "doctor", "context list", "context show", "context show here", "context check", "cron next 0/5", "version",
		"config show", "export",
	} {
		words := strings.Fields(line)
		if line == "cron next 0/5" {
			words = []string{"cron", "next", "0 0/5 * * * ?"}
		}
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			for format, judge := range formats() {
				out, errs, code := g.belfry(append(append([]string{}, words...), "-o", format)...)
				switch {
				case code == 2 && out == "" && strings.Contains(errs, "-o"):
					t.Logf("-o %s is refused: %s", format, strings.TrimSpace(errs))
				case code != 0 && line != "doctor":
					t.Errorf("-o %s: exit %d\n%s%s", format, code, out, errs)
				case !judge(out):
					t.Errorf("-o %s: %q", format, out)
				}
			}
		})
	}
}

// formats are what -o takes, with what judges what is written.
func formats() map[string]func(out string) bool {
	valid := func(out string) bool { return json.Valid([]byte(out)) }
	said := func(out string) bool { return strings.HasSuffix(out, "\n") }
	maybe := func(out string) bool { return out == "" || said(out) } // an empty list is
	return map[string]func(string) bool{
		"table": maybe, "wide": maybe, "json": valid, "name": maybe,
		"jsonl": func(out string) bool {
			for line := range strings.Lines(out) {
				if !valid(line) {
					return false
				}
			}
			return true
		},
		"yaml": func(out string) bool {
			var v any
			return said(out) && yaml.Unmarshal([]byte(out), &v) == nil && v != nil
		},
		"csv": func(out string) bool {
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			return err == nil && len(rows) > 0 && regexp.MustCompile(`^[A-Z]`).MatchString(rows[0][0])
		},
		"md":                        func(out string) bool { return strings.HasPrefix(out, "| ") && strings.Contains(out, "| --- |") },
		"jsonpath={.}":              func(out string) bool { return said(out) && valid(out) },
		"jsonpath={.name}{\"\\n\"}": said,
		"go-template={{json .}}":    valid,
		"custom-columns=NAME:.name,NOTHING:.nothing": func(out string) bool {
			return out == "" || said(out) && strings.Count(out, "\t") == strings.Count(out, "\n")
		},
	}
}
