package control

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/follow"
	"github.com/seed42aab489/belfry/plugin/task"
)

// watcher keeps the last picture that a follower told, and counts them.
type watcher struct {
	mu    sync.Mutex
	last  follow.Picture
	told  int
	ended error
}

// follow starts a follower in a bubble.
func (w *world) follow(session coordclient.Session) *watcher {
	w.Helper()
	seen := &watcher{}
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan struct{})
	go func() { // ends with the test
		defer close(done)
		err := w.control.Follow(ctx, session, follow.Scope{}, func(p follow.Picture) {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			seen.last, seen.told = p, seen.told+1
		})
		seen.mu.Lock()
		defer seen.mu.Unlock()
		seen.ended = err
	}()
	w.Cleanup(func() { cancel(); <-done })
	return seen
}

// after lets time pass and gives the picture then, and how many were told.
func (s *watcher) after(d time.Duration) (follow.Picture, int) {
	time.Sleep(d)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told
	s.told = 0
	return s.last, told
}

func TestFollowEdits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		s := w.follow(w.client)
		p, _ := s.after(time.Second)
		if p.Link != follow.LinkLive || len(p.Tasks) != 1 || p.Tasks[0].State != contract.Unplaced || p.Read != buckets || len(p.Services) != 3 {
			t.Fatalf("%+v", p)
		}
		w.create(minutely("b"))
		p, told := s.after(time.Second)
		if len(p.Tasks) != 2 || told == 0 {
			t.Errorf("%d tasks after a creation, told %d times", len(p.Tasks), told)
		}
		if _, ok := p.Task(task.Key{Name: "b"}); !ok {
			t.Error("b is not found")
		}
		if err := w.control.DeleteTask(t.Context(), task.Key{Name: "a"}); err != nil {
			t.Fatal(err)
		}
		if p, _ = s.after(time.Second); len(p.Tasks) != 1 {
			t.Errorf("%d tasks after a deletion", len(p.Tasks))
		}
		// Nothing happens: nothing is told, once what has no watch has been looked for.
		s.after(2 * time.Minute)
		if _, told := s.after(time.Hour); told > 0 {
			t.Errorf("an idle group was told %d times", told)
		}
	})
}

// A run is seen although its log has no watch: when it begins, and when it ends.
func TestFollowRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.serve("n1")
		w.does(until(10*time.Second, task.OK))
		w.create(minutely("a"))
		key := task.Key{Name: "a"}
		s := w.follow(w.client)
		s.after(30 * time.Second)
		p, _ := s.after(32 * time.Second)
		if v, _ := p.Task(key); v.State != contract.Running || v.Node != "n1" {
			t.Fatalf("two seconds after its instant: %+v", v)
		}
		p, _ = s.after(12 * time.Second)
		v, _ := p.Task(key)
		runs := p.Runs(key)
		if v.State != contract.Waiting || len(runs) != 2 || runs[0].Outcome != string(task.OK) {
			t.Fatalf("after its end: %+v, %+v", v, runs)
		}
		if len(p.Recent()) != 2 {
			t.Errorf("recent: %+v", p.Recent())
		}
		// By hand, between its instants.
		if _, err := w.control.RunTask(t.Context(), key, ""); err != nil {
			t.Fatal(err)
		}
		p, _ = s.after(3 * time.Second)
		if v, _ := p.Task(key); v.State != contract.Running {
			t.Errorf("three seconds after a request it is %s", v.State)
		}
	})
}

func TestFollowStale(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		s := w.follow(w.client)
		before, _ := s.after(time.Second)
		w.client.Cut()
		p, _ := s.after(5 * time.Second)
		if p.Link != follow.LinkStale || p.Fault == "" || len(p.Tasks) != 1 || p.At.After(before.At.Add(time.Second)) {
			t.Fatalf("cut: %s %q, %d tasks, as of %s", p.Link, p.Fault, len(p.Tasks), p.At)
		}
		w.client.Heal()
		if p, _ = s.after(2 * time.Second); p.Link != follow.LinkLive || p.Fault != "" {
			t.Errorf("healed: %s %q", p.Link, p.Fault)
		}
		w.client.Close()
		if p, _ = s.after(2 * time.Second); p.Link != follow.LinkLost || !errors.Is(s.ended, follow.ErrSessionLost) {
			t.Errorf("closed: %s, %v", p.Link, s.ended)
		}
	})
}

func TestFollowNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newEmpty()
		w := &world{T: t, client: client, control: New(Deps{KV: client, Members: client, Caller: client})}
		s := w.follow(client)
		p, _ := s.after(3 * time.Second)
		if p.Link != follow.LinkLive || p.Buckets != 0 {
			t.Errorf("%+v", p)
		}
	})
}

// mute is a store that answers nothing from a moment on.
type mute struct {
	*coordtest.Client
	from atomic.Bool
}

func (m *mute) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if m.from.Load() {
		<-ctx.Done()
		return coordclient.Entry{}, nil, ctx.Err()
	}
	return m.Client.Get(ctx, key)
}

// A read that waits for its answer does not keep a picture live whose session is not
// what it was.
func TestFollowStaleWhileReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.create(minutely("a"))
		kv := &mute{Client: w.client}
		w.control = New(Deps{KV: kv, Members: w.client, Caller: w.client})
		s := w.follow(w.client)
		s.after(time.Minute)
		kv.from.Store(true)
		if _, err := New(Deps{KV: w.client, Members: w.client, Caller: w.client}).PauseTask(t.Context(), task.Key{Name: "a"}, ""); err != nil {
			t.Fatal(err) // which wakes the follower: it reads, and waits
		}
		if p, _ := s.after(time.Second); p.Link != follow.LinkLive {
			t.Fatalf("%s while its session is healthy", p.Link)
		}
		w.client.Cut()
		if p, _ := s.after(time.Millisecond); p.Link != follow.LinkStale {
			t.Errorf("%s although its session is suspended", p.Link)
		}
		w.client.Heal()
		kv.from.Store(false)
		if p, _ := s.after(3 * time.Second); p.Link != follow.LinkLive || p.Tasks[0].State != contract.Paused {
			t.Errorf("healed: %s, %s", p.Link, p.Tasks[0].State)
		}
	})
}
