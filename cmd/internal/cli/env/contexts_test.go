package env

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/failure"
)

func TestContextsAreKept(t *testing.T) {
	t.Parallel()
	e := world(t, nil)
	if all, err := e.Contexts(); err != nil || len(all.Contexts) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	want := Contexts{Current: "b", Contexts: []Context{{Name: "a", Connect: "zk://a"}, {Name: "b", Coordination: "/f"}}}
	e.must(t, want)
	got, err := e.Contexts()
	if err != nil || got.Current != "b" || len(got.Contexts) != 2 || got.Contexts[1] != want.Contexts[1] {
		t.Errorf("%+v, %v", got, err)
	}
	info, err := os.Stat(e.ContextsFile())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// A change that fails changes nothing.
	no := errors.New("no")
	if err := e.EditContexts(func(all *Contexts) error { all.Current = "a"; return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if got, err := e.Contexts(); err != nil || got.Current != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	left, err := os.ReadDir(filepath.Dir(e.ContextsFile()))
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestContextsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"no YAML":            {"contexts: [", "did not find"},
		"an unknown field":   {"contexts:\n  - name: a\n    password: x\n", "line 3"},
		"the same twice":     {"contexts:\n  - name: a\n  - name: a\n", `"a"`},
		"a name with spaces": {"contexts:\n  - name: a b\n", `"a b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parseContexts("contexts.yaml", []byte(c.text))
			if err == nil || failure.Of(err).Code != failure.CodeInvalid || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "contexts.yaml") {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

func TestContextsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	for _, c := range []Context{
		{Name: "a"},
		{Name: "a", Connect: "zk://a", Coordination: "f"},
		{Name: "a/b", Connect: "zk://a"},
		{Name: "a", Connect: "zk://u:secret@a"},
	} {
		_, err := c.Target()
		if err == nil || failure.Of(err).Code != failure.CodeInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestContextsFile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		variables map[string]string
		want      string
	}{
		{map[string]string{"XDG_CONFIG_HOME": "/x", "HOME": "/h"}, "/x/belfry/contexts.yaml"},
		{map[string]string{"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/belfry/contexts.yaml"},
		{map[string]string{"HOME": "/h"}, "/h/.config/belfry/contexts.yaml"},
		{nil, ""},
	} {
		e := &Env{Getenv: func(name string) string { return c.variables[name] }}
		if got := e.ContextsFile(); got != c.want {
			t.Errorf("%v: %s, want %s", c.variables, got, c.want)
		}
	}
	e := &Env{}
	if err := e.EditContexts(func(*Contexts) error { return nil }); err == nil {
		t.Error("contexts were written nowhere")
	}
}
