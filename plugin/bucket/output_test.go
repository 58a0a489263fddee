package bucket

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

// What a run was answered is kept in the log, and in the ring once that is
// folded.
func TestOutputIsKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(second(1))
	b.settle(1, 1, task.Result{Outcome: task.OK, Output: "7 rows"})
	if r := b.last(); r.Value != "7 rows" {
		t.Errorf("%+v", r)
	}
	b.restart()
	if r := b.last(); r.Value != "7 rows" {
		t.Errorf("from the log: %+v", r)
	}
	_, runs, err := b.s.Fold(0)
	if err != nil {
		t.Fatal(err)
	}
	if ring, err := decodeRuns(runs); err != nil || len(ring["u"]) != 1 || ring["u"][0].value != "7 rows" {
		t.Errorf("from the ring: %+v, %v", ring, err)
	}
}

// However much runs answer, a bucket holds no more of it in memory than it can
// store, and the last run's longest.
func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	s := &State{entries: map[string]*entry{}, keys: map[task.Key]*entry{}}
	text := strings.Repeat("x", 1024)
	const tasks, runs = 200, 15
	for n := range runs {
		for i := range tasks {
			uid := fmt.Sprint("u", i)
			e := s.entries[uid]
			if e == nil {
				e = &entry{cur: Cursor{UID: uid}}
				s.entries[uid] = e
			}
			at := int64(1 + n*tasks + i)
			s.remember(e, past{at: at, end: at, value: text, outcome: codeOf(outcomes, task.OK)})
		}
	}
	held := 0
	for _, e := range s.entries {
		for i := range e.runs {
			held += len(e.runs[i].value)
		}
	}
	if held > MaxRuns || held < MaxRuns/4 || held != s.values {
		t.Errorf("%d bytes are held, %d counted; the bound is %d", held, s.values, MaxRuns)
	}
	last := s.entries[fmt.Sprint("u", tasks-1)].runs
	if last[len(last)-1].value != text {
		t.Error("what came last is gone")
	}
}
