package coordtest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Event is one call of a History: a read that saw a version, or a write that
// made it.
type Event struct {
	Key        string
	Version    int64
	Begin, End time.Time
	Write      bool
	// AtLeast: the call proved only that the entry had come this far.
	AtLeast bool
}

// History records calls on entries that are only ever set, so that the version
// orders the writes. Safe for concurrent use.
type History struct {
	mu     sync.Mutex
	events []Event
}

// Add records a call that has been answered.
func (h *History) Add(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// Check tells whether the calls on each key could have happened one after
// another, each between its begin and its end. Because each version is written
// once, it suffices that no version was made twice, none was skipped, and no
// call that began after another had ended saw an older version, or made one
// that is not newer.
func (h *History) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	byKey := make(map[string][]Event)
	for _, e := range h.events {
		byKey[e.Key] = append(byKey[e.Key], e)
	}
	for key, events := range byKey {
		if err := checkKey(events); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func checkKey(events []Event) error {
	made := make(map[int64]Event)
	newest := int64(0)
	for _, e := range events {
		newest = max(newest, e.Version)
		if !e.Write {
			continue
		}
		if first, ok := made[e.Version]; ok {
			return fmt.Errorf("version %d was made twice, by calls that ended %s and %s", e.Version, first.End, e.End)
		}
		made[e.Version] = e
	}
	for v := int64(1); v <= newest; v++ {
		if _, ok := made[v]; !ok {
			return fmt.Errorf("version %d was seen, and nobody made %d", newest, v)
		}
	}
	return checkOrder(events, made)
}

func checkOrder(events []Event, made map[int64]Event) error {
	slices.SortFunc(events, func(a, b Event) int { return a.Begin.Compare(b.Begin) })
	ended := slices.Clone(events)
	slices.SortFunc(ended, func(a, b Event) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.Version, b.Version)) })
	i, known := 0, int64(0)
	for _, e := range events {
		for ; i < len(ended) && ended[i].End.Before(e.Begin); i++ {
			known = max(known, ended[i].Version)
		}
		switch {
		case e.Write && e.Version <= known:
			return fmt.Errorf("version %d was made by a call that began when %d was known", e.Version, known)
		case !e.Write && !e.AtLeast && e.Version < known:
			return fmt.Errorf("version %d was read by a call that began when %d was known", e.Version, known)
		}
		if w, ok := made[e.Version]; ok && e.End.Before(w.Begin) {
			return fmt.Errorf("version %d was seen before it was made", e.Version)
		}
	}
	return nil
}
