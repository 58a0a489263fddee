//go:build e2e && bench

package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// rig is a cluster under measurement: ZooKeeper servers that sync to disk, and
// hosts that have a task which does nothing.
type rig struct {
	zk     zktest.Ensemble
	hs     hosts
	client *zk.Client
	store  *store.Store
}

// newRig starts three servers, with so much heap, and three hosts with so many
// workers each and these files in their folders.
func newRig(t *testing.T, heap string, workers int, files map[string]string) *rig {
	t.Helper()
	r := &rig{}
	r.zk = zktest.StartEnsemble(
		t, 3, zktest.Config("tickTime=1000"), zktest.Config("syncLimit=4"), zktest.Config("initLimit=30"),
		zktest.Config("minSessionTimeout=4000"), zktest.Config("snapSizeLimitInKb=262144"),
		zktest.Flag("-Xmx"+heap), zktest.Flag("-XX:TieredStopAtLevel=4"),
	)
	program := filepath.Join(t.TempDir(), "idle")
	build := exec.Command("go", "build", "-o", program, "./cmd/e2e/idle")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	file := coordination(t, r.zk)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// The default, not the short one of the tests.
	if err := os.WriteFile(file, []byte(replaced(t, string(text), map[string]string{session.String(): "10s"})), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		h := newHost(t, nil, "--node", fmt.Sprintf("n%d", i+1), "--coordination", file, "--config", "belfryd.yaml", "-Dtask.server.count=3")
		h.program = program
		h.write("belfryd.yaml", fmt.Sprintf("scheduler: {workers: %d, misfire_threshold: 1h}\n", workers))
		for name, text := range files {
			h.write(name, text)
		}
		r.hs = append(r.hs, h)
	}
	// All at once: each waits for the others before it is ready.
	var starting sync.WaitGroup
	for _, h := range r.hs {
		starting.Go(h.start)
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	r.dial(t)
	return r
}

func (r *rig) dial(t *testing.T) {
	t.Helper()
	client, err := zk.Dial(t.Context(), zk.Options{Servers: r.zk.Addresses(), SessionTimeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	r.client, r.store = client, store.New(client, store.Options{})
}

// create makes tasks first to last-1 that do nothing, as an administrator's
// program would, and gives how long that took.
func (r *rig) create(t *testing.T, first, last int, when func(i int) task.TriggerInfo) time.Duration {
	t.Helper()
	begun := time.Now()
	infos := make([]task.Info, last-first)
	for i := range infos {
		infos[i] = task.Info{
			Key:      task.Key{Tenant: task.DefaultTenant, Type: task.DefaultType, Name: "task-" + strconv.Itoa(first+i)},
			Delivery: task.AtLeastOnce, Trigger: when(first + i), Do: &task.Action{Code: &task.CodeCall{Name: "idle"}},
		}
	}
	r.store.CreateAll(t.Context(), infos, func(_ int, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return time.Since(begun)
}

// far is a trigger that does not fire while anything is measured.
func far(int) task.TriggerInfo { return task.TriggerInfo{Cron: "0 0 0 1 1 ?", TZ: "Europe/London"} }

// meters is what a host's /metrics shows, by the text before the value.
type meters map[string]float64

func (h *host) meters() meters {
	status, text := h.get("/metrics", "text/plain")
	if status != 200 {
		h.t.Fatalf("metrics: %d", status)
	}
	m := meters{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(name, "#") {
			m[name] = v
		}
	}
	return m
}

// sum adds the meters of all hosts.
func (hs hosts) sum() meters {
	all := meters{}
	for _, h := range hs {
		for name, v := range h.meters() {
			all[name] += v
		}
	}
	return all
}

// minus is what was counted since.
func (m meters) minus(before meters) meters {
	d := meters{}
	for name, v := range m {
		d[name] = v - before[name]
	}
	return d
}

const firstClaims = `belfry_claims_total{kind="first"}`

// lateness gives the bound of the class in which a percentile falls, in seconds.
func (m meters) lateness(p float64) float64 {
	const prefix = `belfry_lateness_seconds_bucket{le="`
	bounds := map[float64]float64{}
	for name, v := range m {
		if bound, ok := strings.CutPrefix(name, prefix); ok {
			if at, err := strconv.ParseFloat(strings.TrimSuffix(bound, `"}`), 64); err == nil {
				bounds[at] = v
			}
		}
	}
	all := make([]float64, 0, len(bounds))
	for at := range bounds {
		all = append(all, at)
	}
	slices.Sort(all)
	for _, at := range all {
		if bounds[at] >= p*m["belfry_lateness_seconds_count"] {
			return at
		}
	}
	return -1
}

// processor is the time that processes have had of the processors, in seconds. It
// says what a thing costs even where the machine does other work besides.
func processor(t *testing.T, pids ...int) float64 {
	t.Helper()
	const ticks = 100 // a second; Linux tells user space no other number
	sum := 0.0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), ") ") // behind the name
		fields := strings.Fields(rest)
		for _, field := range fields[11:13] { // utime and stime
			n, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n / ticks
		}
	}
	return sum
}

// servers are the processes of ZooKeeper.
func (r *rig) servers() []int {
	var pids []int
	for _, s := range r.zk {
		pids = append(pids, s.PID())
	}
	return pids
}

// machine tells what was measured on, and how busy it was.
func machine(t *testing.T) {
	t.Helper()
	load, _ := os.ReadFile("/proc/loadavg")
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, model, _ := strings.Cut(string(info), "model name")
	model, _, _ = strings.Cut(model, "\n")
	t.Logf("%d processors (%s), load %s", strings.Count(string(info), "processor\t"), strings.Trim(model, "\t: "), strings.TrimSpace(string(load)))
}
