package output

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// loose is how many items a spool holds as they are.
const loose = 8192

// Spool holds items that come in no order, and gives them in order. The last few
// thousand are held as they are, all others packed: sorted, as JSON, compressed. So a
// hundred thousand tasks take some ten megabytes. Use it from one goroutine.
type Spool[T any] struct {
	compare func(a, b T) int
	items   []T      // not packed
	packs   [][]byte // each in order
	n       int
}

// NewSpool makes an empty one. Items must survive JSON.
func NewSpool[T any](compare func(a, b T) int) *Spool[T] { return &Spool[T]{compare: compare} }

// Len counts the items.
func (s *Spool[T]) Len() int { return s.n }

// Add puts an item in.
func (s *Spool[T]) Add(item T) error {
	if len(s.items) == loose {
		if err := s.pack(); err != nil {
			return err
		}
	}
	s.items = append(s.items, item)
	s.n++
	return nil
}

func (s *Spool[T]) pack() error {
	slices.SortFunc(s.items, s.compare)
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	for _, item := range s.items {
		if err := encoder.Encode(item); err != nil {
			return fmt.Errorf("pack: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	s.packs = append(s.packs, bytes.Clone(packed.Bytes()))
	clear(s.items)
	s.items = s.items[:0]
	return nil
}

// Each gives all items, in order.
func (s *Spool[T]) Each(f func(T) error) error {
	sources, err := s.sources()
	for err == nil && len(sources) > 0 {
		first := 0
		for i := range sources {
			if s.compare(sources[i].item, sources[first].item) < 0 {
				first = i
			}
		}
		if err := f(sources[first].item); err != nil {
			return err
		}
		if sources[first].item, err = sources[first].next(); errors.Is(err, io.EOF) {
			sources, err = slices.Delete(sources, first, first+1), nil
		}
	}
	return err
}

// source gives items in order, one of which is at hand.
type source[T any] struct {
	item T
	next func() (T, error) // io.EOF: no more
}

func (s *Spool[T]) sources() ([]source[T], error) {
	slices.SortFunc(s.items, s.compare)
	rest := s.items
	nexts := make([]func() (T, error), 0, len(s.packs)+1)
	for _, pack := range s.packs {
		decoder := json.NewDecoder(flate.NewReader(bytes.NewReader(pack)))
		nexts = append(nexts, func() (item T, err error) { return item, decoder.Decode(&item) })
	}
	nexts = append(nexts, func() (item T, err error) {
		if len(rest) == 0 {
			return item, io.EOF
		}
		item, rest = rest[0], rest[1:]
		return item, nil
	})
	sources := make([]source[T], 0, len(nexts))
	for _, next := range nexts {
		switch item, err := next(); {
		case err == nil:
			sources = append(sources, source[T]{item, next})
		case !errors.Is(err, io.EOF):
			return nil, err
		}
	}
	return sources, nil
}
