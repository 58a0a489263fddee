package output

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// heading is the name of a column as --sort-by takes it.
func heading(name string) string {
	return strings.NewReplacer(" ", "-", "_", "-").Replace(strings.ToLower(name))
}

// SortKeys are what a list of this frame can be ordered by.
func (f Frame[T]) SortKeys() []string {
	keys := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		keys[i] = heading(field.Name)
	}
	return keys
}

// CheckSort refuses what is none of keys; a leading - turns the order round.
func CheckSort(by string, keys []string) error {
	if key := heading(strings.TrimPrefix(by, "-")); by == "" || slices.Contains(keys, key) {
		return nil
	}
	return fmt.Errorf("--sort-by %q: this list has the columns %s", by, strings.Join(keys, ", "))
}

// sorted gives all items in the order of p.SortBy: numbers and lengths of time by
// their size, all else as text, and what is empty last. It holds all of them.
func (f Frame[T]) sorted(p Printer, items Each[T]) (Each[T], error) {
	if err := CheckSort(p.SortBy, f.SortKeys()); err != nil {
		return nil, err
	}
	by, down := strings.CutPrefix(p.SortBy, "-")
	field := f.Fields[slices.Index(f.SortKeys(), heading(by))]
	type keyed struct {
		key  sortKey
		item T
	}
	plain := p
	plain.Times = Times{} // instants as text in UTC are in order
	var all []keyed
	err := items(func(item T) error {
		all = append(all, keyed{sortKeyOf(field.Of(plain, item).Plain), item})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return a.key.compare(b.key, down) })
	return func(f func(T) error) error {
		for _, k := range all {
			if err := f(k.item); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// sortKey is a cell's place in an order.
type sortKey struct {
	text   string
	number float64
	size   bool // number counts
}

func sortKeyOf(text string) sortKey {
	if n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64); err == nil {
		return sortKey{text, n, true}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return sortKey{text, d.Seconds(), true}
	}
	return sortKey{text: text}
}

func (k sortKey) compare(other sortKey, down bool) int {
	if k.text == "" || other.text == "" {
		return cmp.Compare(min(1, len(other.text)), min(1, len(k.text)))
	}
	order := strings.Compare(k.text, other.text)
	if k.size && other.size {
		order = cmp.Compare(k.number, other.number)
	} else if k.size != other.size {
		order = map[bool]int{true: -1, false: 1}[k.size] // numbers go before words
	}
	if down {
		return -order
	}
	return order
}
