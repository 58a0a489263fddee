package app

import (
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed42aab489/belfry/cmd/internal/conf"
)

// options are those of a host in folders of its own, which listens anywhere.
func options(t *testing.T) Options {
	t.Helper()
	c := conf.Default()
	dir := t.TempDir()
	for key, at := range map[string]*string{"services": &c.Services, "conf": &c.Conf, "data": &c.Data} {
		*at = filepath.Join(dir, key)
	}
	for _, folder := range []string{c.Services, c.Conf} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	c.Listen, c.Node, c.Socket = "127.0.0.1:0", "n1", filepath.Join(dir, "s")
	c.Coordination = filepath.Join(c.Conf, "coordination-client-config.xml")
	c.Files.Folder, c.Mail.Folder = c.Services, filepath.Join(c.Data, "mail")
	return Options{Loaded: conf.Loaded{Config: c, Origins: conf.Origins{}}, Version: "test", Log: slog.New(slog.DiscardHandler)}
}

// A host that cannot have its address touches nothing: it neither joins nor
// leads, and fires nothing, before it gives up.
func TestAddressTaken(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := options(t)
	o.Loaded.Config.Listen = taken.Addr().String()
	_, err = Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "address already in use") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("err %v", err)
	}
	if _, err := os.Stat(o.Loaded.Config.Data); !os.IsNotExist(err) {
		t.Errorf("the data folder was made: %v", err)
	}
}

// A folder or a file that somebody named and that is not there must not make a
// member of a cluster a host of its own.
func TestNamedButMissing(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"conf", "coordination"} {
		o := options(t)
		o.Loaded.Config.Conf = filepath.Join(t.TempDir(), "mistyped")
		o.Loaded.Config.Coordination = filepath.Join(o.Loaded.Config.Conf, "coordination-client-config.xml")
		o.Loaded.Origins[key] = conf.Origin{Source: conf.FromFlag, Where: "--" + key}
		a, err := Start(t.Context(), o)
		if err == nil {
			t.Errorf("%s: it started; stop: %v", key, a.Stop(t.Context()))
			continue
		}
		for _, want := range []string{key + ": ", "mistyped", "does not exist (flag --" + key + ")"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", key, err, want)
			}
		}
	}
}

// Each metric is in the table of the guide, and nothing else is.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guides", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(belfry_[a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = true
	}
	m := newMeters("dev")
	descs := make(chan *prometheus.Desc, 100)
	m.registry.Describe(descs)
	close(descs)
	told := 0
	for d := range descs {
		name := regexp.MustCompile(`fqName: "(belfry_[a-z_]+)"`).FindStringSubmatch(d.String())
		if name == nil {
			continue // of the runtime
		}
		if told++; !documented[name[1]] {
			t.Errorf("%s is not in the guide", name[1])
		}
	}
	if told != len(documented) || told == 0 {
		t.Errorf("the guide has %d metrics, there are %d", len(documented), told)
	}
}

// A session time-out in the wrong unit is refused with the file's name.
func TestSessionTimeoutTooShort(t *testing.T) {
	t.Parallel()
	o := options(t)
	text := `<CoordinationClientConfiguration enabled="true"><Servers><Server host="localhost"/></Servers><SessionTimeout>10</SessionTimeout></CoordinationClientConfiguration>`
	if err := os.WriteFile(o.Loaded.Config.Coordination, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), o.Loaded.Config.Coordination+": SessionTimeout is 10ms, want 100ms at least") {
		t.Errorf("err %v", err)
	}
}

// Whoever opens the host's address in a browser is led to the services, unless
// there are no pages.
func TestFrontDoor(t *testing.T) {
	t.Parallel()
	for pages, want := range map[bool]int{true: http.StatusFound, false: http.StatusNotFound} {
		o := options(t)
		o.Loaded.Config.Describe.Pages = pages
		a, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		client := http.Client{
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr()+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want || pages && res.Header.Get("Location") != "/services/" {
			t.Errorf("pages %v: %s, to %q", pages, res.Status, res.Header.Get("Location"))
		}
		client.CloseIdleConnections()
		if err := a.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}
