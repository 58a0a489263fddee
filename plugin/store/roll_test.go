package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Whatever administrators and owners do, and whenever a leader keeps a roll: what is
// read by the roll is what is read task by task.
func TestRollsTellWhatTheTasksTell(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newRollWorld(t, seed)
			for range 200 {
				w.step()
				w.compare()
			}
			if w.saved == 0 || w.handed == 0 || w.removed == 0 {
				t.Errorf("%d times a roll saved reads, %d tasks handed over, %d removed: that shows nothing", w.saved, w.handed, w.removed)
			}
		})
	}
}

// rollWorld is a store in which everything happens that changes definitions.
type rollWorld struct {
	*testing.T
	o               *Owner
	lead            Lead
	rand            *rand.Rand
	reads           *countingPort
	saved           int // times that a roll spared reads
	handed, removed int
}

// countingPort counts the entries that are read through it.
type countingPort struct {
	port
	n atomic.Int64
}

func (c *countingPort) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	c.n.Add(1)
	return c.port.Get(ctx, key)
}

func newRollWorld(t *testing.T, seed uint64) *rollWorld {
	t.Helper()
	reads := &countingPort{port: coordtest.NewMemory()}
	o := prepared(t, reads)
	lead, err := o.TakeLead(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return &rollWorld{T: t, o: o, lead: lead, rand: rand.New(rand.NewPCG(seed, 0)), reads: reads} //nolint:gosec // a test repeats itself
}

func (w *rollWorld) must(err error) {
	w.Helper()
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) && !errors.Is(err, coordclient.ErrExists) {
		w.Fatal(err)
	}
}

func (w *rollWorld) step() {
	w.Helper()
	info := named(fmt.Sprintf("task-%d", w.rand.IntN(30)))
	if w.rand.IntN(3) == 0 {
		info.Location = &task.Location{Resolver: "AnyNode"}
	}
	var err error
	switch w.rand.IntN(9) {
	case 0, 1:
		_, err = w.o.Create(w.Context(), info)
	case 8:
		w.o.CreateAll(w.Context(), append(many(30)[:w.rand.IntN(30)], info), func(_ int, err error) { w.must(err) })
		return
	case 2:
		_, err = w.o.Update(w.Context(), info.Key, 0, func(i *task.Info) error {
			i.Description, i.Paused = fmt.Sprint(w.rand.Int()), !i.Paused
			return nil
		})
	case 3:
		_, err = w.o.Update(w.Context(), info.Key, 0, func(i *task.Info) error { i.Location = info.Location; return nil })
	case 4:
		err = w.o.Delete(w.Context(), info.Key, 0)
	case 5:
		w.roll(w.rand.IntN(w.span()))
		return
	default:
		w.own(w.rand.IntN(w.span()))
		return
	}
	w.must(err)
}

func (w *rollWorld) span() int {
	w.Helper()
	n, err := w.o.Span(w.Context())
	w.must(err)
	return n
}

// roll keeps a roll, as the leader does: of an edit number that was read before.
func (w *rollWorld) roll(b int) {
	w.Helper()
	holder, _, err := w.o.Holder(w.Context(), b)
	w.must(err)
	roll, err := w.o.Roll(w.Context(), b)
	w.must(err)
	w.must(w.o.PutSurvey(w.Context(), w.lead, b, Survey{Edit: holder.Edit, Data: []byte("{}")}, roll))
}

// own does what a bucket's owner does to definitions: it takes in what arrives,
// hands over what leaves, and removes tombstones.
func (w *rollWorld) own(b int) {
	w.Helper()
	fence, err := w.o.Acquire(w.Context(), b)
	w.must(err)
	infos, err := w.o.Definitions(w.Context(), b)
	w.must(err)
	loaded, err := w.o.Load(w.Context(), fence)
	w.must(err)
	w.same(b, loaded.Definitions, infos)
	var write bucket.Write
	for _, info := range infos {
		switch {
		case len(info.Seat.Carried()) > 0:
			write.Adopt = append(write.Adopt, info)
		case info.Deleted:
			write.Drop = append(write.Drop, info)
			w.removed++
		case info.Seat.To() != nil:
			write.Give = append(write.Give, bucket.Given{Info: info, Parcel: []byte("state")})
			w.handed++
		}
	}
	w.must(w.o.Commit(w.Context(), fence, write))
}

func (w *rollWorld) compare() {
	w.Helper()
	for b := range w.span() {
		snap, err := w.o.Snapshot(w.Context(), b)
		w.must(err)
		before := w.reads.n.Load()
		called, err := w.o.Called(w.Context(), snap)
		w.must(err)
		between := w.reads.n.Load()
		want, err := w.o.Definitions(w.Context(), b)
		w.must(err)
		if between-before < w.reads.n.Load()-between {
			w.saved++
		}
		w.same(b, called, want)
	}
	all, err := w.o.List(w.Context())
	w.must(err)
	want, err := w.o.Reporting(func(*CorruptError) {}).List(w.Context())
	w.must(err)
	w.same(-1, all, want)
}

// same holds that definitions which came by the roll are those read task by task.
func (w *rollWorld) same(b int, called, want []task.Info) {
	w.Helper()
	slices.SortFunc(want, func(a, b task.Info) int { return strings.Compare(a.Key.String(), b.Key.String()) })
	if !same(called, want) && len(called)+len(want) > 0 {
		w.Fatalf("bucket %d\nby the roll:  %+v\ntask by task: %+v", b, called, want)
	}
}

// A roll that is damaged or too long costs time and nothing else.
func TestRollsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		var told reports
		o := prepared(t, p)
		o.report = told.add
		info := created(t, o.Store, "a")
		b := home(t, o.Store, info.Key)
		if err := p.Commit(t.Context(), coordclient.Create(o.keys.roll(b), []byte("no roll"))); err != nil {
			t.Fatal(err)
		}
		snap, err := o.Snapshot(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := o.Called(t.Context(), snap); err != nil || len(got) != 1 || got[0].Name != "a" {
			t.Errorf("%+v, %v", got, err)
		}
		if len(told.keys) != 1 || told.keys[0] != o.keys.roll(b) {
			t.Errorf("reported: %v", told.keys)
		}
		long := Roll{Definitions: make([]task.Info, maxRoll/4096)}
		for i := range long.Definitions {
			long.Definitions[i].Description = strings.Repeat("x", 4096)
		}
		if _, err := long.encode(1); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Errorf("a roll of more than %d bytes: %v", maxRoll, err)
		}
	})
}
