package local

import (
	"path/filepath"
	"testing"
)

// TestSyncs: a killed process does not show whether the disk was synced, so at
// least what SQLite has been told is held.
func TestSyncs(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "store.db"), Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		if err := l.disk.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}
