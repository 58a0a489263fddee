package widget

import "github.com/seed42aab489/belfry/tui/intent"

// Cursor is a place in a list, and the part of the list that is seen. The zero
// value is at its top.
type Cursor struct {
	At  int
	Top int // the first line that is seen
}

// Move answers an intent of movement in a list of n lines of which height are
// seen. False: it was another intent.
func (c Cursor) Move(in intent.Intent, n, height int) (Cursor, bool) {
	switch in.Action {
	case intent.Down:
		c.At++
	case intent.Up:
		c.At--
	case intent.PageDown:
		c.At += max(1, height-1)
	case intent.PageUp:
		c.At -= max(1, height-1)
	case intent.HalfDown:
		c.At += max(1, height/2)
	case intent.HalfUp:
		c.At -= max(1, height/2)
	case intent.First:
		c.At = 0
	case intent.Last:
		c.At = n - 1
	case intent.Scroll:
		c.At += in.Row
	default:
		return c, false
	}
	return c.Within(n, height), true
}

// Within keeps the place in a list of n lines of which height are seen.
func (c Cursor) Within(n, height int) Cursor {
	c.At = max(0, min(c.At, n-1))
	height = max(1, height)
	c.Top = max(0, min(c.Top, c.At, n-height))
	if c.At >= c.Top+height {
		c.Top = c.At - height + 1
	}
	return c
}
