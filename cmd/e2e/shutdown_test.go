//go:build e2e

package e2e

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// slow is a service whose operation counts for minutes, and one that does not.
const slow = `<data name="Slow">
   <config id="default"><property name="url">jdbc:sqlite:slow.db</property></config>
   <query id="countQuery" useConfig="default">
      <sql>with recursive c(x) as (select 1 union all select x+1 from c where x &lt; 100000000000) select count(*) as n from c</sql>
      <properties><property name="queryTimeout">600</property></properties>
      <result element="counts" rowName="count"><element name="n" column="n" xsdType="integer"/></result>
   </query>
   <operation name="count"><call-query href="countQuery"/></operation>
</data>`

// busyHost is a host with a run that goes on for minutes, and how long it may when
// the host is told to stop.
func busyHost(t *testing.T, softStop string) *host {
	t.Helper()
	h := newHost(t, map[string]string{"Slow.dbs": slow})
	h.env = []string{"BELFRY_SHUTDOWN_SOFT_STOP=" + softStop, "BELFRY_SHUTDOWN_HARD_STOP=10m"}
	h.start()
	h.must("task", "create", "long", "--service", "Slow", "--operation", "count", "--interval", "1h", "--timeout", "10m")
	eventually(t, patience, "the run is going", func() bool { return show[taskView](h, "task", "show", "long").State == "running" })
	return h
}

// A stop waits for runs as long as it may, then interrupts them; the firing is
// not lost, and is attempted again by the next process.
func TestStopInterruptsAndTheNextGoesOn(t *testing.T) {
	t.Parallel()
	h := busyHost(t, "3s")
	began := time.Now()
	h.stop()
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the stop took %s", took)
	}
	h.start()
	eventually(t, patience, "the firing is attempted again", func() bool {
		runs := show[[]struct {
			Outcome string
			Attempt int
		}](h, "run", "list", "--task", "long")
		return len(runs) > 0 && runs[0].Attempt >= 2 && runs[0].Outcome == "RUNNING"
	})
	h.kill()
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	h := busyHost(t, "5m")
	for _, said := range []string{`"msg":"stopping"`, "second signal"} {
		if err := h.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		eventually(t, patience, "the host says "+said, func() bool { return strings.Contains(h.logged(), said) })
	}
	err := <-h.done
	h.cmd = nil
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ended with %v, want exit code 130", err)
	}
}

// SIGHUP, by which others reload, ends no host, and neither does a log that
// nobody reads any more.
func TestHangupAndLostLog(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"Slow.dbs": slow})
	h.start()
	if err := h.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "the host says what SIGHUP does", func() bool { return strings.Contains(h.logged(), "SIGHUP changes nothing") })
	h.stop()

	h = newHost(t, map[string]string{"Slow.dbs": slow})
	h.args = append(h.args, "--log-level", "debug")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.command()
	cmd.Dir, cmd.Stderr = h.dir, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.cmd, h.done = cmd, make(chan error, 1)
	go func() { h.done <- cmd.Wait() }() // ends with the process
	reader.Close()
	writer.Close()
	eventually(t, patience, "a task is made", func() bool {
		_, _, code := h.belfry("task", "create", "t", "--service", "Slow", "--operation", "count", "--at", "2035-01-01T00:00:00Z", "--tz", "UTC")
		return code == 0
	})
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if out := h.must("task", "list", "-o", "name"); out != "t\n" {
		t.Errorf("tasks: %q", out)
	}
	h.stop()
}

// Health is honest: alive while the process answers, ready only while it can
// work, and silent before the first deployment.
func TestHealth(t *testing.T) {
	t.Parallel()
	h := busyHost(t, "30s")
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := h.get(path, "*/*"); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, body := h.get("/metrics", "*/*")
	for _, metric := range []string{"belfry_claims_total", "belfry_lateness_seconds_bucket", "belfry_runs_running 1", "go_goroutines"} {
		if status != http.StatusOK || !strings.Contains(body, metric) {
			t.Errorf("/metrics: %d, without %s", status, metric)
		}
	}
	h.kill()
}
