package plugin

import (
	"fmt"
	"testing"

	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// A flood to one receiver leaves room for what is behind it, and is given all
// the room that nobody else wants.
func TestFairness(t *testing.T) {
	t.Parallel()
	to := func(address string, n int) []store.Message {
		all := make([]store.Message, n)
		for i := range all {
			all[i].Message = task.Message{ID: fmt.Sprint(address, i), To: address}
		}
		return all
	}
	count := func(list []store.Message, limit int) map[string]int {
		counts := map[string]int{}
		for _, p := range fair(list, limit) {
			counts[p.To]++
		}
		return counts
	}
	list := append(to("flood", 1000), append(to("mail", 3), to("task", 20)...)...)
	if got := count(list, 64); got["flood"] != 64-3-8 || got["mail"] != 3 || got["task"] != 8 {
		t.Errorf("%v", got)
	}
	if got := count(to("flood", 1000), 64); got["flood"] != 64 {
		t.Errorf("%v", got)
	}
	if got := count(to("flood", 5), 64); got["flood"] != 5 {
		t.Errorf("%v", got)
	}
	if got := fair(list, 64)[0].ID; got != "flood0" {
		t.Errorf("%s is first", got)
	}
}
