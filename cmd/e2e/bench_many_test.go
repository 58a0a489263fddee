//go:build e2e && bench

package e2e

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// onOne gives every task to one host, until it goes.
const onOne = `<tasks-configuration><defaultLocationResolver>
<locationResolverClass>org.wso2.carbon.ntask.core.impl.ActivePassiveResolver</locationResolverClass>
</defaultLocationResolver></tasks-configuration>`

// A host that owns 100,000 tasks is killed: when are they armed on others?
func TestBenchClusterTakeOver(t *testing.T) {
	tasks := count(t, "BELFRY_BENCH_TASKS", 100_000)
	for _, c := range []struct {
		name  string
		files map[string]string
	}{{"all on one host", map[string]string{"conf/tasks-config.xml": onOne}}, {"a third of them", nil}} {
		t.Run(c.name, func(t *testing.T) {
			machine(t)
			r := newRig(t, "1g", 256, c.files)
			t.Logf("%d tasks created in %s", tasks, r.create(t, 0, tasks, far).Round(time.Second))
			during(t, 20*time.Second+time.Duration(tasks)*time.Millisecond) // the leader measures what was edited, 1,000 a second
			for range 3 {
				r.takeOver(t)
			}
			machine(t)
			r.hs.stop()
		})
	}
}

// takeOver kills the host that owns most, and starts it again.
func (r *rig) takeOver(t *testing.T) {
	t.Helper()
	victim, most := r.hs[0], -1.0
	var others hosts
	for _, h := range r.hs {
		if n := h.meters()["belfry_buckets_owned"]; n > most {
			victim, most = h, n
		}
	}
	for _, h := range r.hs {
		if h != victim {
			others = append(others, h)
		}
	}
	there, gone, err := r.client.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	victim.kill()
	for members := there; len(members) == len(there); {
		<-gone
		if members, gone, err = r.client.Members(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expired, before, spent := time.Now(), others.sum(), processor(t, r.servers()...)
	for others.sum()["belfry_buckets_owned"] < 256 {
		<-time.After(20 * time.Millisecond)
		if time.Since(expired) > 5*time.Minute {
			t.Fatal("not taken over")
		}
	}
	took := time.Since(expired)
	hosts := others.sum().minus(before)["process_cpu_seconds_total"]
	t.Logf("%.0f of 256 buckets: expired after %s, armed %s later; processor time meanwhile: %.1f s in hosts, %.1f s in servers",
		most, expired.Sub(killed).Round(time.Millisecond), took.Round(time.Millisecond), hosts, processor(t, r.servers()...)-spent)
	victim.start()
	during(t, 20*time.Second)
}

// A million tasks are registered while three hosts own their buckets.
func TestBenchClusterMillion(t *testing.T) {
	tasks := count(t, "BELFRY_BENCH_TASKS", 1_000_000)
	machine(t)
	r := newRig(t, "4g", 256, nil)
	const steps = 10
	for i := range steps {
		first, last := tasks*i/steps, tasks*(i+1)/steps
		took := r.create(t, first, last, far)
		t.Logf("%d tasks: the last %d in %s, %.0f a second", last, last-first, took.Round(time.Second), float64(last-first)/took.Seconds())
		r.memory(t)
	}
	during(t, 30*time.Second)
	r.memory(t)
	r.takeOver(t)
	r.memory(t)
	machine(t)
}

func (r *rig) memory(t *testing.T) {
	t.Helper()
	var hosts, servers []int
	for _, h := range r.hs {
		hosts = append(hosts, resident(t, h.cmd.Process.Pid))
	}
	for _, s := range r.zk {
		servers = append(servers, resident(t, s.PID()))
	}
	t.Logf("resident, MiB: hosts %v, servers %v; znodes %s", hosts, servers, r.zk[0].Metrics(t)["zk_znode_count"])
}

// count reads a number of the environment.
func count(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q: want a number", name, text)
	}
	return n
}
