package explain

import (
	"slices"

	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// Tally counts tasks by how they stand, and remembers the first few names of each
// kind. The zero value has none.
type Tally struct {
	total int
	by    map[contract.State]named
}

// named is how many there are, and the first few by name.
type named struct {
	count int
	first []string // at most maxNamed
}

// Add counts a task.
func (t *Tally) Add(v *contract.TaskView) {
	if t.by == nil {
		t.by = make(map[contract.State]named)
	}
	t.total++
	n := t.by[v.State]
	n.count++
	if i, _ := slices.BinarySearch(n.first, v.Name); i < maxNamed {
		n.first = slices.Insert(n.first, i, v.Name)
		n.first = n.first[:min(len(n.first), maxNamed)]
	}
	t.by[v.State] = n
}
