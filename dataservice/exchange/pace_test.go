package exchange

import (
	"testing"
	"time"
)

// A second's worth at once, then one for each part of a second, whatever came before.
func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC)
	p := newPace(4)
	take := func(n int) (taken int) {
		for range n {
			if p.take(now) {
				taken++
			}
		}
		return taken
	}
	for i, c := range []struct {
		later time.Duration
		come  int
		want  int
	}{
		{0, 10, 4},
		{249 * time.Millisecond, 3, 0},
		{time.Millisecond, 3, 1},
		{500 * time.Millisecond, 9, 2},
		{time.Hour, 9, 4},
		{-time.Hour, 9, 0},
		{time.Hour + time.Second, 1, 1},
	} {
		now = now.Add(c.later)
		if got := take(c.come); got != c.want {
			t.Errorf("%d: %d of %d go through, want %d", i, got, c.come, c.want)
		}
	}
	p = newPace(0)
	if got := take(100); got != 100 {
		t.Errorf("without a rate %d of 100 go through", got)
	}
}
