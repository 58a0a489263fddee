package control

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// TaskPage gives the first of the tasks that a filter lets pass, by name, tenant and
// type, and of these only such as come after a key; more tells whether there are
// others behind them. It holds no more than a page, limit and one, however many tasks
// there are, and works out how a task stands only if it may be of the page. Codes as
// of EachTask.
func (c *Control) TaskPage(ctx context.Context, f TaskFilter, after task.Key, limit int) (page []contract.TaskView, more bool, err error) {
	p := taskPage{after: after, most: limit + 1}
	pass := func(info *task.Info) bool { return f.definition(info) && p.takes(info.Key) }
	err = c.eachTask(ctx, f, pass, func(v contract.TaskView) error { p.add(&v); return nil })
	if err != nil {
		return nil, false, err
	}
	more = len(p.views) > limit
	page = make([]contract.TaskView, 0, limit)
	for _, v := range p.views[:min(limit, len(p.views))] {
		page = append(page, *v)
	}
	return page, more, nil
}

// taskPage keeps the first of the tasks that it is shown, in order.
type taskPage struct {
	after task.Key
	most  int

	mu    sync.Mutex // guards views
	views []*contract.TaskView
}

// takes tells whether a task may still be of the page.
func (p *taskPage) takes(k task.Key) bool {
	if compareKeys(k, p.after) <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.views) < p.most || compareKeys(k, viewed(p.views[len(p.views)-1])) < 0
}

// add puts a task into its place, and leaves out what there is no room for then.
func (p *taskPage) add(v *contract.TaskView) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, _ := slices.BinarySearchFunc(p.views, viewed(v), func(other *contract.TaskView, k task.Key) int { return compareKeys(viewed(other), k) })
	p.views = slices.Insert(p.views, i, v)
	p.views = p.views[:min(p.most, len(p.views))]
}

func viewed(v *contract.TaskView) task.Key {
	return task.Key{Tenant: v.Tenant, Type: v.Type, Name: v.Name}
}

// compareKeys orders keys as contract.ByName does.
func compareKeys(a, b task.Key) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Type, b.Type))
}
