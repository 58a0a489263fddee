package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
)

func TestFolderIsFollowed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("Stock.dbs", dbs("Stock", "one"))
	f.start()
	f.is("Stock=one/1")
	f.write("Other.dbs", dbs("Other", "other"))
	f.until("Other=other/1, Stock=one/1")
	f.write("Stock.dbs", dbs("Stock", "two"))
	f.until("Other=other/1, Stock=two/2")
	f.write("Stock.dbs", strings.Replace(dbs("Stock", "three"), "<sql>", "<sq>", 1))
	f.until("Other=other/1, Stock=two/2!")
	if v := f.Services()[1]; !strings.Contains(v.Error, filepath.Join(f.dir, "Stock.dbs")+":4:") {
		t.Errorf("the error has no place: %s", v.Error)
	}
	f.write("Stock.dbs", dbs("Stock", "two"))
	f.until("Other=other/1, Stock=two/2")
	f.write("group/Stock.dbs", dbs("Stock", "grouped"))
	f.until("Other=other/1, Stock=two/2, group/Stock=grouped/1")
	f.remove("Stock.dbs")
	f.until("Other=other/1, group/Stock=grouped/1")
	f.remove("group")
	f.until("Other=other/1")
	f.remove("Other.dbs")
	f.until("")
	for _, said := range []string{"service deployed", "descriptor refused", "service undeployed"} {
		if !strings.Contains(f.log.String(), said) {
			t.Errorf("%q was not logged", said)
		}
	}
}

func TestOnlyDescriptorsCount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.MaxFile, o.MaxServices = 2000, 2 })
	for _, name := range []string{
		".Hidden.dbs", ".#Lock.dbs", "#Auto.dbs", "Backup.dbs~", "Swap.dbs.swp", "Upper.DBS", "text.xml", ".folder/In.dbs", "a/b/c/d/e/Deep.dbs",
	} {
		f.write(name, dbs("No"+strings.Trim(filepath.Base(name), ".#~"), "no"))
	}
	if err := os.MkdirAll(filepath.Join(f.dir, "Folder.dbs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(f.dir, "Dangling.dbs")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(f.dir, "Pipe.dbs"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.write("a/b/c/d/Deep.dbs", dbs("Deep", "yes"))
	f.write("a/Own.dbs", dbs("a/Own", "yes"))
	f.write("Large.dbs", dbs("Large", strings.Repeat("x", 2000)))
	f.write("Empty.dbs", "")
	f.write("b/Over.dbs", dbs("Over", "one too many"))
	f.steps()
	f.is("Empty=/0 failed!, Large=/0 failed!, Pipe=/0 failed!, a/Own=yes/1, a/b/c/d/Deep=yes/1, b/Over=/0 failed!")
	for name, why := range map[string]string{"Large": "exceeds 2000 bytes", "Pipe": "not a regular file", "b/Over": "more than 2 services"} {
		if i := slices.IndexFunc(f.Services(), func(v View) bool { return v.Name == name }); !strings.Contains(f.Services()[i].Error, why) {
			t.Errorf("%s: %s, want %q", name, f.Services()[i].Error, why)
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("a.dbs", dbs("Stock", "a"))
	f.write("b.dbs", dbs("Stock", "b"))
	d := f.steps()
	f.is("Stock=a/1!") // it is served: tasks may go on calling it
	if e := f.Services()[0].Error; !strings.Contains(e, "a.dbs") || !strings.Contains(e, "b.dbs") {
		t.Errorf("not both files are named: %s", e)
	}
	f.write("a.dbs", dbs("Renamed", "a"))
	d.pass(t.Context())
	f.is("Renamed=a/1, Stock=b/2")
	f.write("b.dbs", dbs("Renamed", "b"))
	d.pass(t.Context())
	f.is("Renamed=a/1, Stock=b/2!")
	f.remove("a.dbs")
	d.pass(t.Context())
	f.is("Renamed=b/2")
	f.write("Renamed.dbs", "<data")
	d.pass(t.Context())
	f.is("Renamed=b/2!")
	f.remove("Renamed.dbs")
	d.pass(t.Context())
	f.is("Renamed=b/2")
}

func TestRenamedFileKeepsItsService(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	hook := &fakeHook{}
	f.Attach(hook)
	f.write("a.dbs", dbs("Stock", "one"))
	f.write("z.dbs", dbs("Other", "other"))
	d := f.steps()
	for i, step := range [][2]string{{"a.dbs", "b.dbs"}, {"b.dbs", "a.dbs"}} {
		if err := os.Rename(filepath.Join(f.dir, step[0]), filepath.Join(f.dir, step[1])); err != nil {
			t.Fatal(err)
		}
		d.pass(t.Context())
		if s, ok := f.Service("Stock"); !ok || s.Description != "one" || f.Services()[1].File != step[1] {
			t.Fatalf("step %d: %+v", i, f.Services())
		}
	}
	if slices.Contains(hook.calls, "-Stock") {
		t.Errorf("the hook was told %v", hook.calls)
	}
}

func TestEmptiedFolderIsHeld(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("A.dbs", dbs("A", "a"))
	f.write("B.dbs", dbs("B", "b"))
	d := f.steps()
	f.remove("A.dbs")
	f.remove("B.dbs")
	for range 3 {
		d.pass(t.Context())
	}
	f.is("A=a/1 held, B=b/1 held")
	if n := strings.Count(f.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors were logged:\n%s", n, f.log)
	}
	// One comes back, unchanged: the folder speaks again.
	f.write("A.dbs", dbs("A", "a"))
	d.pass(t.Context())
	f.is("A=a/1")
	// The last one may go.
	f.remove("A.dbs")
	d.pass(t.Context())
	f.is("")
	// Both, confirmed before or after.
	for _, before := range []bool{true, false} {
		f.write("A.dbs", dbs("A", "a"))
		f.write("B.dbs", dbs("B", "b"))
		d.pass(t.Context())
		if before {
			f.write(confirmation, "")
		}
		f.remove("A.dbs")
		f.remove("B.dbs")
		d.pass(t.Context())
		f.write(confirmation, "")
		d.pass(t.Context())
		f.is("")
		f.remove(confirmation)
		d.pass(t.Context())
	}
}

func TestVanishedFolderIsHeld(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.write("A.dbs", dbs("A", "a"))
	f.start()
	if err := os.Rename(f.dir, f.dir+".away"); err != nil {
		t.Fatal(err)
	}
	f.until("A=a/1 held")
	if err := os.Rename(f.dir+".away", f.dir); err != nil {
		t.Fatal(err)
	}
	f.until("A=a/1")
	f.write("B.dbs", dbs("B", "b"))
	f.until("A=a/1, B=b/1")
}

func TestUnreadableSubfolderKeepsItsServices(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("NOT TESTED: root reads every folder, nothing can be made unreadable for it; run as another user")
	}
	f := newFixture(t)
	f.write("A.dbs", dbs("A", "a"))
	f.write("sub/B.dbs", dbs("B", "b"))
	d := f.steps()
	if err := os.Chmod(filepath.Join(f.dir, "sub"), 0); err != nil {
		t.Fatal(err)
	}
	d.pass(t.Context())
	f.is("A=a/1, sub/B=b/1")
	if err := os.Chmod(filepath.Join(f.dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.remove("A.dbs")
	d.pass(t.Context())
	f.is("sub/B=b/1")
}

// TestConfigMap swaps a folder of descriptors by a link, as Kubernetes does.
func TestConfigMap(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(f.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f.write("..1/A.dbs", dbs("A", "one"))
	f.write("..1/B.dbs", dbs("B", "b"))
	link("..1", "..data")
	link("..data/A.dbs", "A.dbs")
	link("..data/B.dbs", "B.dbs")
	f.start()
	f.is("A=one/1, B=b/1")
	f.write("..2/A.dbs", dbs("A", "two"))
	f.write("..2/B.dbs", dbs("B", "b"))
	link("..2", "..new")
	if err := os.Rename(filepath.Join(f.dir, "..new"), filepath.Join(f.dir, "..data")); err != nil {
		t.Fatal(err)
	}
	f.until("A=two/2, B=b/1")
}

func TestPanicRefusesTheDescriptor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.opener.fail = func(s *dataservice.Service) error {
		if s.Name == "A" {
			panic("boom")
		}
		return nil
	}
	f.write("A.dbs", dbs("A", "a"))
	f.write("B.dbs", dbs("B", "b"))
	f.steps()
	f.is("A=/0 failed!, B=b/1")
}

func TestHookDecides(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	hook := &fakeHook{}
	f.Attach(hook)
	f.write("A.dbs", dbs("A", "one"))
	f.write("B.dbs", dbs("B", "b"))
	d := f.steps()
	f.write("A.dbs", dbs("A", "hookless"))
	d.pass(t.Context())
	f.is("A=one/1!, B=b/1")
	if e := f.Services()[0].Error; !strings.HasSuffix(e, "A.dbs:3:7: no such function") {
		t.Errorf("error: %s", e)
	}
	if closed := <-f.opener.closings; closed != "hookless" {
		t.Errorf("closed %s", closed)
	}
	f.write("A.dbs", dbs("A2", "two"))
	d.pass(t.Context())
	f.is("A2=two/1, B=b/1")
	f.remove("B.dbs")
	d.pass(t.Context())
	if want := []string{"+A", "+B", "+A2", "-A", "-B"}; !slices.Equal(hook.calls, want) {
		t.Errorf("the hook was told %v, want %v", hook.calls, want)
	}
}

func TestStartNeedsItsFolder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Dir += "/missing" })
	if err := f.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "create it") {
		t.Errorf("start: %v", err)
	}
	if f.Ready() {
		t.Error("ready without a folder")
	}
	if err := f.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStress starts and stops hosts in every order at once.
func TestStress(t *testing.T) {
	t.Parallel()
	for range 20 {
		f := newFixture(t)
		f.write("A.dbs", dbs("A", "a"))
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { _ = f.Start(t.Context()) }) // one may come after Stop, or second
			all.Go(func() {
				if err := f.Stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() { get(f.Handler(), "GET", "/services/A/op") })
		}
		all.Wait()
		if err := f.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if f.Ready() || len(f.now.Load().services) > 0 {
			t.Errorf("something runs after the stop: %v", told(f.Services()))
		}
	}
}
