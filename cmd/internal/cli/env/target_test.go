package env

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/failure"
)

func TestParseTarget(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"unix://var/s":                     "unix://var/s",
		"unix:///run/belfryd.sock":         "unix:///run/belfryd.sock",
		"zk://a":                           "zk://a:2181/belfry",
		"zk://a:1,b:2,a:1":                 "zk://a:1,b:2/belfry",
		"zk://a, b/":                       "zk://a:2181,b:2181/belfry",
		"zk://a/prod/eu/":                  "zk://a:2181/prod/eu",
		"zk://[::1]:2182,[fe80::1]/belfry": "zk://[::1]:2182,[fe80::1]:2181/belfry",
	} {
		got, err := ParseTarget(given, "--connect")
		if err != nil || got.String() != want {
			t.Errorf("%s is %s, %v, want %s", given, got, err, want)
		}
	}
	for given, says := range map[string]string{
		"":                       "unix://PATH",
		"unix://":                "path of a host's socket",
		"var/s":                  "zk://HOST:PORT",
		"http://a":               "zk://HOST:PORT",
		"zk://":                  `server ""`,
		"zk://a,,b":              `server ""`,
		"zk://a:0":               `port "0"`,
		"zk://a:65536":           `port "65536"`,
		"zk://a:x":               `port "x"`,
		"zk://a//b":              "root",
		"zk://user:pw@a:1/":      "no user and no password",
		"zk://a" + manyServers(): "the limit is 64",
	} {
		_, err := ParseTarget(given, "--connect")
		if err == nil || failure.Of(err).Code != failure.CodeInvalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", given, err, says)
		}
		if err != nil && strings.Contains(err.Error(), "pw") {
			t.Errorf("%v tells a password", err)
		}
	}
}

func manyServers() string {
	var b strings.Builder
	for i := range 65 {
		b.WriteString("," + string(rune('a'+i%26)) + strings.Repeat("x", i))
	}
	return b.String()
}

// world is an environment with a folder for its contexts.
func world(t *testing.T, variables map[string]string) *Env {
	t.Helper()
	folder := t.TempDir()
	return &Env{Err: &strings.Builder{}, Now: time.Now, Getenv: func(name string) string {
		if name == "XDG_CONFIG_HOME" {
			return folder
		}
		return variables[name]
	}}
}

func (e *Env) must(t *testing.T, c Contexts) {
	t.Helper()
	if err := e.EditContexts(func(all *Contexts) error { *all = c; return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestWhoNamesTheTarget(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "coordination-client-config.xml")
	config := `<CoordinationClientConfiguration enabled="true"><Servers><Server host="f1" port="1"/><Server host="f2"/></Servers></CoordinationClientConfiguration>`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	both := map[string]string{ConnectVariable: "zk://variable", ContextVariable: "named"}
	for name, c := range map[string]struct {
		variables map[string]string
		current   string
		flags     Env
		want      string
	}{
		"nobody":                     {want: DefaultConnect},
		"the current context":        {current: "named", want: "zk://named:2181/belfry"},
		"a file of a context":        {current: "file", want: "zk://f1:1,f2:2181/belfry"},
		"BELFRY_CONTEXT":             {current: "file", variables: map[string]string{ContextVariable: "named"}, want: "zk://named:2181/belfry"},
		"BELFRY_CONNECT before both": {current: "file", variables: both, want: "zk://variable:2181/belfry"},
		"--connect":                  {current: "file", variables: both, flags: Env{Connect: "unix://s"}, want: "unix://s"},
		"--coordination":             {variables: both, flags: Env{Coordination: file}, want: "zk://f1:1,f2:2181/belfry"},
		"--context":                  {variables: map[string]string{ConnectVariable: "zk://variable"}, flags: Env{Context: "named"}, want: "zk://named:2181/belfry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := world(t, c.variables)
			e.must(t, Contexts{Current: c.current, Contexts: []Context{{Name: "named", Connect: "zk://named"}, {Name: "file", Coordination: file}}})
			e.Connect, e.Coordination, e.Context = c.flags.Connect, c.flags.Coordination, c.flags.Context
			got, err := e.Target()
			if err != nil || got.String() != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestTargetsThatAreNone(t *testing.T) {
	t.Parallel()
	alone := filepath.Join(t.TempDir(), "alone.xml")
	if err := os.WriteFile(alone, []byte(`<CoordinationClientConfiguration enabled="false"><Servers><Server host="a"/></Servers></CoordinationClientConfiguration>`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags     Env
		variables map[string]string
		code      failure.Code
		says      string
	}{
		"two flags":            {flags: Env{Connect: "zk://a", Context: "x"}, code: failure.CodeInvalid, says: "one of"},
		"no such file":         {flags: Env{Coordination: "/no/such/file"}, code: failure.CodeInvalid, says: "no such file"},
		"not enabled":          {flags: Env{Coordination: alone}, code: failure.CodeInvalid, says: "not enabled"},
		"no such context":      {flags: Env{Context: "x"}, code: failure.CodeNotFound, says: "no context x"},
		"none in the variable": {variables: map[string]string{ContextVariable: "x"}, code: failure.CodeNotFound, says: ContextVariable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := world(t, c.variables)
			e.Connect, e.Coordination, e.Context = c.flags.Connect, c.flags.Coordination, c.flags.Context
			_, err := e.Target()
			if err == nil || failure.Of(err).Code != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %s and %q", err, c.code, c.says)
			}
		})
	}
}

// Access is a context's own, or else what hosts take from the environment.
func TestAccess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	on := map[string]string{"BELFRY_ZOOKEEPER_USER": "u", "BELFRY_ZOOKEEPER_PASSWORD": "p", "BELFRY_ZOOKEEPER_TLS": "true", "BELFRY_ZOOKEEPER_ROOT": "/r/"}
	for name, c := range map[string]struct {
		variables map[string]string
		access    Access
		user      string
		secret    string
		says      string
	}{
		"none":              {},
		"the environment":   {variables: on, user: "u", secret: "p"},
		"a context":         {variables: on, access: Access{User: "c", PasswordFile: file}, user: "c", secret: "secret"},
		"open to others":    {access: Access{User: "c", PasswordFile: open}, says: "0600"},
		"no file":           {access: Access{User: "c", PasswordFile: "/no/such"}, says: "no such file"},
		"no user":           {access: Access{PasswordFile: file}, says: "belong together"},
		"no authorities":    {access: Access{TLS: true, CAFile: file}, says: "PEM"},
		"no TLS":            {access: Access{CAFile: file}, says: "only with TLS"},
		"half a key":        {access: Access{TLS: true, CertFile: file}, says: "belong together"},
		"no truth":          {variables: map[string]string{"BELFRY_ZOOKEEPER_TLS": "maybe"}, says: "true or false"},
		"both":              {variables: map[string]string{"BELFRY_ZOOKEEPER_USER": "u", "BELFRY_ZOOKEEPER_PASSWORD": "p", "BELFRY_ZOOKEEPER_PASSWORD_FILE": file}, says: "not both"},
		"a root that is no": {variables: map[string]string{"BELFRY_ZOOKEEPER_ROOT": "r"}, says: "/belfry"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := world(t, c.variables)
			e.must(t, Contexts{Current: "x", Contexts: []Context{{Name: "x", Connect: "zk://a", Access: c.access}}})
			target, err := e.Target()
			o, second := target.options()
			if err == nil {
				err = second
			}
			if c.says != "" {
				if err == nil || failure.Of(err).Code != failure.CodeInvalid || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
				return
			}
			if err != nil || o.Digest.User != c.user || o.Digest.Password != c.secret {
				t.Errorf("%v, %v", o.Digest, err)
			}
			if name == "the environment" && (o.TLS == nil || o.Root != "/r") {
				t.Errorf("TLS %v, root %s", o.TLS, o.Root)
			}
		})
	}
}

// Of each server it is said what is wrong with it, and nobody waits long for
// servers that all refuse.
func TestUnreachableServers(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := gone.Addr().String()
	gone.Close()
	for name, c := range map[string]struct {
		connect string
		says    []string
	}{
		"all refuse": {"zk://" + refusing + "/x", []string{refusing + "  connection refused", "/x"}},
		"one is mute": {
			"zk://" + mute.Addr().String() + "," + refusing,
			[]string{mute.Addr().String() + "  accepts connections, but gives no session", refusing + "  connection refused"},
		},
		"no socket": {"unix://" + filepath.Join(t.TempDir(), "s"), []string{"no host answers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := world(t, nil)
			e.Connect, e.Timeout = c.connect, 2*time.Second
			err := e.Control(t.Context(), nil)
			d := Describe(err)
			if d.ExitCode != 6 || !strings.Contains(d.Hint, "--connect") {
				t.Errorf("%+v", d)
			}
			for _, text := range c.says {
				if !strings.Contains(d.Message, text) {
					t.Errorf("%q does not say %q", d.Message, text)
				}
			}
		})
	}
}
