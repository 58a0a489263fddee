package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

func office(weekly string) calendar.Definition {
	return calendar.Definition{Name: "office", Weekly: []string{weekly}}
}

func set(t *testing.T, s *Store, d calendar.Definition) Calendar {
	t.Helper()
	c, err := s.SetCalendar(t.Context(), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func within(name string) task.Info {
	info := named("t")
	info.Windows = &task.Windows{Allow: []string{name}}
	return info
}

func TestCalendars(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		ctx, s := t.Context(), opened(t, p, Options{}).As("ann")
		first := set(t, s, office("mon-fri"))
		if first.Revision != 1 || first.Edit.By != "ann" || first.Edit.At.IsZero() {
			t.Errorf("created %+v", first)
		}
		if again := set(t, s, office("mon-fri")); again.Revision != 1 {
			t.Errorf("the same again is revision %d", again.Revision)
		}
		if _, err := s.SetCalendar(ctx, office("sat"), -1); !errors.Is(err, coordclient.ErrExists) {
			t.Errorf("created over another: %v", err)
		}
		if second := set(t, s, office("mon-thu")); second.Revision != 2 {
			t.Errorf("changed: %+v", second)
		}
		if _, err := s.SetCalendar(ctx, office("sat"), 1); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("changed at an old revision: %v", err)
		}
		all, err := s.Calendars(ctx)
		if err != nil || len(all) != 1 || all[0].Weekly[0] != "mon-thu" {
			t.Errorf("list: %+v, %v", all, err)
		}
		if err := s.DeleteCalendar(ctx, "office", 1); !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("deleted at an old revision: %v", err)
		}
		if err := s.DeleteCalendar(ctx, "office", 2); err != nil {
			t.Error(err)
		}
		if err := s.DeleteCalendar(ctx, "office", 0); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		edits, err := s.Audit(ctx)
		var codes []string
		for _, e := range edits {
			codes = append(codes, e.Code+" "+e.Object+" "+e.By)
		}
		want := "CALENDAR_SET office ann, CALENDAR_SET office ann, CALENDAR_DELETED office ann"
		if got := strings.Join(codes, ", "); err != nil || got != want {
			t.Errorf("audit %q, %v", got, err)
		}
	})
}

func TestTasksNameCalendars(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		ctx, s := t.Context(), opened(t, p, Options{})
		var missing *calendar.MissingError
		if _, err := s.Create(ctx, within("office")); !errors.As(err, &missing) {
			t.Errorf("created with a calendar that is missing: %v", err)
		}
		set(t, s, office("mon-fri"))
		info, err := s.Create(ctx, within("office"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Update(ctx, info.Key, 0, func(i *task.Info) error { i.Windows.Forbid = []string{"holidays"}; return nil })
		if !errors.As(err, &missing) || missing.Name != "holidays" {
			t.Errorf("changed to a calendar that is missing: %v", err)
		}
		var used *InUseError
		if err := s.DeleteCalendar(ctx, "office", 0); !errors.As(err, &used) || len(used.Tasks) != 1 || used.Tasks[0].Name != "t" {
			t.Errorf("deleted though it is used: %v", err)
		}
		if _, err := s.Update(ctx, info.Key, 0, func(i *task.Info) error { i.Windows = nil; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteCalendar(ctx, "office", 0); err != nil {
			t.Error(err)
		}
	})
}

// beginning lets a task begin to name a calendar just before a commit lands.
type beginning struct {
	coordclient.KV
	once func()
}

func (b *beginning) Commit(ctx context.Context, ops ...coordclient.Op) error {
	for _, op := range ops {
		if once := b.once; op.Kind == coordclient.OpDelete && strings.HasPrefix(op.Key, "/calendars/") && once != nil {
			b.once = nil
			once()
		}
	}
	return b.KV.Commit(ctx, ops...)
}

func TestACalendarIsNotDeletedUnderATask(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		other := opened(t, p, Options{})
		late := &beginning{KV: p}
		s := New(late, Options{})
		set(t, other, office("mon-fri"))
		late.once = func() {
			if _, err := other.Create(t.Context(), within("office")); err != nil {
				t.Error(err)
			}
		}
		var used *InUseError
		if err := s.DeleteCalendar(t.Context(), "office", 0); !errors.As(err, &used) {
			t.Errorf("deleted, though a task has begun to name it: %v", err)
		}
	})
}

// An edit of a calendar fails the batch on its way, of those owners alone whose
// tasks name calendars.
func TestAnEditOfACalendarFencesOwners(t *testing.T) {
	t.Parallel()
	g := newGroup()
	_, o := g.host(t, "a")
	set(t, o.Store, office("mon-fri"))
	info, err := o.Create(t.Context(), within("office"))
	if err != nil {
		t.Fatal(err)
	}
	b := home(t, o.Store, info.Key)
	f, plain := acquired(t, o, b), acquired(t, o, (b+1)%4)
	l, err := o.Load(t.Context(), f)
	if err != nil || l.Calendars == nil || l.Calendars.Calendars["office"] == nil {
		t.Fatalf("loaded %+v, %v", l.Calendars, err)
	}
	if l, err := o.Load(t.Context(), plain); err != nil || l.Calendars != nil {
		t.Errorf("a bucket without such tasks loaded %+v, %v", l.Calendars, err)
	}
	f.Calendars = l.Calendars.Revision
	changed, err := o.WatchCalendars(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set(t, o.Store, office("sat"))
	<-changed
	if err := o.Commit(t.Context(), f, bucket.Write{Seq: 1, Batch: []byte("x")}); !errors.Is(err, bucket.ErrMoved) {
		t.Errorf("a batch decided by the calendar before: %v", err)
	}
	if err := o.Commit(t.Context(), plain, bucket.Write{Seq: 1, Batch: []byte("x")}); err != nil {
		t.Errorf("a batch of another bucket: %v", err)
	}
	now, c, err := o.Refresh(t.Context(), f, 1)
	if err != nil || c.Calendars == nil || now.Calendars <= f.Calendars {
		t.Fatalf("refreshed to %+v, %+v, %v", now, c, err)
	}
	if err := o.Commit(t.Context(), now, bucket.Write{Seq: 1, Batch: []byte("x")}); err != nil {
		t.Errorf("with the new fence: %v", err)
	}
}

func TestACorruptCalendarIsAFault(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		var heard reports
		s := opened(t, p, Options{Corrupt: heard.add})
		set(t, s, office("mon-fri"))
		if err := p.Commit(t.Context(), coordclient.Create("/calendars/odd", []byte("{"))); err != nil {
			t.Fatal(err)
		}
		s = opened(t, p, Options{Corrupt: heard.add})
		book, err := s.Book(t.Context())
		if err != nil || book.Faults["odd"] == nil || book.Calendars["office"] == nil || len(heard.keys) == 0 {
			t.Errorf("book %+v, %v, heard %v", book, err, heard.keys)
		}
		set(t, s, calendar.Definition{Name: "odd", Weekly: []string{"sat"}})
		if book, err = s.Book(t.Context()); err != nil || book.Calendars["odd"] == nil {
			t.Errorf("after it was replaced: %+v, %v", book, err)
		}
	})
}
