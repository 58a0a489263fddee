package conf

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseTasks(t *testing.T) {
	t.Parallel()
	got, err := ParseTasks("t.xml", []byte(goodTasks))
	if err != nil {
		t.Fatal(err)
	}
	want := TasksConfig{
		File: "t.xml", Mode: "AUTO", ServerCount: 3, CountLine: 3, CountColumn: 20,
		Resolver:   &LocationResolver{Class: "a.RuleBasedLocationResolver", Properties: []Property{{"rule-1", "A,.*,.*"}}},
		RetryCount: 5, RetryInterval: 2500 * time.Millisecond,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTasksForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		check      func(TasksConfig) bool
	}{
		{"nothing", `<tasks-configuration/>`, func(c TasksConfig) bool {
			return c.Mode == "AUTO" && c.ServerCount == 0 && c.Resolver == nil && c.RetryCount == 10 && c.RetryInterval == time.Second
		}},
		{"a time with a unit", `<tasks-configuration><taskServerAvailabilityCheck><retryInterval>5s</retryInterval></taskServerAvailabilityCheck></tasks-configuration>`, func(c TasksConfig) bool {
			return c.RetryInterval == 5*time.Second
		}},
		{"a repository", `<tasks-configuration><taskRepositoryClass>a.B</taskRepositoryClass></tasks-configuration>`, func(c TasksConfig) bool {
			return c.RepositoryClass == "a.B"
		}},
		{"a secret alias", `<tasks-configuration xmlns:s="http://org.wso2.securevault/configuration"><remoteServerPassword s:secretAlias="x"/></tasks-configuration>`, func(c TasksConfig) bool {
			return len(c.Warnings) == 1 && c.Warnings[0] == `t.xml:1:74: the secure vault's alias "x" has no effect: there is no secure vault here`
		}},
		{"clustered", "\ufeff<?xml version='1.0'?>\r\n<!-- c --><tasks-configuration><taskServerMode> CLUSTERED </taskServerMode></tasks-configuration>\n", func(c TasksConfig) bool {
			return c.Mode == "CLUSTERED"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseTasks("t.xml", []byte(c.text))
			if err != nil || !c.check(got) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// The original's own file is read as it is.
func TestTasksOfTheCorpus(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BELFRY_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	file := filepath.Join(dir, "wso2", "config", TasksFile)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("SKIPPED: the original's tasks-config.xml is not here (%v); set BELFRY_CORPUS to the folder that holds wso2/config", err)
	}
	c, err := ParseTasks(file, data)
	if err != nil || c.Mode != "AUTO" || c.ServerCount != 1 || !strings.HasSuffix(c.Resolver.Class, "RoundRobinTaskLocationResolver") {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, match, url string }{
		{"jdbc:h2:*=sqlite:var/samples.db", "jdbc:h2:*", "sqlite:var/samples.db"},
		{"jdbc:mysql://h/d?a=b*=mysql://u:p=q@h/d?x=y", "jdbc:mysql://h/d?a=b*", "mysql://u:p=q@h/d?x=y"},
		{"a=jdbc:b=jdbc:postgresql://h/d", "a=jdbc:b", "jdbc:postgresql://h/d"},
		{"Shop/default=postgres://h/d", "Shop/default", "postgres://h/d"},
	} {
		m, err := ParseMapping(c.text)
		if err != nil || m.Match != c.match || m.URL != c.url {
			t.Errorf("%s: %q, %q, %v", c.text, m.Match, m.URL, err)
		}
	}
}

func FuzzTasksConfig(f *testing.F) {
	f.Add([]byte(goodTasks))
	for _, c := range malformedTasks {
		f.Add([]byte(strings.Replace(goodTasks, c.old, c.new, 1)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseTasks("t.xml", data)
		checkProblems(t, err)
		if err == nil && (c.Mode == "" || c.Mode == "REMOTE" || c.ServerCount < 0) {
			t.Errorf("accepted %+v", c)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(sample()))
	for _, c := range malformedYAML {
		f.Add([]byte(c.text))
	}
	keys := map[string]Key{}
	for _, k := range Keys() {
		keys[k.Name] = k
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		values, origins, err := readYAML("b.yaml", data)
		checkProblems(t, err)
		for name := range values {
			if _, known := keys[name]; !known || origins[name].Line < 1 {
				t.Errorf("%s from %v is not a setting", name, origins[name])
			}
		}
	})
}

func checkProblems(t *testing.T, err error) {
	t.Helper()
	var faults *Error
	if err == nil {
		return
	}
	if !errors.As(err, &faults) || len(faults.Problems) == 0 || len(faults.Problems) > maxProblems+1 {
		t.Fatalf("not a list of faults: %v", err)
	}
	for _, p := range faults.Problems[:min(len(faults.Problems), maxProblems)] {
		if p.Line < 1 || p.Column < 1 || p.Message == "" {
			t.Errorf("a fault without a place: %+v", p)
		}
	}
}
