//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// make cluster, without the make: three ZooKeeper servers and three hosts come up
// and say what to try; a killed host's tasks move; Ctrl-C leaves nothing behind.
func TestClusterScript(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	if err := os.Symlink(bin, filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(".ci/cluster", "3")
	cmd.Dir = dir
	// Ports that nobody else's search begins with.
	cmd.Env = append(os.Environ(), fmt.Sprintf("BELFRY_CLUSTER_PORT=%d", 20_000+rand.IntN(10_000)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said := &safeBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the script
	started := func() (pids []int) {
		text, _ := os.ReadFile(filepath.Join(dir, "var/cluster/pids")) // it may not be there yet, or any more
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return pids
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it would start a host again
		for _, pid := range started() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		if t.Failed() {
			t.Logf("the script said:\n%s", said)
		}
	})
	eventually(t, patience, "the cluster is up", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("the script has ended: %v", err)
		default:
		}
		return strings.Contains(said.String(), "Ctrl-C stops")
	})
	if pids := started(); len(pids) != 6 {
		t.Fatalf("%d processes, want 6", len(pids))
	}

	h := &host{t: t, dir: filepath.Join(dir, "var/cluster/n2")}
	at := func() map[string]string {
		v := map[string]string{}
		for _, task := range show[[]struct{ Name, Node string }](h, "task", "list", "--connect", "unix://"+filepath.Join(h.dir, "belfryd.sock")) {
			v[task.Name] = task.Node
		}
		return v
	}
	on := map[string]bool{}
	eventually(t, patience, "each host fires something", func() bool {
		for _, node := range at() {
			on[node] = true
		}
		return on["n1"] && on["n2"] && on["n3"]
	})
	// A script that stands still does not start n1 again before its tasks have moved.
	if err := syscall.Kill(cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var n1 int
	_, line, _ := strings.Cut(said.String(), "host n1")
	if _, err := fmt.Sscanf(line, " pid %d", &n1); err != nil {
		t.Fatalf("no id of n1: %v", err)
	}
	if err := syscall.Kill(n1, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "n1's tasks have moved", func() bool {
		for _, node := range at() {
			if node == "n1" {
				return false
			}
		}
		return true
	})

	if err := syscall.Kill(cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}

	pids := started()
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the script ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the script does not end")
	}
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is left", pid)
		}
	}
}

// belfryd coordination-server runs ZooKeeper, ends with SIGTERM, refuses the data
// of another member, and says what is missing.
func TestCoordinationServer(t *testing.T) {
	t.Parallel()
	startZooKeeper(t, 1) // skips where there is none
	data := t.TempDir()
	address := fmt.Sprintf("127.0.0.1:%d", zktest.FreePort(t))
	server := func(args ...string) *exec.Cmd {
		return exec.Command(filepath.Join(bin, "belfryd"), append([]string{"coordination-server", "--listen", address, "--data", data, "--heap", "64m"}, args...)...)
	}
	cmd := server()
	said := &safeBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the server
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if t.Failed() {
			t.Logf("the server said:\n%s", said)
		}
	})
	eventually(t, patience, "it serves", func() bool { return strings.Contains(word(address, "srvr"), "Mode: standalone") })
	eventually(t, patience, "conf is refused", func() bool {
		return strings.Contains(word(address, "conf"), "not executed because it is not in the whitelist")
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("SIGTERM does not end it")
	}
	if got := cmd.ProcessState.ExitCode(); got != 143 {
		t.Errorf("exit code %d, want Java's 143", got)
	}

	for want, args := range map[string][]string{
		"the data is that of server 0, not of 2": {
			"--id", "2", "--server", "127.0.0.1:2888:3888", "--server", "127.0.0.1:2889:3889", "--server", "127.0.0.1:2890:3890",
		},
		"apt-get install": {"--java", "/no/such/java"},
		"port \"0\"":      {"--listen", "127.0.0.1:0"},
	} {
		out, err := server(args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %v, want %q:\n%s", args, err, want, out)
		}
	}
}

// word sends a four-letter command, and gives what is answered or what went wrong.
func word(address, text string) string {
	const most = 10 * time.Second
	conn, err := net.DialTimeout("tcp", address, most)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(most))
	if _, err := io.WriteString(conn, text); err != nil {
		return err.Error()
	}
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// safeBuffer is a buffer that one may write while another reads.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write adds to the buffer.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String gives all that was written.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
