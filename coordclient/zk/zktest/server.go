package zktest

import (
	"bytes"
	"fmt"
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
)

const (
	// TickTime is the servers' tick: a session expires by up to one tick late.
	TickTime = 200 * time.Millisecond
	// MinSessionTimeout is the least that the servers grant.
	MinSessionTimeout = 500 * time.Millisecond

	// startTime bounds a start on a machine that is busy with other tests.
	startTime = 5 * time.Minute
	// portTries bounds how often other ports are taken because somebody else was
	// faster.
	portTries = 5
	logShown  = 4 << 10
)

// Server is one ZooKeeper server.
type Server struct {
	// Address for clients, "127.0.0.1:port".
	Address string

	dir   string
	class string
	flags []string
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has ended
	log   *logBuffer
}

// Option changes how servers are configured.
type Option func(*config)

type config struct {
	lines []string
	flags []string
}

// Config adds a line to zoo.cfg.
func Config(line string) Option {
	return func(c *config) { c.lines = append(c.lines, line) }
}

// Flag adds a flag for the Java machine.
func Flag(flag string) Option {
	return func(c *config) { c.flags = append(c.flags, flag) }
}

// StartServer starts one server that stands alone.
func StartServer(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	return start(tb, 1, options)[0]
}

// StartEnsemble starts n servers that replicate, and returns when one leads.
func StartEnsemble(tb testing.TB, n int, options ...Option) Ensemble {
	tb.Helper()
	return start(tb, n, options)
}

func start(tb testing.TB, n int, options []Option) Ensemble {
	tb.Helper()
	java := find(tb)
	var c config
	for _, option := range options {
		option(&c)
	}
	var err error
	for range portTries {
		var servers Ensemble
		if servers, err = layOut(tb, java, n, c); err == nil {
			err = servers.startAll(tb)
		}
		if err == nil {
			return servers
		}
		tb.Logf("ZooKeeper did not start, once more: %v", err)
		for _, s := range servers {
			s.stop()
		}
	}
	tb.Fatalf("ZooKeeper did not start: %v", err)
	return nil
}

// layOut writes the configurations of n servers.
func layOut(tb testing.TB, java string, n int, c config) (Ensemble, error) {
	tb.Helper()
	dir, err := os.MkdirTemp("", "belfry-zk")
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	ports, err := freePorts(3 * n)
	if err != nil {
		return nil, err
	}
	var peers []string
	for i := range n {
		peers = append(peers, fmt.Sprintf("server.%d=127.0.0.1:%d:%d", i+1, ports[3*i+1], ports[3*i+2]))
	}
	servers := make(Ensemble, n)
	for i := range n {
		s := &Server{
			Address: "127.0.0.1:" + strconv.Itoa(ports[3*i]), dir: filepath.Join(dir, strconv.Itoa(i+1)),
			class: "org.apache.zookeeper.server.ZooKeeperServerMain",
		}
		// They do not wait for the disk: what is killed here is processes, whose writes
		// the kernel keeps; and how busy a disk is with other tests is not the matter.
		lines := append([]string{
			"forceSync=no", "tickTime=" + strconv.FormatInt(TickTime.Milliseconds(), 10), "initLimit=50", "syncLimit=10",
			"dataDir=" + filepath.Join(s.dir, "data"), "clientPortAddress=127.0.0.1", "clientPort=" + strconv.Itoa(ports[3*i]),
			"minSessionTimeout=" + strconv.FormatInt(MinSessionTimeout.Milliseconds(), 10), "maxSessionTimeout=60000",
			"maxClientCnxns=0", "admin.enableServer=false", "4lw.commands.whitelist=srvr,mntr,ruok,cons,wchs", "autopurge.purgeInterval=0",
		}, c.lines...)
		if n > 1 {
			s.class = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
			lines = append(lines, peers...)
		}
		if err := s.write(lines, i+1); err != nil {
			return nil, err
		}
		s.flags = append([]string{
			java, "-Xms16m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
			"-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.ZooKeeperServer=error",
		}, c.flags...)
		servers[i] = s
	}
	return servers, nil
}

func (s *Server) write(lines []string, id int) error {
	if err := os.MkdirAll(filepath.Join(s.dir, "data"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "data", "myid"), []byte(strconv.Itoa(id)), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, "zoo.cfg"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// jars are what a server needs, TLS included.
var jars = []string{"zookeeper", "slf4j-simple", "netty-codec", "netty-resolver"}

// find gives the Java program, or ends the test.
func find(tb testing.TB) string {
	tb.Helper()
	java, err := exec.LookPath("java")
	if err == nil {
		for _, jar := range jars {
			if _, err = os.Stat(jarPath(jar)); err != nil {
				break
			}
		}
	}
	if err == nil {
		return java
	}
	text := fmt.Sprintf("NOT TESTED on a real ZooKeeper: %v; install Debian's zookeeper (and a Java)", err)
	if os.Getenv("CI") == "true" || os.Getenv("BELFRY_REQUIRE_SERVERS") != "" {
		tb.Fatal(text)
	}
	tb.Skip(text)
	return ""
}

func jarPath(name string) string { return "/usr/share/java/" + name + ".jar" }

// run starts the process.
func (s *Server) run() error {
	var path []string
	for _, jar := range jars {
		path = append(path, jarPath(jar))
	}
	args := append(append([]string{}, s.flags[1:]...), "-cp", strings.Join(path, ":"), s.class, filepath.Join(s.dir, "zoo.cfg"))
	s.cmd, s.done = exec.Command(s.flags[0], args...), make(chan struct{})
	if s.log == nil {
		s.log = &logBuffer{}
	}
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = s.log, s.log, s.dir
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	cmd, done := s.cmd, s.done
	go func() { // ends with the process
		_ = cmd.Wait()
		close(done)
	}()
	return nil
}

// await returns when the server serves.
func (s *Server) await() error {
	deadline := time.Now().Add(startTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		mode, err := s.Mode()
		if err == nil && mode != "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not serve within %s: %w\n%s", s.Address, startTime, err, s.log.tail())
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended: %s", s.Address, s.log.tail())
		case <-tick.C:
		}
	}
}

// Kill ends the server as a crash would, and waits until it is gone.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGKILL)
	<-s.done
}

// Restart starts the server again on its data and waits until it serves.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Launch(tb)
	if err := s.await(); err != nil {
		tb.Fatal(err)
	}
}

// Launch is Restart without the wait: one of an ensemble serves only when there
// is a quorum.
func (s *Server) Launch(tb testing.TB) {
	tb.Helper()
	if err := s.run(); err != nil {
		tb.Fatal(err)
	}
}

// PID is the process's number, to look at what it takes.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Freeze stops the process where it is (SIGSTOP): it takes connections and
// answers nothing.
func (s *Server) Freeze(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGSTOP)
}

// Thaw ends a Freeze.
func (s *Server) Thaw(tb testing.TB) {
	tb.Helper()
	s.signal(tb, syscall.SIGCONT)
}

func (s *Server) signal(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := syscall.Kill(-s.cmd.Process.Pid, signal); err != nil {
		tb.Fatalf("signal %s to ZooKeeper %s: %v", signal, s.Address, err)
	}
}

// stop ends the process, if it runs.
func (s *Server) stop() {
	if s == nil || s.cmd == nil || s.cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may have ended
	<-s.done
}

// Ports are looked for below those that systems give to whoever does not care which
// (Linux: from 32768), so that nobody is given one while its server is down.
const (
	lowestPort = 10_000
	morePorts  = 10_000
	searches   = 1000 // bounds how many are tried
)

// FreePort gives a port of the loopback interface that nobody listens on now, and
// that the system gives to nobody who leaves the choice to it: what listens there
// can be killed and started again.
func FreePort(tb testing.TB) int {
	tb.Helper()
	ports, err := freePorts(1)
	if err != nil {
		tb.Fatal(err)
	}
	return ports[0]
}

// freePorts gives n such ports, which differ.
func freePorts(n int) ([]int, error) {
	var ports []int
	var err error
	for range searches {
		if len(ports) == n {
			return ports, nil
		}
		var l net.Listener
		port := lowestPort + rand.IntN(morePorts)
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err != nil {
			continue
		}
		defer l.Close() // all at once, so that they differ
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("%d free ports: %w", n, err)
}

// logBuffer keeps the end of what a server says.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps p, and forgets the oldest half of too much.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() > 1<<20 {
		b.text.Next(b.text.Len() / 2)
	}
	return b.text.Write(p)
}

func (b *logBuffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	return text[max(0, len(text)-logShown):]
}
