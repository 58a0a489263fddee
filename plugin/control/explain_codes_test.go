package control

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/explain"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Every code that an explanation can have, by the names of its constants, is brought
// about by a test of this package that asks explains for it.
func TestEveryReasonIsBroughtAbout(t *testing.T) {
	t.Parallel()
	codes, shown := make(map[string]bool), make(map[string]bool)
	gather := func(path string, visit func(ast.Node) bool) {
		t.Helper()
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, visit)
	}
	sources := func(pattern string) (names []string) {
		t.Helper()
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, names, err)
		}
		return names
	}
	for _, name := range append(sources("explain/*.go"), sources("standing/*.go")...) {
		// What codes.go describes are also the reasons of runs that were skipped.
		if !strings.HasSuffix(name, "_test.go") && filepath.Base(name) != "codes.go" {
			gather(name, reasons(codes))
		}
	}
	for _, name := range sources("*_test.go") {
		gather(name, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 3 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "explains" {
				ast.Inspect(call.Args[1], reasons(shown))
			}
			return true
		})
	}
	if len(codes) < 30 {
		t.Errorf("only %d codes were found: %v", len(codes), slices.Sorted(maps.Keys(codes)))
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if !shown[code] {
			t.Errorf("no test brings about %s", code)
		}
	}
}

// reasons gathers the identifiers that name a code: those of this package, and those
// of task that are used here.
func reasons(found map[string]bool) func(ast.Node) bool {
	return func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if rest, ok := strings.CutPrefix(id.Name, "Reason"); ok && rest != "" && rest != "s" {
				found[id.Name] = true
			}
		}
		return true
	}
}

// What calendars do to a task, and that one which it names cannot be read.
func TestExplainWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		for _, name := range []string{"closed", "broken", "unused"} {
			if _, err := w.control.SetCalendar(t.Context(), calendar.Definition{Name: name, Dates: []string{"2040-01-01"}}, 0); err != nil {
				t.Fatal(err)
			}
			if info := minutely(name); name != "unused" {
				info.Windows = &task.Windows{Allow: []string{name}}
				w.create(info)
			}
		}
		over := minutely("over")
		over.Windows = &task.Windows{Allow: []string{"over"}}
		if _, err := w.control.SetCalendar(t.Context(), calendar.Definition{Name: "over", Dates: []string{"1999-01-01"}}, 0); err != nil {
			t.Fatal(err)
		}
		w.create(over)
		time.Sleep(2 * time.Minute)
		if f := w.explains("over", string(task.ReasonWindow), explain.LevelWarn); !strings.Contains(f.Text, "no opening is in sight") {
			t.Errorf("%+v", f)
		}
		if v := w.task("over"); v.State != contract.Waiting || v.Reason != "CALENDAR_EXCLUDED: no opening is in sight; in over; outside: skip" {
			t.Errorf("it is %s, %q: an edit of the calendar brings it back", v.State, v.Reason)
		}
		if f := w.explains("closed", string(task.ReasonWindow), explain.LevelInfo); !strings.Contains(f.Text, "until 2040-01-01") {
			t.Errorf("%+v", f)
		}
		rot(t, w, "/calendars/broken")
		if err := w.control.DeleteCalendar(t.Context(), "unused", 0); err != nil { // so that all are read again
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		w.explains("broken", contract.ReasonNoCalendar, explain.LevelFail)
	})
}

// What catching up leaves out.
func TestExplainCatchUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.boot("a", 0, cluster.Options{}, catalogue()...)
		w.awaits("placed")
		info := minutely("caught")
		info.Misfire = task.MisfireFireAll
		w.create(info)
		time.Sleep(90 * time.Second)
		a.kill()
		time.Sleep(4 * time.Hour)
		w.boot("b", 0, cluster.Options{}, catalogue()...)
		w.awaits("placed")
		time.Sleep(time.Second)
		w.explains("caught", string(task.ReasonCatchUp), explain.LevelWarn)
	})
}

// A firing that was put off and then called off by somebody, and a run that waits for
// its reply.
func TestExplainWhatWasCalledOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n2")
		if _, err := w.control.SetCalendar(t.Context(), calendar.Definition{Name: "far", Dates: []string{"2040-01-01"}}, 0); err != nil {
			t.Fatal(err)
		}
		info := minutely("deferred")
		info.Windows = &task.Windows{Allow: []string{"far"}, Outside: task.OutsideDefer}
		w.create(info)
		time.Sleep(90 * time.Second)
		v := w.task("deferred")
		id := task.ScheduledID(v.UID, v.Next.Add(-time.Minute))
		if err := w.control.CancelRun(t.Context(), string(id)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		w.explains("deferred", string(task.ReasonRefused), explain.LevelWarn)
		w.does(func(context.Context, task.Call) task.Result { return task.Result{Outcome: task.Waiting} })
		w.waiting(installs("agent"))
		w.explains("agent", contract.ReasonReply, explain.LevelWarn)
	})
}

// rot makes a record one that cannot be read.
func rot(t *testing.T, w *world, key string) {
	t.Helper()
	e, _, err := w.client.Get(t.Context(), key)
	if err == nil {
		err = w.client.Commit(t.Context(), coordclient.Set(key, []byte("?"), e.Version))
	}
	if err != nil {
		t.Fatal(err)
	}
}
