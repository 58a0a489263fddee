package failure

import (
	"cmp"
	"slices"
	"strings"
)

// maxSuggested bounds the names in a hint, maxCompared those that are looked at.
const (
	maxSuggested = 3
	maxCompared  = 200_000
)

// Nearest makes a hint of the names that are most like name, at most three of the
// first 200,000; empty if none is.
func Nearest[S ~string](name string, names []S) string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	limit := max(2, len(name)/3)
	for _, n := range names[:min(len(names), maxCompared)] {
		d := distance(strings.ToLower(name), strings.ToLower(string(n)), limit)
		if d > limit && name != "" && strings.Contains(strings.ToLower(string(n)), strings.ToLower(name)) {
			d = limit
		}
		if d <= limit {
			found = append(found, near{string(n), d})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	found = slices.Compact(found)
	var list []string
	for _, n := range found[:min(len(found), maxSuggested)] {
		list = append(list, n.name)
	}
	if len(list) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(list, ", ") + "?"
}

// distance is the number of bytes to insert, delete, replace or swap with their
// neighbour to make a of b; more than limit: some number above it.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
