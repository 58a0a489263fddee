package sourcetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTime bounds how long a server may take to answer.
const startTime = 5 * time.Minute

// Server is a running database server.
type Server struct {
	// URL is its address for Belfry, with an empty database and all rights.
	URL string
	// Driver and DSN are for database/sql.
	Driver, DSN string

	cmd     *exec.Cmd
	done    chan struct{} // closed when the process has ended
	command func() *exec.Cmd
	probe   func() error
}

// Kill ends the server as a crash would (SIGKILL) and waits until it is gone.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	<-s.done
}

// Restart starts the server again on its data.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.start(tb)
}

// start runs the server in a process group of its own and waits until it answers.
func (s *Server) start(tb testing.TB) {
	tb.Helper()
	var log bytes.Buffer
	s.cmd, s.done = s.command(), make(chan struct{})
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	cmd, done := s.cmd, s.done
	go func() { // ends with the process
		_ = cmd.Wait()
		close(done)
	}()
	tb.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		<-done
	})
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.probe()
		if err == nil {
			return
		}
		select {
		case <-done:
			tb.Fatalf("%s ended: %s", cmd.Path, log.String())
		case <-ctx.Done():
			tb.Fatalf("%s does not answer within %s: %v", cmd.Path, startTime, err)
		case <-tick.C:
		}
	}
}

// account is a user that is not root, for servers that refuse to run as root; nil
// if this process may run them itself.
func account(tb testing.TB) *syscall.Credential {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "mysql", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	missing(tb, "a user other than root to run a database server as")
	return nil
}

// folder makes a short temporary folder that the account owns. The test's own
// folder is below one that only root may enter, and its name may be too long for
// a socket.
func folder(tb testing.TB, who *syscall.Credential) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "belfry") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// as makes a command of the account, in a process group of its own that dies
// with this process.
func as(who *syscall.Credential, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// find looks for a program in the PATH and in other places; the newest wins.
func find(tb testing.TB, name string, globs ...string) string {
	tb.Helper()
	for _, g := range globs {
		if all, err := filepath.Glob(g); err == nil && len(all) > 0 {
			return all[len(all)-1]
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	missing(tb, "the program "+name)
	return ""
}

// missing skips the test, or fails it where nothing may be missing.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if required() {
		tb.Fatalf("%s is not installed, and CI or BELFRY_REQUIRE_SERVERS says that it must be", what)
	}
	tb.Skipf("SKIPPED, and what it shows is not shown: %s is not installed (Debian: postgresql, mariadb-server)", what)
}

func required() bool {
	return strings.EqualFold(os.Getenv("CI"), "true") || os.Getenv("BELFRY_REQUIRE_SERVERS") != ""
}

// Ports are looked for below those that systems give to whoever does not care which
// (Linux: from 32768), so that nobody is given one while its server is down.
const (
	lowestPort = 30_000
	morePorts  = 2_700
	searches   = 1000 // bounds how many are tried
)

// freePort gives a port that nobody listens on.
func freePort(tb testing.TB) int {
	tb.Helper()
	var err error
	for range searches {
		var l net.Listener
		port := lowestPort + rand.IntN(morePorts)
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatalf("a free port: %v", err)
	return 0
}

// run runs a command to its end.
func run(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v\n%s", fmt.Sprint(cmd.Args), err, out)
	}
}
