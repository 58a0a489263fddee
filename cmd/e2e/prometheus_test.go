//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

const alarmsFile = "configs/prometheus/belfry-alerts.yml"

// installed fails or skips a test whose program .ci/deps has not installed.
func installed(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" || os.Getenv("BELFRY_REQUIRE_SERVERS") != "" {
		t.Fatalf("%s is not installed, and CI or BELFRY_REQUIRE_SERVERS says that it must be", program)
	}
	t.Skipf("SKIPPED, NOT PASSED: no %s; .ci/deps installs it", program)
}

// alarms gives the alarms of the file that is to be copied, by name.
func alarms(t *testing.T) map[string]string {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err := os.ReadFile(filepath.Join(root, alarmsFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
		}
	}
	if len(all) == 0 {
		t.Fatal("no alarm")
	}
	return all
}

// Each alarm is raised by what it is for and by nothing else, as Prometheus's own
// tool judges, and the guide says what to do.
func TestAlarms(t *testing.T) {
	t.Parallel()
	installed(t, "promtool")
	tests := filepath.Join(root, "cmd", "e2e", "testdata", "alerts", "belfry-alerts.test.yml")
	for _, args := range [][]string{{"check", "config", filepath.Join(root, "configs", "prometheus", "prometheus.yml")}, {"test", "rules", tests}} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", args[:2], err, out)
		}
	}
	tried, err := os.ReadFile(tests)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "guides", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := alarms(t)
	for name := range all {
		raised := regexp.MustCompile(`alertname: ` + name + `\n\s+exp_alerts:`)
		if !raised.Match(tried) || !strings.Contains(string(tried), "alertname: "+name+"}") {
			t.Errorf("%s is not shown to be raised, and not to be raised", name)
		}
		if !strings.Contains(string(guide), "| `"+name+"` |") {
			t.Errorf("the guide does not say what %s means", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(Belfry[A-Za-z]+)` \\|").FindAllStringSubmatch(string(guide), -1) {
		if _, ok := all[m[1]]; !ok {
			t.Errorf("the guide has %s, which is no alarm", m[1])
		}
	}
}

// prometheus is a real one that watches a host.
type prometheus struct {
	t    *testing.T
	base string
}

// watch starts a Prometheus with the configuration that the repository has, but for
// the host's address and a shorter interval.
func (h *host) watch() *prometheus {
	h.t.Helper()
	installed(h.t, "prometheus")
	for _, name := range []string{"prometheus.yml", "belfry-alerts.yml"} {
		text, err := os.ReadFile(filepath.Join(root, "configs", "prometheus", name))
		if err != nil {
			h.t.Fatal(err)
		}
		h.write(name, string(text))
	}
	h.edit("prometheus.yml", "127.0.0.1:8280", strings.TrimPrefix(h.url(""), "http://"))
	h.edit("prometheus.yml", "scrape_interval: 15s", "scrape_interval: 1s")
	address := fmt.Sprintf("127.0.0.1:%d", zktest.FreePort(h.t))
	cmd := exec.Command("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--web.listen-address="+address)
	cmd.Dir = h.dir
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p := &prometheus{h.t, "http://" + address}
	eventually(h.t, patience, "Prometheus is ready", func() bool {
		res, err := http.Get(p.base + "/-/ready")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return p
}

// ask reads what Prometheus answers.
func (p *prometheus) ask(path string, answer any) {
	p.t.Helper()
	res, err := http.Get(p.base + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s %v %+v", path, res.Status, err, answer)
	}
}

// series counts what an expression gives now.
func (p *prometheus) series(expr string) int {
	p.t.Helper()
	var answer struct {
		Error string
		Data  struct{ Result []any }
	}
	p.ask("/api/v1/query?query="+url.QueryEscape(expr), &answer)
	return len(answer.Data.Result)
}

// A real Prometheus reads a host's metrics; each panel of the dashboard shows
// something of them, and each alarm is evaluated without an error.
func TestPrometheusWatchesAHost(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"Clock.dbs": clock})
	h.start()
	h.must("task", "create", "often", "--service", "Clock", "--operation", "now", "--interval", "1s")
	h.get("/services/Clock/none", "application/json")
	p := h.watch()

	text, err := os.ReadFile(filepath.Join(root, "configs", "grafana", "belfry.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil || len(dashboard.Panels) == 0 {
		t.Fatalf("the dashboard: %v, %d panels", err, len(dashboard.Panels))
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expr := strings.NewReplacer("$job", "belfry", "$__rate_interval", "1m").Replace(target.Expr)
			eventually(t, patience, panel.Title+" shows something: "+expr, func() bool { return p.series(expr) > 0 })
		}
	}
	all := alarms(t)
	eventually(t, patience, "all alarms are evaluated", func() bool {
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct{ Name, Health, LastError string }
				}
			}
		}
		p.ask("/api/v1/rules", &answer)
		well := map[string]bool{}
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				if r.LastError != "" {
					t.Fatalf("%s: %s", r.Name, r.LastError)
				}
				if r.Health == "ok" {
					well[r.Name] = true
				}
			}
		}
		return slices.Equal(slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(well)))
	})
	if p.series(`belfry_store_up{job="belfry"} == 1 and on(instance) belfry_leading == 1 and on(instance) belfry_buckets == belfry_buckets_owned`) != 1 {
		t.Error("a host that is alone does not lead, or does not own everything")
	}
	h.stop()
}
