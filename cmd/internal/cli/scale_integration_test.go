//go:build integration

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// scaleVariable sets how many tasks TestIntegrationScale has, to measure.
const scaleVariable = "BELFRY_SCALE_TASKS"

// busy is how many times longer than on an idle machine of two cores something
// may take, since others may be at work on it.
const busy = 5

// With thousands of tasks in ZooKeeper the companion still answers at once. Judged
// are the requests that it makes, some for each bucket (the doctor alone reads each
// task by itself), and roughly the time of the processor; the time by the clock is told.
func TestIntegrationScale(t *testing.T) {
	tasks, judged := 10_000, true
	if text := os.Getenv(scaleVariable); text != "" {
		var err error
		if tasks, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
		judged = tasks <= 10_000
	}
	server := zktest.StartServer(t)
	address := "zk://" + server.Address
	began := time.Now()
	crowd(t, server.Address, tasks)
	t.Logf("%d tasks made in %s", tasks, time.Since(began).Round(time.Millisecond))

	g := &group{T: t, socket: "/no/such/socket", config: t.TempDir()}
	const few, each = 4 * store.DefaultBuckets, 10 * store.DefaultBuckets
	for _, c := range []struct {
		line     string
		most     time.Duration
		requests int
		want     string
	}{
		{"status", 500 * time.Millisecond, each, fmt.Sprint(tasks)},
		{"task list -o name", 500 * time.Millisecond, each, "task-000007"},
		{"task list", 500 * time.Millisecond, each, "task-000007"},
		{"task list -o json", time.Second, each, "task-000007"},
		{"__complete task show task-00000", 300 * time.Millisecond, few, "task-000007"},
		{"task show task-000007", 300 * time.Millisecond, few, "every:1h0m0s"},
		{"explain task task-000007", 300 * time.Millisecond, few, "NO_OWNER"},
		{"run list", 500 * time.Millisecond, each, ""},
		{"doctor", 2 * time.Second, tasks + 2*each, ""},
	} {
		args := append([]string{"--connect", address}, strings.Fields(c.line)...)
		if rest, ok := strings.CutPrefix(c.line, "__complete "); ok {
			args = append([]string{"__complete", "--connect", address}, strings.Fields(rest)...)
		}
		runtime.GC()
		requests := packets(t, server)
		wall, before := time.Now(), processor(t)
		out, errs, code := g.belfry(args...)
		for range 30 { // a completion gives up soon where the machine has no time for it
			if strings.Contains(out, c.want) {
				break
			}
			requests = packets(t, server)
			wall, before = time.Now(), processor(t)
			out, errs, code = g.belfry(args...)
		}
		took, used := time.Since(wall), processor(t)-before
		if !strings.Contains(out, c.want) {
			t.Errorf("belfry %s: exit %d\n%.2000s%.2000s", c.line, code, out, errs)
		}
		requests = packets(t, server) - requests
		t.Logf("%-34s %8s by the clock, %8s of the processor, %6d requests, %d kB", c.line, took.Round(time.Millisecond), used.Round(time.Millisecond), requests, len(out)/1000)
		if requests > c.requests {
			t.Errorf("belfry %s made %d requests; it may make %d", c.line, requests, c.requests)
		}
		if judged && used > busy*c.most {
			t.Errorf("belfry %s used the processor for %s; it may for %s", c.line, used, c.most)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d MiB from the system in all", m.Sys>>20)
	if judged && m.Sys > 512<<20 {
		t.Errorf("%d MiB", m.Sys>>20)
	}
}

// packets is how many requests the server has had.
func packets(t *testing.T, server *zktest.Server) int {
	t.Helper()
	var err error
	for range 20 { // it answers late where the machine has no time for it
		var text string
		if text, err = server.Ask("mntr"); err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			if count, ok := strings.CutPrefix(line, "zk_packets_received\t"); ok {
				n, err := strconv.Atoi(strings.TrimSpace(count))
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatalf("the server does not tell its requests: %v", err)
	return 0
}

// processor is the time that this process has used its processors for.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowd fills a cluster with tasks: one that was made as ever, and copies of its
// record under other names, many in a commit.
func crowd(t *testing.T, address string, tasks int) {
	t.Helper()
	member, err := zk.Join(t.Context(), zk.Options{Servers: []string{address}, SessionTimeout: 10 * time.Second, Node: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(member, store.Options{})
	owner := s.Owner(member.ID(), member)
	cluster, err := owner.Init(t.Context(), store.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	service := contract.ServiceView{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
		{Service: "Stock", Name: "getLowStock", Schedulable: true},
	}}
	if err := control.Publish(t.Context(), owner, []contract.ServiceView{service}); err != nil {
		t.Fatal(err)
	}
	first, err := s.Create(t.Context(), task.Info{
		Key: task.Key{Name: "task-000000"}, Service: "Stock", Operation: "getLowStock", Delivery: task.AtLeastOnce,
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Hour), Count: -1},
	})
	if err != nil {
		t.Fatal(err)
	}
	keyOf := func(name string) string {
		key := task.Key{Name: name}.Normal()
		return fmt.Sprintf("/tasks/%d/%s~%s~%s", store.Home(key, cluster.Buckets), key.Tenant, key.Type, key.Name)
	}
	record, _, err := member.Get(t.Context(), keyOf(first.Name))
	if err != nil {
		t.Fatal(err)
	}
	const together = 500
	var ops []coordclient.Op
	for i := 1; i < tasks; i++ {
		name := fmt.Sprintf("task-%06d", i)
		key := keyOf(name)
		value := bytes.ReplaceAll(record.Value, []byte(first.Name), []byte(name))
		uid := fmt.Sprintf("%d-%032d", store.Home(task.Key{Name: name}.Normal(), cluster.Buckets), i)
		value = bytes.ReplaceAll(value, []byte(first.UID), []byte(uid))
		ops = append(ops, coordclient.Create(key, value))
		if len(ops) == together || i == tasks-1 {
			if err := member.Commit(t.Context(), ops...); err != nil {
				t.Fatal(err)
			}
			ops = ops[:0]
		}
	}
	survey(t, owner, cluster.Buckets)
	if err := member.Close(); err != nil {
		t.Fatal(err)
	}
}

// survey keeps the rolls of all buckets, as a leader does some time after edits.
func survey(t *testing.T, owner *store.Owner, buckets int) {
	t.Helper()
	lead, err := owner.TakeLead(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for b := range buckets {
		holder, _, err := owner.Holder(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		roll, err := owner.Roll(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		load, err := json.Marshal(map[string]any{"load": map[string]int{"tasks": len(roll.Definitions)}})
		if err != nil {
			t.Fatal(err)
		}
		if err := owner.PutSurvey(t.Context(), lead, b, store.Survey{Edit: holder.Edit, Data: load}, roll); err != nil {
			t.Fatal(err)
		}
	}
}
