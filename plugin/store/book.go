package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Consulted is the Book if any of the definitions names calendars, else nil.
// Error: coordclient.ErrUnavailable.
func (s *Store) Consulted(ctx context.Context, definitions []task.Info) (*calendar.Book, error) {
	if !slices.ContainsFunc(definitions, func(i task.Info) bool { return i.Windows != nil }) {
		return nil, nil //nolint:nilnil // nil is a book without calendars
	}
	return s.Book(ctx)
}

// Book reads all calendars as of one revision; 0: there never was any. One that
// cannot be read, or does not compile, is among its faults. Error:
// coordclient.ErrUnavailable.
func (s *Store) Book(ctx context.Context) (*calendar.Book, error) {
	fail := func(err error) (*calendar.Book, error) { return nil, fmt.Errorf("calendars: %w", err) }
	for try := range maxMoves {
		head, err := s.peek(ctx, s.keys.calendars())
		if errors.Is(err, coordclient.ErrNotFound) {
			return &calendar.Book{}, nil
		}
		if err != nil {
			return fail(err)
		}
		if b := s.book.Load(); b != nil && b.Revision == head.Version+1 {
			return b, nil
		}
		b, err := s.readBook(ctx, head.Version+1)
		if err != nil {
			return fail(err)
		}
		now, err := s.peek(ctx, s.keys.calendars())
		if err != nil {
			return fail(err)
		}
		if now.Version == head.Version {
			s.book.Store(b)
			return b, nil
		}
		if err := backoff(ctx, try); err != nil {
			return fail(err)
		}
	}
	return fail(fmt.Errorf("%w: they moved %d times meanwhile", coordclient.ErrUnavailable, maxMoves))
}

func (s *Store) readBook(ctx context.Context, revision int64) (*calendar.Book, error) {
	b := &calendar.Book{Revision: revision, Calendars: make(map[string]*calendar.Calendar), Faults: make(map[string]error)}
	type page struct {
		name string
		c    *calendar.Calendar
		err  error
	}
	pages, err := read(ctx, s, s.keys.calendars(), func(segment string, e coordclient.Entry) (page, error) {
		c, fault := decodeCalendar(e)
		if fault != nil {
			s.corrupt(&CorruptError{e.Key, fault})
			name, err := unescape(segment)
			return page{name: name, err: fault}, err
		}
		compiled, fault := calendar.Compile(c.Definition)
		return page{c.Name, compiled, fault}, nil
	})
	for _, p := range pages {
		if p.err != nil {
			b.Faults[p.name] = p.err
		} else {
			b.Calendars[p.name] = p.c
		}
	}
	return b, err
}

// naming calls commit with a check that the calendars of all windows exist (nil:
// of none), and again when calendars moved meanwhile. Errors:
// *calendar.MissingError, those of commit.
func (s *Store) naming(ctx context.Context, all []*task.Windows, commit func(check []coordclient.Op) error) error {
	all = slices.DeleteFunc(all, func(w *task.Windows) bool { return w == nil })
	if len(all) == 0 {
		return commit(nil)
	}
	for try := range maxMoves {
		book, err := s.Book(ctx)
		if err != nil {
			return err
		}
		for _, w := range all {
			if _, err := book.Windows(w); err != nil {
				return err
			}
		}
		check := coordclient.Check(s.keys.calendars(), book.Revision-1)
		err = commit([]coordclient.Op{check})
		var failed *coordclient.CommitError
		if !errors.As(err, &failed) || failed.Op.Kind != coordclient.OpCheck || failed.Op.Key != check.Key {
			return err
		}
		if err := backoff(ctx, try); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: calendars moved %d times meanwhile", coordclient.ErrUnavailable, maxMoves)
}
