package order

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The command line that takes an edit back names no revision: by then the task
// has another than either of the two definitions.
func TestUndoOfAnEdit(t *testing.T) {
	t.Parallel()
	was := task.Info{
		Key: task.Key{Name: "a"}, Revision: 3, Service: "Stock", Operation: "get",
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
	is := was
	is.Trigger.Interval = task.Duration(time.Hour)
	o := Order{Verb: Edit, Info: is, Was: was}
	if got := strings.Join(o.Commands(), "\n"); got != "belfry task set a --interval 1h0m0s --if-revision 3" {
		t.Errorf("the edit: %s", got)
	}
	undo, ok := o.Undo()
	if got := strings.Join(undo.Commands(), "\n"); !ok || got != "belfry task set a --interval 1m0s" {
		t.Errorf("its undo: %s", got)
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "": "''", "0 30 2 * * ?": "'0 30 2 * * ?'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "a;b": "'a;b'",
	} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
