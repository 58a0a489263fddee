package coordclient_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// file puts what is given into the place of the servers of a file that is
// otherwise sound.
const (
	head    = `<CoordinationClientConfiguration>`
	tail    = `</CoordinationClientConfiguration>`
	servers = `<Servers><Server host="a"/></Servers>`
)

func TestParseConfig(t *testing.T) {
	t.Parallel()
	one := []coordclient.Server{{Host: "a", Port: 2181}}
	const ten = 10 * time.Second
	for name, c := range map[string]struct {
		text string
		want coordclient.Config
	}{
		"the least":             {head + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten}},
		"enabled is empty":      {`<CoordinationClientConfiguration enabled="">` + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten}},
		"enabled in capitals":   {`<CoordinationClientConfiguration enabled="TRUE">` + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten}},
		"disabled":              {`<CoordinationClientConfiguration enabled=" False ">` + servers + tail, coordclient.Config{Servers: one, SessionTimeout: ten}},
		"milliseconds":          {head + servers + `<SessionTimeout>5000</SessionTimeout>` + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: 5 * time.Second}},
		"white space":           {head + servers + "<SessionTimeout>\n\t5000 </SessionTimeout>" + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: 5 * time.Second}},
		"a unit":                {head + servers + `<SessionTimeout>5s</SessionTimeout>` + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: 5 * time.Second}},
		"two units":             {head + servers + `<SessionTimeout>1m1.5s</SessionTimeout>` + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: 61500 * time.Millisecond}},
		"a comment in a number": {head + servers + `<SessionTimeout>50<!-- x -->00</SessionTimeout>` + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: 5 * time.Second}},
		"the timeout first":     {head + `<SessionTimeout>1</SessionTimeout>` + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: time.Millisecond}},
		"a default namespace":   {`<CoordinationClientConfiguration xmlns="urn:x" xmlns:y="urn:y">` + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten}},
		"a declaration, a mark, comments and instructions": {
			"\xef\xbb\xbf" + `<?xml version="1.0" encoding="UTF-8"?><!-- a --><?pi x?>` + head + `<!-- b -->` + servers + tail + `<!-- c -->` + "\n",
			coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten},
		},
		"ASCII": {`<?xml version="1.0" encoding="US-ASCII"?>` + head + servers + tail, coordclient.Config{Enabled: true, Servers: one, SessionTimeout: ten}},
		"an ensemble": {
			head + `<Servers><Server host=" b " port=" 1 "/><Server host="10.0.0.1" port="65535"></Server><Server host="[::1]" port=""/><Server host="fe80::1"/></Servers>` + tail,
			coordclient.Config{Enabled: true, SessionTimeout: ten, Servers: []coordclient.Server{
				{Host: "b", Port: 1}, {Host: "10.0.0.1", Port: 65535}, {Host: "::1", Port: 2181}, {Host: "fe80::1", Port: 2181},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := coordclient.ParseConfig("f.xml", strings.NewReader(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestServerString(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]coordclient.Server{
		"zk1:2181": {Host: "zk1", Port: 2181},
		"[::1]:99": {Host: "::1", Port: 99},
	} {
		if got := s.String(); got != want {
			t.Errorf("%#v = %s, want %s", s, got, want)
		}
	}
}

func TestLoadConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	missing, err := coordclient.LoadConfig(filepath.Join(dir, "none", "missing.xml"))
	if err != nil || missing.Enabled || missing.SessionTimeout != coordclient.DefaultSessionTimeout {
		t.Errorf("a missing file: %+v, %v; want disabled", missing, err)
	}
	broken := filepath.Join(dir, "broken.xml")
	if err := os.WriteFile(broken, []byte(`<CoordinationClientConfiguration enabled="false"/>`), 0o600); err != nil {
		t.Fatal(err)
	}
	var ce *coordclient.ConfigError
	if _, err := coordclient.LoadConfig(broken); !errors.As(err, &ce) || ce.File != broken {
		t.Errorf("a broken file that is disabled: %v, want a *ConfigError", err)
	}
	if _, err := coordclient.LoadConfig(dir); err == nil {
		t.Error("a directory was taken for a file")
	}
	link := filepath.Join(dir, "link.xml")
	if err := os.Symlink(filepath.Join(dir, "nowhere"), link); err != nil {
		t.Fatal(err)
	}
	if _, err := coordclient.LoadConfig(link); !errors.As(err, &ce) {
		t.Errorf("a dangling link: %v, want a *ConfigError", err)
	}
	cut := errors.New("planted")
	if _, err := coordclient.ParseConfig("f", io.MultiReader(strings.NewReader(head), iotest.ErrReader(cut))); !errors.Is(err, cut) {
		t.Errorf("a reader that fails: %v, want its error", err)
	}
}

// corpus gives the folder of real files, or skips.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("NOT TESTED on real files: no corpus at %s; set BELFRY_CORPUS to where it is (%v)", dir, err)
	}
	return dir
}

func TestConfigOfCorpus(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpus(t), "wso2", "config")
	for file, want := range map[string]coordclient.Config{
		"coordination-client-config.xml": {
			SessionTimeout: 5 * time.Second,
			Servers:        []coordclient.Server{{Host: "localhost", Port: 2181}},
		},
		"coordination-client-config-ensemble.xml": {
			Enabled:        true,
			SessionTimeout: 5 * time.Second,
			Servers:        []coordclient.Server{{Host: "localhost", Port: 2181}, {Host: "192.168.0.2", Port: 2181}, {Host: "192.168.0.3", Port: 2181}},
		},
	} {
		got, err := coordclient.LoadConfig(filepath.Join(dir, file))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", file, got, err, want)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(head + servers + `<SessionTimeout>5s</SessionTimeout>` + tail))
	f.Add([]byte(`<?xml version="1.0"?><!-- c -->` + head + servers + tail))
	for _, c := range malformed {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := coordclient.ParseConfig("f.xml", strings.NewReader(string(text)))
		if err != nil {
			var ce *coordclient.ConfigError
			if !errors.As(err, &ce) {
				t.Fatalf("%v is no *ConfigError", err)
			}
			if ce.Line > 1+strings.Count(string(text), "\n") || ce.Line > 0 && ce.Column < 1 || ce.Column > len(text)+1 {
				t.Fatalf("%v is outside the file", err)
			}
			return
		}
		if len(c.Servers) == 0 || c.SessionTimeout < time.Millisecond || c.SessionTimeout > coordclient.MaxSessionTimeout {
			t.Fatalf("%+v was accepted", c)
		}
		for _, s := range c.Servers {
			if s.Host == "" || s.Port < 1 || s.Port > 65535 || strings.ContainsAny(s.Host, ", /") {
				t.Fatalf("server %+v was accepted", s)
			}
		}
	})
}
