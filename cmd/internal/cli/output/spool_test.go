package output

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// A spool gives what was put in, in order, packed or not, and again when asked again.
func TestSpool(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, loose, loose + 1, 3*loose + 17} {
		s := NewSpool(func(a, b item) int { return cmp.Compare(a.Name, b.Name) })
		want := make([]item, n)
		for i := range want {
			want[i] = item{Name: string(rune('a'+i%26)) + "ü\n" + string(rune('0'+i%10)), N: int64(i)}
			want[i].Name += string(rune(0x4e00 + i))
		}
		shuffled := slices.Clone(want)
		rand.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, one := range shuffled {
			if err := s.Add(one); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, func(a, b item) int { return cmp.Compare(a.Name, b.Name) })
		for range 2 {
			var got []item
			if err := s.Each(func(one item) error { got = append(got, one); return nil }); err != nil {
				t.Fatal(err)
			}
			if s.Len() != n || !slices.Equal(got, want) {
				t.Errorf("%d items: %d came, Len %d; not what was put in, in order", n, len(got), s.Len())
			}
		}
		enough := errors.New("enough")
		if err := s.Each(func(item) error { return enough }); n > 0 && !errors.Is(err, enough) {
			t.Errorf("it goes on after an error: %v", err)
		}
	}
}
