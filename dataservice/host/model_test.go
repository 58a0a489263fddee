package host

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnyFolder does random things to the folder, several between two passes,
// and holds the promises of hot deployment after each pass.
func TestAnyFolder(t *testing.T) {
	t.Parallel()
	paths := []string{"a.dbs", "b.dbs", "g/c.dbs"}
	rapid.Check(t, func(r *rapid.T) {
		f := newFixture(t)
		hook := &fakeHook{}
		f.Attach(hook)
		w := &folderWorld{fixture: f, hook: hook, holds: map[string]claim{}, versions: map[string]bool{}}
		d := f.steps()
		for range rapid.IntRange(1, 12).Draw(r, "passes") {
			for range rapid.IntRange(1, 3).Draw(r, "changes") {
				path := rapid.SampledFrom(paths).Draw(r, "path")
				switch rapid.IntRange(0, 5).Draw(r, "action") {
				case 0, 1, 2:
					w.put(path, rapid.SampledFrom([]string{"X", "Y", "Z"}).Draw(r, "name"), rapid.SampledFrom([]string{"good", "good", "hookless", "broken"}).Draw(r, "kind"))
				case 3:
					w.drop(path)
				default:
					w.move(path, rapid.SampledFrom(paths).Draw(r, "to"))
				}
			}
			d.pass(t.Context())
			if err := w.check(); err != nil {
				r.Fatalf("%v\n%s", err, f.log)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(f.now.Load().services)) {
			f.retire(f.now.Load().services[name])
		}
		f.drains.Wait()
	})
}

type claim struct{ name, version, kind string }

// folderWorld knows what the folder holds.
type folderWorld struct {
	*fixture
	hook     *fakeHook
	holds    map[string]claim
	versions map[string]bool // that may be served
	count    int
}

func (w *folderWorld) put(path, name, kind string) {
	w.count++
	c := claim{name, fmt.Sprintf("v%d", w.count), kind}
	text := dbs(name, c.version)
	switch kind {
	case "good":
		w.versions[c.version] = true
	case "hookless":
		text = dbs(name, c.version+" hookless")
	case "broken":
		text = text[:len(text)/2]
	}
	if dir := filepath.ToSlash(filepath.Dir(path)); dir != "." {
		c.name = dir + "/" + name
	}
	w.write(path, text)
	w.holds[path] = c
}

func (w *folderWorld) drop(path string) {
	w.remove(path)
	delete(w.holds, path)
}

func (w *folderWorld) move(from, to string) {
	c, ok := w.holds[from]
	if !ok || filepath.Dir(from) != filepath.Dir(to) { // another group is another name
		return
	}
	if err := os.Rename(filepath.Join(w.dir, from), filepath.Join(w.dir, to)); err != nil {
		w.t.Fatal(err)
	}
	delete(w.holds, from)
	w.holds[to] = c
}

// check compares what is served with what the folder holds.
func (w *folderWorld) check() error {
	now := w.now.Load()
	names := make(map[string]int) // how many files claim each
	for _, c := range w.holds {
		if c.kind != "broken" {
			names[c.name]++
		}
	}
	for path, c := range w.holds {
		d := now.services[c.name]
		if c.kind == "good" && names[c.name] == 1 && !w.blocked(path, c.name) && (d == nil || d.service.Description != c.version) {
			return fmt.Errorf("%s holds a good %+v, which is not served", path, c)
		}
	}
	for name, d := range now.services {
		if !w.versions[d.service.Description] {
			return fmt.Errorf("%s serves %s, which was never good", name, d.service.Description)
		}
		if _, there := w.holds[d.file]; !there && len(w.holds) > 0 {
			return fmt.Errorf("%s is served from %s, which is gone", name, d.file)
		}
		if r := d.runtime.(*fakeRuntime); r.closed {
			return fmt.Errorf("%s is served by closed sources", name)
		}
	}
	deployed := make(map[string]bool)
	for _, call := range w.hook.calls {
		deployed[call[1:]] = strings.HasPrefix(call, "+")
	}
	for name, on := range deployed {
		if (now.services[name] != nil) != on {
			return fmt.Errorf("the hook believes %s deployed: %t", name, on)
		}
	}
	return nil
}

// blocked tells whether a name is rightly kept by another file, whose newer
// bytes are refused.
func (w *folderWorld) blocked(path, name string) bool {
	d := w.now.Load().services[name]
	if d == nil || d.file == path {
		return false
	}
	other, there := w.holds[d.file]
	return there && (other.name != name || other.kind != "good")
}
