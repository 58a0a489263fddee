package local_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/local"
)

// refused opens a store that must not open, and looks for words in the error.
func refused(t *testing.T, path string, words ...string) {
	t.Helper()
	l, err := local.Open(t.Context(), local.Options{Path: path, Node: "test"})
	if err == nil {
		_ = l.Close()
		t.Fatalf("%s was opened", path)
	}
	for _, word := range append(words, path) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// made gives the path of a store with some entries, closed.
func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	l, err := local.Open(t.Context(), local.Options{Path: path, Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := l.Commit(t.Context(), coordclient.Create(fmt.Sprintf("/e/%d", i), make([]byte, 2000))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// alter runs SQL on a closed store, as no host does.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []local.Options{{}, {Path: filepath.Join(t.TempDir(), "s")}, {Path: filepath.Join(t.TempDir(), "s"), Node: "a/b"}} {
		if l, err := local.Open(t.Context(), o); err == nil {
			_ = l.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestRefusesNewerFormat(t *testing.T) {
	t.Parallel()
	path := made(t)
	alter(t, path, "PRAGMA user_version = 2")
	before := content(t, path)
	refused(t, path, "newer release", "format 2", "knows up to 1")
	if !bytes.Equal(before, content(t, path)) {
		t.Error("the refused file was changed")
	}
	alter(t, path, "PRAGMA user_version = 1")
	open(t, path)
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRefusesOtherDatabases(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	alter(t, path, "CREATE TABLE mine (x)")
	refused(t, path, "not a coordination store", "name another file")
}

func TestRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, path string){
		"text": func(t *testing.T, path string) {
			t.Helper()
			overwrite(t, path, 0, []byte("this is not a database, whatever its name says; it is only text"))
		},
		"a page in the middle": func(t *testing.T, path string) {
			t.Helper()
			overwrite(t, path, 4096, bytes.Repeat([]byte{0xff}, 4096))
		},
		"cut short": func(t *testing.T, path string) {
			t.Helper()
			if err := os.Truncate(path, 5000); err != nil {
				t.Fatal(err)
			}
		},
		"a key twice": func(t *testing.T, path string) {
			t.Helper()
			alter(t, path, "UPDATE entries SET key = '/e/1' WHERE key = '/e/2'")
		},
		"a key that is none": func(t *testing.T, path string) {
			t.Helper()
			alter(t, path, "UPDATE entries SET key = 'e' WHERE key = '/e/2'")
		},
		"a negative version": func(t *testing.T, path string) {
			t.Helper()
			alter(t, path, "UPDATE entries SET version = -2 WHERE key = '/e/2'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := made(t)
			damage(t, path)
			refused(t, path, "damaged")
		})
	}
}

func overwrite(t *testing.T, path string, at int64, with []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesPlaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(file, "store.db"), "not a directory")
	refused(t, dir)
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("NOT TESTED: the superuser may write in a read-only directory; run as another user")
	}
	dir := filepath.Join(t.TempDir(), "ro")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(dir, "store.db"), "permission denied")
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "var", "store.db")
	open(t, path)
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".lock": 0o600, path + "-wal": 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

// TestDiskFull fills a real file system, empties it, and goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("belfry", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("NOT TESTED: a small file system cannot be mounted here (%v); run as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	l, err := local.Open(t.Context(), local.Options{Path: filepath.Join(dir, "store.db"), Node: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	value := make([]byte, 50<<10)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 700<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = l.Commit(t.Context(), coordclient.Create(fmt.Sprintf("/full/%d", n), value))
	}
	if !errors.Is(err, coordclient.ErrUnavailable) || !strings.Contains(err.Error(), "make room") {
		t.Fatalf("on a full disk: %v, want ErrUnavailable and the next step", err)
	}
	if state, _ := l.State(); state != coordclient.Healthy {
		t.Fatalf("state %s on a full disk, want healthy", state)
	}
	if _, _, err := l.Get(t.Context(), "/full/0"); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := l.Commit(t.Context(), coordclient.Create("/room", []byte("again"))); err != nil {
		t.Errorf("with room again: %v", err)
	}
	names, err := l.List(t.Context(), "/full")
	if err != nil || len(names) != n-1 {
		t.Errorf("%d entries, %v; want the %d acknowledged", len(names), err, n-1)
	}
}

// TestManyCommitters: a commit that fails because of another one in its group is
// not answered before that one is durable.
func TestManyCommitters(t *testing.T) {
	t.Parallel()
	l := open(t, filepath.Join(t.TempDir(), "store.db"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 200 {
		wg.Go(func() { // ends with its commit
			err := l.Commit(t.Context(), coordclient.Create("/prize", nil))
			if err != nil && !errors.Is(err, coordclient.ErrExists) {
				t.Error(err)
			}
			_, _, gerr := l.Get(t.Context(), "/prize")
			if gerr != nil {
				t.Errorf("after %v: %v, want what decided it to be there", err, gerr)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

// TestGetDuringCommits: a read beside writers never meets what is not durable
// and never goes back.
func TestGetDuringCommits(t *testing.T) {
	t.Parallel()
	l := open(t, filepath.Join(t.TempDir(), "store.db"))
	if err := l.Commit(t.Context(), coordclient.Create("/hot", nil)); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { // ends after its last commit
		defer stop()
		for v := range int64(300) {
			if err := l.Commit(t.Context(), coordclient.Set("/hot", fmt.Append(nil, v+1), v)); err != nil {
				t.Error(err)
				return
			}
			if v%10 == 5 {
				err := l.Commit(t.Context(), coordclient.Create("/flash", nil))
				if err == nil {
					err = l.Commit(t.Context(), coordclient.Delete("/flash", 0))
				}
				if err != nil {
					t.Error(err)
				}
			}
		}
	})
	for range 3 {
		wg.Go(func() { // ends with the writer
			last := int64(-1)
			for ctx.Err() == nil {
				e, _, err := l.Get(t.Context(), "/hot")
				switch {
				case err != nil:
					t.Error(err)
					return
				case e.Version < last || e.Version > 0 && string(e.Value) != fmt.Sprint(e.Version):
					t.Errorf("version %d with value %s after %d", e.Version, e.Value, last)
					return
				}
				last = e.Version
				if _, _, err := l.Get(t.Context(), "/flash"); err != nil && !errors.Is(err, coordclient.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCloseTwiceAndDuringCommits(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	l := open(t, path)
	acked := make(chan string, 10_000)
	var wg sync.WaitGroup
	for c := range 16 {
		wg.Go(func() { // ends when the store is closed
			for n := 0; ; n++ {
				key := fmt.Sprintf("/c/%d-%d", c, n)
				if err := l.Commit(t.Context(), coordclient.Create(key, nil)); err != nil {
					if !errors.Is(err, coordclient.ErrUnavailable) {
						t.Error(err)
					}
					return
				}
				acked <- key
			}
		})
	}
	for range 100 {
		<-acked
	}
	for range 2 {
		wg.Go(func() { // ends with Close
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(acked)
	again := open(t, path)
	for key := range acked {
		if _, _, err := again.Get(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 5, 678_900_000, time.FixedZone("x", 3600))
	l, err := local.Open(t.Context(), local.Options{
		Path: filepath.Join(t.TempDir(), "store.db"), Node: "test", Now: func() time.Time { return at },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Commit(t.Context(), coordclient.Create("/x", nil)); err != nil {
		t.Fatal(err)
	}
	e, _, err := l.Get(t.Context(), "/x")
	if want := at.Truncate(time.Millisecond); err != nil || !e.Modified.Equal(want) || e.Modified.Location() != time.UTC {
		t.Errorf("modified %s, %v; want %s", e.Modified, err, want)
	}
}
