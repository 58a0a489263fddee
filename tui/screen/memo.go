package screen

// Memo keeps what was worked out last, for as long as it is asked for the same:
// a screen is drawn, and asked what its keys do, several times for one key. The
// zero value is empty. The copies of a screen may share one; it is used from one
// goroutine.
type Memo[K comparable, V any] struct {
	key   K
	value V
	full  bool
}

// Of gives the value of a key, which work gives unless it is the last one.
// The value is not changed.
func (m *Memo[K, V]) Of(key K, work func() V) V {
	if !m.full || m.key != key {
		m.key, m.value, m.full = key, work(), true
	}
	return m.value
}
