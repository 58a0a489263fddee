package standing

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

var update = flag.Bool("update", false, "write the golden files")

// The JSON of the views is a contract: names stay, lists are arrays, times are
// RFC 3339 in UTC. A difference here breaks somebody's script.
func TestTheContract(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_800_000_000_123).UTC()
	last := run(task.Run{
		FireID: "3-abc:1800000000123", Scheduled: at, Started: at, Ended: at.Add(time.Second), Outcome: task.Failed,
		Attempt: 2, Node: "n1", Error: "boom",
	}, task.Key{Tenant: "default", Type: "T", Name: "x"})
	full := define(&task.Info{
		Key: task.Key{Tenant: "default", Type: "T", Name: "x"}, UID: "3-abc", Revision: 7, Service: "Stock", Operation: "getLowStock",
		Trigger: task.TriggerInfo{Cron: "0 0/5 * * * ?", TZ: "Europe/Berlin", Start: at, End: at.Add(time.Hour)},
		Misfire: task.MisfireSkip, Overlap: task.OverlapQueue, Delivery: task.EffectivelyOnce, Retry: task.Retry{Max: 3},
		Timeout: task.Duration(90 * time.Second), Description: "d",
		Alerts: []task.Alert{{On: task.AlertLate, After: task.Duration(time.Minute), To: []string{"mailto:a@example.org"}}},
	})
	full.State, full.Reason, full.Node, full.Next, full.Last = contract.Failed, "RUN_FAILED: boom", "n1", &at, &last
	full.Fired, full.Failures, full.Skipped = 10, 2, 1
	service := contract.ServiceView{
		Name: "Stock", File: "stock.dbs", Status: contract.StatusActive, Node: "n1", Deployed: &at, Description: "d",
		Operations:  []contract.OperationView{{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce, Reads: true}},
		Resources:   []contract.ResourceView{{Method: "GET", Path: "product/{code}"}},
		Triggers:    []string{"low"},
		Unsupported: []string{"boxcarring"},
	}
	status := contract.NewStatus()
	status.Cluster, status.Services, status.Outbox, status.Dead = "standalone", 1, 2, 1
	status.Nodes = []contract.NodeView{{Name: "n1", Member: "n1.00ff", Joined: &at, Version: "1", Address: "127.0.0.1:8280", State: "healthy", Running: 1}}
	drained := contract.NodeView{
		Name: "n2", Member: "n2.00ff", Joined: &at, Version: "1", Address: "127.0.0.1:8281", State: contract.NodeDraining, Reason: "patch by alice",
		Leader: true, Placed: 1, Owned: 2, Tasks: 3, SkewMS: -4, Drain: &contract.DrainView{Reason: "patch", By: "alice", At: &at},
	}
	leader := contract.LeaderView{Node: "n2", Member: "n2.00ff", Term: 7, Present: true}
	barrier := contract.BarrierView{Servers: 3, Present: 2, WithinMS: 60000, Since: &at, Lifted: true, LiftedBy: "alice"}
	placed := contract.PlacedView{Buckets: 4, Settled: 2, Moving: 1, Unplaced: 1}
	waiting := define(&task.Info{})
	waiting.State = contract.Waiting
	status.Add(full)
	status.Add(waiting)
	for name, v := range map[string]any{
		"task":          full,
		"task_empty":    define(&task.Info{}),
		"run":           last,
		"run_empty":     contract.RunView{},
		"service":       service.Whole(),
		"service_empty": contract.ServiceView{}.Whole(),
		"status":        status,
		"event":         contract.EventView{Time: at, Level: "warn", Code: "RUN_FAILED", Object: "x", Text: "t", Node: "n1"},
		"next":          contract.NextView{At: at, Note: "n"},
		"node":          drained,
		"node_gone":     contract.NodeView{Name: "n3", State: contract.NodeGone},
		"leader":        leader,
		"cluster":       contract.ClusterView{Cluster: "zk://a:2181/belfry", UUID: "u", Nodes: 2, Waiting: "w", Leader: leader, Barrier: barrier, PlacedView: placed},
		"placement": contract.PlacementView{
			Term: 7, PlacedView: placed,
			Members: []contract.PlacedMemberView{{Node: "n2", Member: "n2.00ff", Present: true, Placed: 3, Owned: 2, Tasks: 5, PerMinute: 1.5}},
			Without: []contract.UnplacedView{{Reason: "r", Buckets: []int{3}, Tasks: 1}},
		},
		"bucket": contract.BucketView{Bucket: 3, Node: "n2", Owner: "n1", Reason: "", Tasks: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name+".json", v)
		})
	}
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the JSON has changed; got\n%s\nwant\n%s\nIf it is meant, run with -update and say so in the changelog.", got, want)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for want, info := range map[string]task.TriggerInfo{
		"cron:0 0 * * * ?":        {Cron: "0 0 * * * ?"},
		"every:1m0s":              {Interval: task.Duration(time.Minute), Count: -1},
		"every:10s*10":            {Interval: task.Duration(10 * time.Second), Count: 9},
		"at:2027-01-01T00:00:00Z": {At: time.Date(2027, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600))},
		"once":                    {},
	} {
		if got := Line(info); got != want {
			t.Errorf("%+v: %q, want %q", info, got, want)
		}
	}
}
