package send

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	f, err := NewFolder(dir, "belfry@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is accepted already
		if err := f.Send(t.Context(), message(nil)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	if want := "20261123T053000.123Z-0123456789abcdef0123456789abcdef.eml"; entries[0].Name() != want {
		t.Errorf("file %s, want %s", entries[0].Name(), want)
	}
	data, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	check(t, data)
}

func TestFolderNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := NewFolder(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"../../etc/passwd", "", strings.Repeat("x", 500), "a\x00b", "a/b", "a b\r\nX: y"} {
		if err := f.Send(t.Context(), message(func(m *task.Message) { m.ID = id })); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Send(t.Context(), message(nil)); err == nil || isPermanent(t, err) {
		t.Errorf("a folder that is gone: %v", err)
	}
}
