package tui

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/tasks"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	m := memory{filepath.Join(t.TempDir(), "state", "belfry")}
	for _, name := range []string{"prod", "zk://zk1:2181,zk2:2181/belfry", "../../etc/passwd", "..", strings.Repeat("x/", 400)} {
		if got := m.Load(name); !reflect.DeepEqual(got, tui.Remembered{}) {
			t.Errorf("%s is known: %+v", name, got)
		}
		want := tui.Remembered{
			Tasks: tasks.Ordered{Filter: "~^" + name[:2], Sort: "NEXT", Turned: true}, Theme: "light",
			Draft: &screen.Draft{Task: task.Key{Name: "a"}, Revision: 3, At: time.UnixMilli(5).UTC(), Fields: map[string]string{"name": "a"}},
		}
		if err := m.Save(name, want); err != nil {
			t.Fatal(err)
		}
		if got := m.Load(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		file := m.file(name)
		if filepath.Dir(file) != m.folder {
			t.Errorf("%s is outside", file)
		}
		if s, err := os.Stat(file); err != nil || s.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, s, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(m.folder, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What is not a file of ours counts as nothing, and is replaced.
func TestMemoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	m := memory{t.TempDir()}
	for _, text := range []string{"", "{", "[]", `{"format":2,"context":"c","theme":"light"}`, `{"format":1,"context":"other","theme":"light"}`, `{"format":1,"context":"c","tasks":7}`, strings.Repeat(" ", maxMemory+1) + "{}"} {
		if err := os.WriteFile(m.file("c"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := m.Load("c"); !reflect.DeepEqual(got, tui.Remembered{}) {
			t.Errorf("%.40q: %+v", text, got)
		}
		if err := m.Save("c", tui.Remembered{Theme: "dark"}); err != nil || m.Load("c").Theme != "dark" {
			t.Errorf("%.40q: is not replaced: %v", text, err)
		}
	}
}

func TestCrashReport(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "belfry")
	path := crashed(folder, "1.0", "boom\n\ngoroutine 1", time.UnixMilli(1).UTC())
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "boom") || !strings.Contains(string(text), "belfry 1.0") {
		t.Errorf("%q, %v", text, err)
	}
	if path := crashed("", "1.0", "boom", time.Now()); path != "" {
		t.Errorf("a report in no folder: %s", path)
	}
}
