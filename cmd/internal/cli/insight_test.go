package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/cluster"
)

func TestInsight(t *testing.T) {
	t.Parallel()
	g := newGroup(t, cluster.Options{}, "a", "b")
	g.says(0, "met", "cluster", "wait", "--for", "nodes=2,leader,placed", "--timeout", "30s")
	g.says(0, "", "task", "create", "x", "--service", "Stock", "--operation", "getLowStock", "--interval", "1h", "--start", "+90m")
	g.says(0, "NOT_STARTED_YET", "explain", "task", "x")
	g.says(2, "above zero", "task", "pause", "x", "--for", "-1s")
	g.says(2, "is over already", "task", "pause", "x", "--until", "2001-01-01T00:00:00Z")
	g.says(0, "paused until 20", "task", "pause", "x", "--for", "2h", "--reason", "vendor")
	g.says(0, "vendor; until 20", "task", "show", "x")
	g.says(0, "; vendor; until 20", "explain", "task", "x")
	g.says(0, "paused", "task", "list", "--jq", ".[].state")
	g.says(0, "", "task", "pause", "x", "--reason", "db patch")
	g.says(0, "PAUSED_BY_USER", "explain", "task", "x")
	g.says(1, "belfry task resume x", "explain", "task", "x", "--exit-code")
	g.says(3, "no task y", "explain", "task", "y")
	if out := g.says(0, "", "timeline", "--ascii", "--past", "1h", "--future", "5h", "--cells", "6"); !strings.HasPrefix(out, "x\tpaused\t..====") {
		t.Errorf("timeline %q", out)
	}
	g.says(0, `"paused": true`, "timeline", "x", "-o", "json")
	g.says(2, "400 parts", "timeline", "--cells", "0")

	g.says(0, "VERDICT", "simulate", "node-loss", "b")
	g.says(0, "NODE     a  1 tasks", "simulate", "node-loss", "b")
	g.says(3, "there is no node c", "simulate", "node-loss", "c")
	g.says(0, "VERDICT", "placement", "plan")

	g.says(0, "NODES_HEALTHY", "doctor")
	g.says(0, "BELFRY OK - cluster: 2 nodes", "check", "cluster", "--nodes", "2")
	g.says(2, "BELFRY CRITICAL - cluster: 2 of 3 nodes | nodes=2 tasks=1", "check", "cluster", "--nodes", "3")
	g.says(1, "BELFRY WARNING - task/x: paused PAUSED_BY_USER: db patch", "check", "task", "x")
	g.says(2, "the last run did not end OK", "check", "task", "x", "--crit", "1h")
	g.says(5, "is paused", "task", "backfill", "x", "--from", "-1h")
	g.says(0, "", "task", "resume", "x")
	g.says(2, "required flag", "task", "backfill", "x")
	g.says(2, "--from", "task", "backfill", "x", "--from", "yesterday")
	g.says(0, "0 runs would be asked for", "task", "backfill", "x", "--from", "-1h", "--dry-run")
	g.says(0, "", "task", "create", "hourly", "--service", "Stock", "--operation", "getLowStock", "--cron", "0 0 * * * ?")
	g.says(0, "2 runs would be asked for; 2 of them older than the runs that are kept", "task", "backfill", "hourly", "--from", "-2h", "--dry-run")
	g.says(0, `"instants": [`, "task", "backfill", "hourly", "--from", "-2h", "-o", "json")
	g.says(0, "0 runs asked for; 2 were asked for before", "task", "backfill", "hourly", "--from", "-2h")
	g.says(0, "BACKFILL_REQUESTED", "audit", "--object", "task/hourly")
	g.says(0, "", "task", "delete", "hourly", "--yes")
	g.says(0, "", "task", "run", "x", "--wait")
	g.says(0, "last_success_age=", "check", "task", "x", "--crit", "1h")
	g.says(3, "BELFRY UNKNOWN - task/y: there is no task y", "check", "task", "y")
	g.says(3, "BELFRY UNKNOWN", "check", "cluster", "--connect", "unix:///no/such/socket")
	g.says(0, "# TYPE belfry_check_status gauge\nbelfry_check_status{object=\"node/a\"} 0\n", "check", "node", "a", "--format", "prometheus")
	g.says(2, "use nagios", "check", "node", "a", "--format", "xml")
	out := g.says(0, "", "check", "cluster", "--format", "json")
	var v struct {
		Status string
		Values []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Status != "OK" || len(v.Values) != 6 {
		t.Errorf("%v: %s", err, out)
	}
	g.says(0, "node/b is drained", "node", "drain", "b", "--reason", "kernel")
	g.says(1, "NODE_NOT_HEALTHY", "doctor", "--strict")
	g.says(1, "WARNING - node/b: drained: kernel", "check", "node", "b")
	g.says(0, "NODE_DRAINED", "audit", "--object", "node/b")
}
