package tasks

import (
	"slices"

	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// Ordered is how a list is filtered and sorted.
type Ordered struct {
	Filter string `json:"filter,omitempty"`
	Sort   string `json:"sort,omitempty"` // a column; unknown or empty: the first
	Turned bool   `json:"turned,omitempty"`
}

// Ordered tells how the list is filtered and sorted; what is being typed does not
// count yet.
func (t List) Ordered(before Ordered) Ordered {
	o := Ordered{Filter: t.filter.Words(), Turned: t.turned}
	if t.sort > 0 {
		o.Sort = sorts[t.sort]
	}
	if t.filter.Typing() {
		o.Filter = before.Filter
	}
	return o
}

// NewOrdered makes a list that is filtered and sorted.
func NewOrdered(o Ordered) List {
	t := New()
	t.filter = screen.WordFilter(widget.NewLine(o.Filter))
	t.sort, t.turned = max(0, slices.Index(sorts, o.Sort)), o.Turned
	return t
}
