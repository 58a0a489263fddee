package control

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// A page is what sorting all tasks and cutting would give, but of a hundred thousand
// only some hundreds are looked at closely.
func TestTaskPage(t *testing.T) {
	t.Parallel()
	const tasks, limit = 100_000, 100
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]contract.TaskView, tasks)
	for i := range all {
		all[i] = contract.TaskView{Name: fmt.Sprintf("t%05d", i/2), Tenant: fmt.Sprint("tenant", i%2), Type: "x"}
	}
	sorted := slices.Clone(all)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, from := range []int{0, 1, tasks / 2, tasks - limit, tasks - 1} {
		p := taskPage{most: limit + 1}
		if from > 0 {
			p.after = viewed(&sorted[from-1])
		}
		closely := 0
		for i := range all {
			if p.takes(viewed(&all[i])) {
				closely++
				p.add(&all[i])
			}
		}
		want := sorted[from:min(tasks, from+limit+1)]
		if !slices.EqualFunc(p.views, want, func(a *contract.TaskView, b contract.TaskView) bool { return viewed(a) == viewed(&b) }) {
			t.Errorf("from %d: %d tasks, first %+v", from, len(p.views), *p.views[0])
		}
		if closely > 12*limit {
			t.Errorf("from %d: %d tasks were looked at closely", from, closely)
		}
	}
}

func TestTaskPageOfAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 5 {
		w.create(minutely(fmt.Sprintf("t%d", i)))
	}
	page, more, err := w.control.TaskPage(t.Context(), TaskFilter{}, task.Key{}, 5)
	if err != nil || more || len(page) != 5 {
		t.Errorf("%d tasks, more %v, %v", len(page), more, err)
	}
	page, more, err = w.control.TaskPage(t.Context(), TaskFilter{NamePrefix: "t"}, viewed(&page[1]), 2)
	if err != nil || !more || len(page) != 2 || page[0].Name != "t2" {
		t.Errorf("%+v, more %v, %v", page, more, err)
	}
	if _, _, err := w.control.TaskPage(t.Context(), TaskFilter{States: []contract.State{"late"}}, task.Key{}, 2); err == nil {
		t.Error("a state that there is not")
	}
}
