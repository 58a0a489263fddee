//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

// Three hosts and the companion over a ZooKeeper that wants TLS and certificates,
// with what is written closed by a password, all configured as the guide says: a
// host is killed, and every instant raises the salary once. Whoever does not fit is
// refused, and told why.
//
//nolint:tparallel // the refusals are parallel to each other, beside a cluster that runs
func TestClusterOverTLS(t *testing.T) {
	t.Parallel()
	p := newPayroll(t, "interval_tls", open(t, "sqlite", sourcetest.OpenSQLite(t)))
	server := startSecure(t, func(c *x509.Certificate) { c.DNSNames = []string{"zk1.example.org"} })
	hs := server.hosts(t, []payroll{p})
	hs.start()
	first := shortly()
	last := first.Add(8 * time.Second)
	schedule(hs[0], []payroll{p}, first, last)
	instants := hs[0].scheduled(p.service, first, time.Second, 9)

	during(t, time.Until(first)+1500*time.Millisecond)
	at := owners(hs[0])[p.service]
	lives := hs[0]
	for i, h := range hs {
		if h.args[1] == at { // behind --node
			lives = hs[(i+1)%len(hs)]
			h.kill()
			defer h.start()
		}
	}
	t.Run("refused", func(t *testing.T) { server.refusals(t, lives) })
	settledFor(t, server, p.service)
	if got, want := p.salary(t), int64(len(instants))*10_000; got != want {
		t.Errorf("salary %d, want %d", got, want)
	}
}

// secure is a ZooKeeper server as the guide configures it for TLS.
type secure struct {
	authority *zktest.Authority
	address   string // of the port for TLS
	plain     string // of the one that these tests look at servers by
	dir       string // with password, certificate and the companion's configuration
	cert      string // of hosts and companion, with its key
}

// startSecure starts a server whose certificate is altered.
func startSecure(t *testing.T, alter func(*x509.Certificate)) *secure {
	t.Helper()
	s := &secure{authority: zktest.NewAuthority(t), dir: t.TempDir()}
	_, keys := s.authority.Issue(t, "server", alter)
	_, s.cert = s.authority.Issue(t, "belfry")
	port := strconv.Itoa(zktest.FreePort(t))
	s.address = net.JoinHostPort("127.0.0.1", port)
	var lines []zktest.Option
	for line := range strings.Lines(replaced(t, guide(t, "properties"), map[string]string{
		"2281": port, "/etc/zookeeper/server.pem": keys, "/etc/zookeeper/ca.pem": s.authority.File,
	})) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, zktest.Config(line))
		}
	}
	lines = append(lines, zktest.Config("secureClientPortAddress=127.0.0.1"), zktest.Config(fmt.Sprintf("tickTime=%d", zkTick.Milliseconds())))
	s.plain = zktest.StartServer(t, lines...).Address
	if err := os.WriteFile(filepath.Join(s.dir, "password"), []byte("s3cret-of-the-cluster\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// guide gives the guide's first block of a language under its heading "TLS".
func guide(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "guides", "clustering.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n### TLS\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, block, begins := strings.Cut(section, "```"+language+"\n")
	block, _, ends := strings.Cut(block, "```")
	if !found || !begins || !ends {
		t.Fatalf("the guide has no block %s under TLS", language)
	}
	return block
}

// replaced replaces what must all be there.
func replaced(t *testing.T, text string, by map[string]string) string {
	t.Helper()
	for from, to := range by {
		if !strings.Contains(text, from) {
			t.Fatalf("no %s in:\n%s", from, text)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	return text
}

// own are the guide's paths on a host, and what this one has there.
func (s *secure) own() map[string]string {
	return map[string]string{
		"/etc/belfry/zookeeper-ca.pem": s.authority.File, "/etc/belfry/zookeeper-password": filepath.Join(s.dir, "password"),
		"/etc/belfry/host.pem": s.cert, "/etc/belfry/host-key.pem": s.cert,
	}
}

// coordination writes the file that leads to an address.
func (s *secure) coordination(t *testing.T, address string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "coordination.xml")
	name, port, _ := net.SplitHostPort(address)
	text := fmt.Sprintf(`<CoordinationClientConfiguration enabled="true"><Servers><Server host=%q port=%q/></Servers><SessionTimeout>%s</SessionTimeout>
</CoordinationClientConfiguration>`, name, port, session)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s *secure) hosts(t *testing.T, payrolls []payroll) hosts {
	t.Helper()
	config := filepath.Join(s.dir, "belfryd.yaml")
	if err := os.WriteFile(config, []byte(replaced(t, guide(t, "yaml"), s.own())), 0o600); err != nil {
		t.Fatal(err)
	}
	var hs hosts
	for _, name := range []string{"n1", "n2", "n3"} {
		hs = append(hs, hostOf(t, payrolls, "--node", name, "--config", config, "--coordination", s.coordination(t, s.address), "-Dtask.server.count=3"))
	}
	return hs
}

// settledFor waits for the end of a task, asking ZooKeeper by the guide's context.
func settledFor(t *testing.T, s *secure, name string) {
	t.Helper()
	home := t.TempDir()
	env := append(os.Environ(), "XDG_CONFIG_HOME="+home, "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"))
	script := replaced(t, guide(t, "text"), s.own())
	script = replaced(t, script, map[string]string{"zk1.example.org:2281,zk2.example.org:2281,zk3.example.org:2281": s.address, "nightly": name})
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), name) {
		t.Fatalf("the guide's commands: %v\n%s", err, out)
	}
	eventually(t, patience, name+" has ended", func() bool {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "belfry"), "task", "show", name)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		return err == nil && strings.Contains(string(out), "finished")
	})
}

// refusals: what does not fit is refused at once or within a session's time-out,
// with the reason and an exit code of its own.
func (s *secure) refusals(t *testing.T, h *host) {
	stranger := zktest.NewAuthority(t)
	_, foreign := stranger.Issue(t, "belfry")
	_, port, _ := net.SplitHostPort(s.address)
	over := startSecure(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Minute)
	})
	for _, c := range []struct {
		name, address string
		env           map[string]string // instead of what fits; empty: not set
		exit          int               // of belfry; a host's is 1
		want          string
	}{
		{"authority unknown", s.address, map[string]string{"CA_FILE": stranger.File}, 6, "certificate signed by unknown authority"},
		{"expired", over.address, map[string]string{"CA_FILE": over.authority.File}, 6, "certificate has expired"},
		{"other name", "localhost:" + port, nil, 6, "certificate is valid for zk1.example.org, not localhost"},
		{"no certificate of its own", s.address, map[string]string{"CERT_FILE": "", "KEY_FILE": ""}, 4, "remote error: tls: "},
		{"certificate of a stranger", s.address, map[string]string{"CERT_FILE": foreign, "KEY_FILE": foreign}, 4, "remote error: tls: "},
		{"wrong password", s.address, map[string]string{"PASSWORD_FILE": "", "PASSWORD": "guessed"}, 4, "credentials"},
		{"in the clear", s.address, map[string]string{"TLS": "", "CA_FILE": "", "CERT_FILE": "", "KEY_FILE": ""}, 6, "does one side speak TLS and the other not?"},
		{"TLS to a port without", s.plain, nil, 6, "does one side speak TLS and the other not?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{
				"USER": "belfry", "PASSWORD_FILE": filepath.Join(s.dir, "password"), "TLS": "true",
				"CA_FILE": s.authority.File, "CERT_FILE": s.cert, "KEY_FILE": s.cert, "WAIT": "0s",
			}
			for k, v := range c.env {
				env[k] = v
			}
			out, code := with(t, env, "belfry", "--connect", "zk://"+c.address+"/belfry", "task", "list")
			if code != c.exit || !strings.Contains(out, c.want) {
				t.Errorf("belfry: exit %d, want %d and %q:\n%s", code, c.exit, c.want, out)
			}
			dir := t.TempDir()
			out, code = with(t, env, "belfryd", "--node", "n4", "--coordination", s.coordination(t, c.address), "--services", dir, "--conf", dir,
				"--data", filepath.Join(dir, "data"), "--socket", filepath.Join(dir, "s"), "--listen", "127.0.0.1:0")
			if code != 1 || !strings.Contains(out, c.want) {
				t.Errorf("belfryd: exit %d, want 1 and %q:\n%s", code, c.want, out)
			}
		})
	}
	if nodes := h.must("node", "list"); strings.Contains(nodes, "n4") {
		t.Errorf("a host that was refused is a member:\n%s", nodes)
	}
}

// with runs a program whose ZooKeeper settings are of the environment.
func with(t *testing.T, settings map[string]string, program string, args ...string) (said string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, program), args...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+t.TempDir())
	for k, v := range settings {
		if v != "" {
			cmd.Env = append(cmd.Env, "BELFRY_ZOOKEEPER_"+k+"="+v)
		}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatalf("%s: %v", program, err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
