//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// From `make run` to an operation that is scheduled and fires, with no other keys
// than the screens themselves name.
func TestScreensFirstMinute(t *testing.T) {
	t.Parallel()
	h := &host{t: t, dir: checkout(t)}
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			t.Logf("log of the host:\n%s", h.logged())
		}
	})
	cmd := exec.Command("make", "run")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = append(os.Environ(), "BELFRY_LISTEN=127.0.0.1:0", "BELFRY_LOG_FORMAT=json")
	h.launch(cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) // it may have ended

	term := openTerminal(t, h.dir, "80", "24", "bin/belfry tui")
	term.shows("● live", "watch-stock")
	term.press("new")
	term.shows("Services", "Stock")
	term.press("goes to its operations")
	term.shows("enter schedules getProducts")
	term.press("schedule")
	term.shows("New task", "firings a year")
	term.press("save")
	term.shows("Create task getProducts?", "belfry task create getProducts --service Stock")
	term.press("yes")
	term.shows("Tasks › getProducts", "✓ ok")
	term.press("run now")
	term.shows("asked to run")
	term.ran(2)
	term.press("help")
	term.shows("one page down")
	term.press("close")
	term.shows("Tasks › getProducts")
	term.press("help")
	term.press("quits")
	term.ends("0")

	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-h.done
	h.cmd = nil
}

// Over a real cluster: schedule from the screens, see it fire, pause it, resume
// it, kill the host that has it, and see it fire elsewhere; and when ZooKeeper is
// away, the screens say so, and come back.
func TestScreensCluster(t *testing.T) {
	t.Parallel()
	zk := startZooKeeper(t, 1)
	var hs hosts
	file := coordination(t, zk)
	for _, name := range []string{"n1", "n2", "n3"} {
		hs = append(hs, newHost(t, map[string]string{"Clock.dbs": clock}, "--node", name, "--coordination", file, "-Dtask.server.count=3"))
	}
	hs.start()
	term := openTerminal(t, hs[0].dir, "100", "30", "belfry tui --connect zk://"+zk[0].Address)
	term.shows("● live", "3/3 hosts", "No tasks yet")

	term.press("to choose an operation")
	term.press("goes to its operations")
	term.press("schedule")
	term.shows("New task")
	for range 4 {
		term.press("next")
	}
	term.shows("▸ Every")
	term.keys("backspace", "backspace")
	term.write("2s")
	term.shows("every 2s; 15 768 000 firings a year")
	term.press("save")
	term.press("yes")
	term.shows("Tasks › now", "waiting on n", "✓ ok")
	term.ran(3)

	term.press("pause")
	term.write("a drill")
	term.press("do it")
	term.shows("‖ paused", "PAUSED_BY_USER: a drill")
	term.press("resume")
	term.shows("● waiting")

	var owner string
	eventually(t, patience, "the screen names the owner", func() bool {
		owner = term.find(`(?:waiting|running) on (n[123])`)
		return owner != ""
	})
	for _, h := range hs {
		if h.args[1] == owner {
			h.kill()
		}
	}
	var next string
	eventually(t, patience, "another host has the task", func() bool {
		next = term.find(`(?:waiting|running) on (n[123])`)
		return next != "" && next != owner
	})
	term.shows("ok", next)
	eventually(t, patience, "it fires there", func() bool { return term.find(`✓ ok +\S+ \S+ .* (`+next+`)\s`) != "" })
	term.press("cluster")
	term.shows("✓ healthy", "2/", "leader")
	term.press("simulate loss")
	term.answers("would move; noticed within", "tasks that would move")
	term.press("doctor")
	term.answers("NODES_HEALTHY")

	zk[0].Kill(t)
	term.shows("Nothing can be changed", "This is how it was")
	zk[0].Restart(t)
	term.shows("● live")
	term.keys("Q")
	term.ends("0")
}

// clock is a service that tells the time.
const clock = `<data name="Clock">
   <config id="default"><property name="url">jdbc:sqlite:clock.db</property></config>
   <query id="nowQuery" useConfig="default">
      <sql>select current_timestamp as at</sql>
      <result element="times" rowName="time"><element name="at" column="at" xsdType="string"/></result>
   </query>
   <operation name="now"><call-query href="nowQuery"/></operation>
</data>`
