package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// many makes tasks that can be created.
func many(n int) []task.Info {
	infos := make([]task.Info, n)
	for i := range infos {
		infos[i] = named(fmt.Sprintf("task-%d", i))
	}
	return infos
}

// Tasks that are created together are created as they are one by one: the same
// definitions, marks, audit and refusals, whatever is wrong with some of them.
func TestCreatedTogetherIsCreatedOneByOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test repeats itself
				infos := anything(random, random.IntN(400))
				singly, together := crowded(t), crowded(t)
				time.Sleep(time.Minute)
				want := make([]error, len(infos))
				for i := range infos {
					_, want[i] = singly.Create(t.Context(), infos[i])
				}
				got := make([]error, len(infos))
				told := make([]int, len(infos))
				together.CreateAll(t.Context(), infos, func(i int, err error) { got[i], told[i] = err, told[i]+1 })
				for i := range infos {
					if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) || told[i] != 1 {
						t.Errorf("task %d: told %d times %v, one by one: %v", i, told[i], got[i], want[i])
					}
				}
				a, b := content(t, together), content(t, singly)
				for i := range max(len(a), len(b)) {
					if i >= len(a) || i >= len(b) || a[i] != b[i] {
						t.Fatalf("line %d: together\n%.2000s\none by one\n%.2000s", i, a[min(i, len(a)):], b[min(i, len(b)):])
					}
				}
			})
		})
	}
}

// crowded is a store in which some names are taken and one is being deleted.
func crowded(t *testing.T) *Store {
	t.Helper()
	s := opened(t, coordtest.NewCluster(nil).Join("a", nil), Options{NewID: func() string { return "id" }}).As("ann")
	set(t, s, office("MON-FRI 09:00-17:00"))
	for i := range 3 {
		created(t, s, fmt.Sprintf("task-%d", 50*i))
	}
	if err := s.Delete(t.Context(), task.Key{Name: "task-50"}, 0); err != nil {
		t.Fatal(err)
	}
	return s
}

// anything makes tasks, some of which must be refused.
func anything(random *rand.Rand, n int) []task.Info {
	infos := many(n)
	for i := range infos {
		info := &infos[i]
		info.Location = somewhere(i)
		switch random.IntN(40) {
		case 0: // there twice, of one bucket: for others there is no order
			twin := random.IntN(n)
			info.Name, info.Location = fmt.Sprintf("task-%d", twin), somewhere(twin)
		case 1:
			info.Description = strings.Repeat("x", MaxDefinition)
		case 2:
			info.Windows = within("missing").Windows
		case 3, 4:
			info.Windows = within("office").Windows
		case 7, 8, 9:
			info.Description = strings.Repeat("y", random.IntN(MaxDefinition-1000))
		case 10:
			info.Paused = true
		}
	}
	return infos
}

// somewhere is where task n has to be.
func somewhere(n int) *task.Location {
	if n%17 > 0 {
		return nil
	}
	return &task.Location{Resolver: "AnyNode"}
}

// content is all of a store that creating tasks touches.
func content(t *testing.T, s *Store) []string {
	t.Helper()
	var lines []string
	line := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	n, err := s.Span(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		node, _, err := s.nodeOnce(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		infos, err := s.Definitions(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		line("bucket %d: %+v", i, node)
		for k := range infos {
			value, err := encodeDefinition(infos[k])
			if err != nil {
				t.Fatal(err)
			}
			line("%.500s %v", value, infos[k].Edit)
		}
	}
	edits, err := s.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		line("%+v", e)
	}
	return lines
}

// An answer that was lost is settled for all tasks of the commit: each is there
// once, and is known to be.
func TestCreatedTogetherWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done":     {LoseReply: true},
		"not done": {Drop: true, LoseReply: true},
		"late":     {Late: 5 * time.Millisecond},
	} {
		for n := 1; n <= 8; n++ { // of 400 tasks in 4 buckets
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					created := 0
					s, _ := losing(t, fault, n, func(s *Store) error {
						s.CreateAll(t.Context(), many(400), func(i int, err error) {
							if err != nil {
								t.Errorf("task %d: %v", i, err)
							}
							created++
						})
						return nil
					})
					if list, err := s.List(t.Context()); err != nil || len(list) != 400 || created != 400 {
						t.Errorf("%d tasks are there, %d were told of, %v", len(list), created, err)
					}
				})
			})
		}
	}
}

// Who interrupts it is told of exactly those that are there.
func TestCreatedTogetherInterrupted(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 100, 300} {
		synctest.Test(t, func(t *testing.T) {
			c := coordtest.NewCluster(nil)
			s := opened(t, c.Join("quiet", nil), Options{})
			slow := coordtest.NewFaulty(c.Join("slow", nil))
			slow.Plan(func(call coordtest.Call) coordtest.Fault {
				if call.Op == coordtest.OpCommit {
					return coordtest.Fault{Delay: time.Second}
				}
				return coordtest.Fault{}
			})
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			if after == 0 {
				time.AfterFunc(time.Second/2, interrupt)
			}
			var told []string
			New(slow, Options{}).CreateAll(ctx, many(600), func(i int, err error) {
				if err != nil {
					t.Errorf("task %d: %v", i, err)
				}
				if told = append(told, fmt.Sprintf("task-%d", i)); len(told) == after {
					interrupt()
				}
			})
			list, err := s.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var there []string
			for _, info := range list {
				there = append(there, info.Name)
			}
			slices.Sort(there)
			slices.Sort(told)
			if !slices.Equal(there, told) || len(told) == 0 || len(told) == 600 {
				t.Errorf("interrupted after %d: %d are there, %d were told of", after, len(there), len(told))
			}
		})
	}
}

// Without a store nothing is created, and each task is told so.
func TestCreatedTogetherWithoutAStore(t *testing.T) {
	t.Parallel()
	told := 0
	s, _ := losing(t, coordtest.Fault{Drop: true}, 1, func(s *Store) error {
		s.CreateAll(t.Context(), many(1), func(_ int, err error) {
			if told++; !errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) || !strings.Contains(err.Error(), "task-0") {
				t.Errorf("told %v", err)
			}
		})
		return nil
	})
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 || told != 1 {
		t.Errorf("%d tasks are there, %d were told of, %v", len(list), told, err)
	}
}

// Tasks that are created together move the fence of their bucket, and its owner
// hears of each by name.
func TestCreatedTogetherFencesTheOwner(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		before := make(map[int]bucket.Fence)
		for b := range 4 {
			before[b] = acquired(t, o, b)
		}
		var failed sync.Map
		o.CreateAll(t.Context(), many(4*maxTogether/2), func(i int, err error) {
			if err != nil {
				failed.Store(i, err)
			}
		})
		failed.Range(func(i, err any) bool { t.Errorf("task %v: %v", i, err); return true })
		for b, f := range before {
			if err := o.Commit(t.Context(), f, bucket.Write{Seq: 1, Batch: []byte{1}}); !errors.Is(err, bucket.ErrMoved) {
				t.Errorf("bucket %d: a batch with the fence before: %v", b, err)
			}
			_, changes, err := o.Refresh(t.Context(), f, 1)
			if err != nil || changes.All {
				t.Errorf("bucket %d: all=%v, %v", b, changes.All, err)
			}
			want, err := o.Definitions(t.Context(), b)
			if err != nil || len(changes.Definitions) != len(want) || len(want) == 0 {
				t.Errorf("bucket %d: heard of %d of %d tasks, %v", b, len(changes.Definitions), len(want), err)
			}
		}
	})
}

// A bucket that is full takes no more tasks, and says so; one of which tasks were
// deleted takes others.
func TestBucketsAreBounded(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		o.most = 10
		refused := 0
		o.CreateAll(t.Context(), many(60), func(_ int, err error) {
			if err == nil {
				return
			}
			if refused++; !errors.Is(err, coordclient.ErrTooLarge) || !strings.Contains(err.Error(), "has 10 tasks: too large (the limit is 10)") {
				t.Error(err)
			}
		})
		list, err := o.List(t.Context())
		if err != nil || len(list) != 40 || refused != 20 {
			t.Fatalf("%d tasks are there, %d were refused, %v", len(list), refused, err)
		}
		b, gone := home(t, o.Store, list[0].Key), list[0]
		if _, err := o.Create(t.Context(), named(inBucket(t, o.Store, "more", b))); !errors.Is(err, coordclient.ErrTooLarge) {
			t.Errorf("one more: %v", err)
		}
		if err := o.Delete(t.Context(), gone.Key, 0); err != nil {
			t.Fatal(err)
		}
		gone, err = o.definition(t.Context(), b, gone.Key)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Commit(t.Context(), acquired(t, o, b), bucket.Write{Drop: []task.Info{gone}}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Create(t.Context(), named(inBucket(t, o.Store, "more", b))); err != nil {
			t.Errorf("instead of another: %v", err)
		}
	})
}
