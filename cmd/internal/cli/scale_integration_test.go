//go:build integration

package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
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

// companionVariable makes of this test program the companion.
const companionVariable = "BELFRY_TEST_COMPANION"

func TestMain(m *testing.M) {
	if os.Getenv(companionVariable) != "" {
		os.Exit(Main("test", os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// With thousands of tasks in ZooKeeper the companion still answers at once, each
// command in a process of its own. Judged are the requests that it makes, some for each
// bucket (the doctor alone reads each task by itself), its memory, and roughly the time
// of the processor; the time by the clock is told.
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
		{"export", 4 * time.Second, each, "task-000007"},
		{"doctor", 2 * time.Second, tasks + 2*each, ""},
	} {
		u := use(t, server, address, c.line)
		for range 30 { // a completion gives up soon where the machine has no time for it
			if strings.Contains(u.out, c.want) {
				break
			}
			u = use(t, server, address, c.line)
		}
		if !strings.Contains(u.out, c.want) {
			t.Errorf("belfry %s:\n%.2000s%.2000s", c.line, u.out, u.errs)
		}
		t.Logf("%-34s %8s by the clock, %8s of the processor, %3d MiB, %6d requests, %d kB", c.line, u.took.Round(time.Millisecond), u.used.Round(time.Millisecond), u.memory>>20, u.requests, u.size/1000)
		if u.requests > c.requests {
			t.Errorf("belfry %s made %d requests; it may make %d", c.line, u.requests, c.requests)
		}
		if judged && u.used > busy*c.most {
			t.Errorf("belfry %s used the processor for %s; it may for %s", c.line, u.used, c.most)
		}
		if u.memory > mostMemory {
			t.Errorf("belfry %s took %d MiB; it may take %d", c.line, u.memory>>20, mostMemory>>20)
		}
	}
}

// mostMemory is what a command may take, in bytes, with 100,000 tasks and fewer.
const mostMemory = 128 << 20

// usage is what a command came to.
type usage struct {
	out, errs  string // their heads
	size       int
	took, used time.Duration
	memory     int64 // resident, at its highest
	requests   int
}

// head keeps the beginning of what is written.
type head struct {
	text strings.Builder
	size int
}

func (h *head) Write(p []byte) (int, error) {
	const kept = 64 << 10
	h.size += len(p)
	h.text.Write(p[:min(len(p), max(0, kept-h.text.Len()))])
	return len(p), nil
}

// use runs a command in a process of its own.
func use(t *testing.T, server *zktest.Server, address, line string) usage {
	t.Helper()
	requests, began := packets(t, server), time.Now()
	debug.FreeOSMemory() // what this process holds counts as the other's until that is a program of its own
	var out, errs head
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, strings.Fields(line)...) //nolint:gosec // the test program itself
	cmd.Env = append(os.Environ(), companionVariable+"=1", "BELFRY_CONNECT="+address)
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // what it wrote is judged
	u := usage{out: out.text.String(), errs: errs.text.String(), size: out.size, took: time.Since(began), requests: packets(t, server) - requests}
	u.used = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = r.Maxrss << 10
	}
	return u
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

// crowd fills a cluster with tasks: one that was made as ever, and copies of its
// record under other names, many in a commit.
func crowd(t *testing.T, address string, tasks int) {
	t.Helper()
	member, err := zk.Join(t.Context(), zk.Options{Servers: []string{address}, SessionTimeout: time.Minute, Node: "n1"})
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
