package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
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

// losing answers as if the reply of the nth commit was lost, done or not.
func losing(t *testing.T, fault coordtest.Fault, n int, do func(s *Store) error) (*Store, error) {
	t.Helper()
	c := coordtest.NewCluster(nil)
	quiet := opened(t, c.Join("quiet", nil), Options{})
	faulty := coordtest.NewFaulty(c.Join("faulty", nil))
	s := New(faulty, Options{})
	faulty.FailNth(coordtest.OpCommit, n, fault)
	err := do(s)
	faulty.Wait()
	if faulty.Calls(coordtest.OpCommit) < n {
		t.Fatalf("the fault was planned for commit %d of %d", n, faulty.Calls(coordtest.OpCommit))
	}
	return quiet, err
}

// A lost answer is settled: the edit is there once, and it is known.
func TestLostAnswersAreSettled(t *testing.T) {
	t.Parallel()
	key := task.Key{Name: "x"}.Normal()
	for name, fault := range map[string]coordtest.Fault{
		"done":     {LoseReply: true},
		"not done": {Drop: true, LoseReply: true},
		"late":     {Late: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := losing(t, fault, 4, func(s *Store) error {
					ctx := t.Context()
					if _, err := s.Create(ctx, named("x")); err != nil {
						return err
					}
					for _, description := range []string{"a", "b", "c"} {
						if _, err := s.Update(ctx, key, 0, func(i *task.Info) error { i.Description = description; return nil }); err != nil {
							return err
						}
					}
					_, err := s.Ask(ctx, task.Request{Kind: task.RequestRun, Task: key})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				info, err := s.Get(t.Context(), key)
				if err != nil || info.Description != "c" || info.Revision != 4 {
					t.Errorf("%+v, %v", info, err)
				}
			})
			for n, do := range map[int]func(s *Store) error{
				1: func(s *Store) error { _, err := s.Create(t.Context(), named("x")); return err },
				2: func(s *Store) error {
					created(t, s, "x")
					return s.Delete(t.Context(), key, 1)
				},
			} {
				synctest.Test(t, func(t *testing.T) {
					if _, err := losing(t, fault, n, do); err != nil {
						t.Errorf("commit %d: %v", n, err)
					}
				})
			}
		})
	}
}

// A request whose answer was lost must not be asked again once it was taken.
func TestARequestIsAskedOnce(t *testing.T) {
	t.Parallel()
	c := coordtest.NewCluster(nil)
	host := c.Join("host", nil)
	s := opened(t, host, Options{})
	info := created(t, s, "x")
	owner := s.Owner(host.ID(), host)
	b := home(t, s, info.Key)
	f := acquired(t, owner, b)

	faulty := coordtest.NewFaulty(c.Join("companion", nil))
	faulty.FailNth(coordtest.OpCommit, 1, coordtest.Fault{LoseReply: true})
	// The owner takes the request before the companion looks again.
	taking := takingKV{Faulty: faulty, once: new(sync.Once), take: func() {
		requests, err := s.Requests(t.Context(), b)
		if err != nil || len(requests) != 1 {
			t.Errorf("%v, %v", requests, err)
			return
		}
		now, _, err := owner.Refresh(t.Context(), f, 1)
		if err != nil {
			t.Error(err)
			return
		}
		if err := owner.Commit(t.Context(), now, bucket.Write{Seq: 1, Batch: []byte("b"), Take: []string{requests[0].ID}}); err != nil {
			t.Error(err)
		}
	}}
	r, err := New(taking, Options{}).Ask(t.Context(), task.Request{Kind: task.RequestRun, Task: info.Key})
	if err != nil || r.UID != info.UID {
		t.Fatalf("%+v, %v", r, err)
	}
	if left, err := s.Requests(t.Context(), b); err != nil || len(left) != 0 {
		t.Errorf("asked again: %v, %v", left, err)
	}
}

type takingKV struct {
	*coordtest.Faulty
	once *sync.Once
	take func()
}

func (k takingKV) Sync(ctx context.Context, key string) error {
	k.once.Do(k.take)
	return k.Faulty.Sync(ctx, key)
}

func TestUnavailableIsNotInDoubt(t *testing.T) {
	t.Parallel()
	s, err := losing(t, coordtest.Fault{Drop: true}, 1, func(s *Store) error {
		_, err := s.Create(t.Context(), named("x"))
		return err
	})
	if !errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Get(t.Context(), task.Key{Name: "x"}); !errors.Is(err, coordclient.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// A cut that stays after a commit without an answer must not sound as if
// nothing had happened.
func TestDoubtIsNeverCalledUnavailable(t *testing.T) {
	t.Parallel()
	c := coordtest.NewCluster(nil)
	opened(t, c.Join("quiet", nil), Options{})
	faulty := coordtest.NewFaulty(c.Join("faulty", nil))
	committed := false
	faulty.Plan(func(call coordtest.Call) coordtest.Fault {
		switch {
		case committed:
			return coordtest.Fault{Drop: true}
		case call.Op == coordtest.OpCommit:
			committed = true
			return coordtest.Fault{LoseReply: true}
		}
		return coordtest.Fault{}
	})
	_, err := New(faulty, Options{}).Create(t.Context(), named("x"))
	if !errors.Is(err, coordclient.ErrUnknownOutcome) || errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// Two administrators edit the same tasks at random, on connections that lose
// answers, while an owner commits batches. No acknowledged edit is lost, none
// is done twice, and none lets F stand.
func TestNoUpdateIsLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { editAtRandom(t, seed) })
		})
	}
}

func editAtRandom(t *testing.T, seed uint64) {
	t.Helper()
	c := coordtest.NewCluster(nil)
	host := c.Join("host", nil)
	s := opened(t, host, Options{})
	var keys []task.Key
	for i := range 3 {
		keys = append(keys, created(t, s, fmt.Sprintf("t%d", i)).Key)
	}
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		acked = make(map[task.Key][]string)
		doubt = make(map[task.Key][]string)
	)
	for admin := range uint64(2) {
		faulty := coordtest.NewFaulty(c.Join(fmt.Sprintf("admin%d", admin), nil))
		faulty.Plan(lossy(rand.New(rand.NewPCG(seed, admin))))
		random := rand.New(rand.NewPCG(seed, 1000+admin))
		store := New(faulty, Options{})
		all.Go(func() {
			for n := range 30 {
				key, mark := keys[random.IntN(len(keys))], fmt.Sprintf("%d.%d", admin, n)
				_, err := store.Update(t.Context(), key, 0, func(i *task.Info) error {
					i.Description += " " + mark
					return nil
				})
				mu.Lock()
				switch {
				case err == nil:
					acked[key] = append(acked[key], mark)
				case errors.Is(err, coordclient.ErrUnknownOutcome):
					doubt[key] = append(doubt[key], mark)
				default:
					t.Errorf("edit %s: %v", mark, err)
				}
				mu.Unlock()
			}
			faulty.Wait()
		})
	}
	owner := s.Owner(host.ID(), host)
	all.Go(func() { ownAtRandom(t, owner, home(t, s, keys[0])) })
	all.Wait()
	for _, key := range keys {
		info, err := s.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		checkMarks(t, info, acked[key], doubt[key])
	}
}

// lossy delays every call, and loses half of the commits' answers.
func lossy(random *rand.Rand) func(coordtest.Call) coordtest.Fault {
	return func(call coordtest.Call) coordtest.Fault {
		f := coordtest.Fault{Delay: time.Duration(random.IntN(4)) * time.Millisecond}
		if call.Op == coordtest.OpCommit {
			switch random.IntN(6) {
			case 0:
				f.LoseReply = true
			case 1:
				f.LoseReply, f.Drop = true, true
			case 2:
				f.Late = time.Duration(random.IntN(20)+1) * time.Millisecond
			}
		}
		return f
	}
}

func checkMarks(t *testing.T, info task.Info, acked, doubt []string) {
	t.Helper()
	stored := strings.Fields(info.Description)
	if int64(len(stored))+1 != info.Revision {
		t.Errorf("%s: %d edits at revision %d", info.Name, len(stored), info.Revision)
	}
	for _, mark := range acked {
		if n := count(stored, mark); n != 1 {
			t.Errorf("%s: acknowledged edit %s is there %d times", info.Name, mark, n)
		}
	}
	for _, mark := range stored {
		if !slices.Contains(acked, mark) && !slices.Contains(doubt, mark) || count(stored, mark) != 1 {
			t.Errorf("%s: edit %s is there and should not be", info.Name, mark)
		}
	}
}

func count(all []string, one string) int {
	n := 0
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// ownAtRandom commits batches, and checks that one lands only when no edit was
// acknowledged since its fence was read.
func ownAtRandom(t *testing.T, o *Owner, b int) {
	t.Helper()
	f := acquired(t, o, b)
	seq := int64(1)
	for range 200 {
		time.Sleep(time.Millisecond)
		n, e, _, err := o.node(t.Context(), b)
		if err != nil {
			t.Error(err)
			return
		}
		err = o.Commit(t.Context(), f, bucket.Write{Seq: seq, Batch: []byte{1}})
		switch {
		case err == nil && e.Version != f.Version:
			t.Errorf("a batch at F %d landed after edit %d moved it to %d", f.Version, n.Edit, e.Version)
		case err == nil:
			seq++
		case errors.Is(err, bucket.ErrMoved):
			now, changes, err := o.Refresh(t.Context(), f, seq)
			if err != nil || now.Version <= f.Version {
				t.Errorf("refreshed from %+v to %+v: %v", f, now, err)
			}
			if missed := now.Edit - f.Edit; missed > 0 && len(changes.Definitions) == 0 {
				t.Errorf("%d edits, no definitions", missed)
			}
			f = now
		default:
			t.Error(err)
		}
	}
}

// Once the node has moved without the mark, a commit without an answer can
// never land any more, and the edit goes on.
func TestAnAnswerLostOnTheWayThere(t *testing.T) {
	t.Parallel()
	c := coordtest.NewCluster(nil)
	host := c.Join("host", nil)
	s := opened(t, host, Options{})
	mine, other := inBucket(t, s, "mine", 1), inBucket(t, s, "other", 1)
	faulty := coordtest.NewFaulty(c.Join("companion", nil))
	faulty.FailNth(coordtest.OpCommit, 1, coordtest.Fault{LoseReply: true, Drop: true})
	moving := takingKV{Faulty: faulty, once: new(sync.Once), take: func() { created(t, s, other) }}
	if _, err := New(moving, Options{}).Create(t.Context(), named(mine)); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

// inBucket is a name with that beginning in a bucket.
func inBucket(t *testing.T, s *Store, name string, b int) string {
	t.Helper()
	for i := 0; ; i++ {
		if n := fmt.Sprint(name, i); home(t, s, task.Key{Name: n}) == b {
			return n
		}
	}
}
