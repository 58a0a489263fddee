package firecheck

import (
	"slices"
	"sort"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
)

// Resolution is how exactly two recorders on one machine know what came first:
// a store dates its commits when they are proposed, in whole milliseconds.
const Resolution = 2 * time.Millisecond

// Merge puts commits, in their order, and what targets recorded into one
// history. Each target event comes after all commits of its time, but within
// Resolution before the settlement of its own attempt; of attempt 0, which is
// that of a target that was not told, before that of the firing.
func Merge(commits, targets []Event) []Event {
	sort.SliceStable(targets, func(i, j int) bool { return targets[i].At.Before(targets[j].At) })
	before := make([][]Event, len(commits)+1) // what goes before each commit
	for _, e := range targets {
		i := sort.Search(len(commits), func(i int) bool { return commits[i].At.After(e.At) })
		for k := i; k > 0 && commits[k-1].At.After(e.At.Add(-Resolution)); k-- {
			if settles(commits[k-1], e) {
				i = k - 1
			}
		}
		before[i] = append(before[i], e)
	}
	history := make([]Event, 0, len(commits)+len(targets))
	for i, e := range commits {
		history = append(append(history, before[i]...), e)
	}
	return append(history, before[len(commits)]...)
}

// settles tells whether a commit settles the attempt of an event.
func settles(commit, e Event) bool {
	return commit.What == Committed && slices.ContainsFunc(commit.Batch.Records, func(r bucket.Record) bool {
		return r.Kind == bucket.Settle && (r.Attempt == e.Attempt || e.Attempt == 0 && r.Final) && r.FireID() == e.Fire
	})
}
