package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/task"
)

func (f Follow) of(ended string) Follow { f.Ended = task.FireID(ended); return f }

func TestAnEndIsFollowedOnce(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		c, err := s.Create(t.Context(), named("c"))
		if err != nil {
			t.Fatal(err)
		}
		f := Follow{Task: c, From: task.Key{Name: "a"}.Normal(), Input: `{"x":"1"}`}
		var mu sync.Mutex
		var asked []task.FireID
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				id, err := s.Follow(t.Context(), f.of(fmt.Sprintf("a:%d", i%2)))
				if err != nil {
					t.Error(err)
				}
				if id != "" {
					mu.Lock()
					asked = append(asked, id)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		requests, err := s.Requests(t.Context(), Home(c.Key, 4))
		if err != nil || len(requests) != 2 || len(asked) != 2 {
			t.Fatalf("%d requests, %d asked for, %v: want two ends followed once each", len(requests), len(asked), err)
		}
		if r := requests[0]; r.Input != f.Input || r.UID != c.UID || FollowDepth(task.ManualID(r.UID, r.ID)) != 1 {
			t.Errorf("request %+v", r)
		}
		// One that was made anew under the same name did not follow.
		gone := f
		gone.Task.UID = "0-other"
		if _, err := s.Follow(t.Context(), gone.of("a:9")); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("another task of the name: %v", err)
		}
	})
}

func TestAllMustHaveEnded(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		c, err := s.Create(t.Context(), named("c"))
		if err != nil {
			t.Fatal(err)
		}
		a, b := task.Key{Name: "a"}.Normal(), task.Key{Name: "b"}.Normal()
		follow := func(from task.Key, ended string) bool {
			id, err := s.Follow(t.Context(), Follow{Task: c, From: from, Ended: task.FireID(ended), All: []task.Key{a, b}})
			if err != nil {
				t.Fatal(err)
			}
			return id != ""
		}
		for i, step := range []struct {
			from  task.Key
			ended string
			fires bool
		}{
			{a, "a:1", false},
			{a, "a:1", false}, // told twice
			{a, "a:2", false},
			{b, "b:1", true},
			{b, "b:1", false}, // told twice
			{b, "b:2", false},
			{a, "a:2", false}, // told again, and dealt with before
			{a, "a:3", true},
		} {
			if fires := follow(step.from, step.ended); fires != step.fires {
				t.Errorf("step %d, %s: fires %v", i, step.ended, fires)
			}
		}
		follow(a, "a:4")
		if err := s.ForgetJoin(t.Context(), c.UID); err != nil {
			t.Error(err)
		}
		if err := s.ForgetJoin(t.Context(), c.UID); err != nil {
			t.Errorf("forgotten twice: %v", err)
		}
	})
}

// Both ends come at once, each to another host: one of them fires it.
func TestEndsThatRace(t *testing.T) {
	t.Parallel()
	for range 20 {
		s := opened(t, coordtest.NewMemory(), Options{})
		c, err := s.Create(t.Context(), named("c"))
		if err != nil {
			t.Fatal(err)
		}
		keys := []task.Key{task.Key{Name: "a"}.Normal(), task.Key{Name: "b"}.Normal()}
		fired := make(chan bool, 2)
		for _, from := range keys {
			go func() {
				id, err := s.Follow(t.Context(), Follow{Task: c, From: from, Ended: task.FireID(from.Name + ":1"), All: keys})
				fired <- err == nil && id != ""
			}()
		}
		if one, other := <-fired, <-fired; one == other {
			t.Fatalf("fired by %v and %v, want by one", one, other)
		}
	}
}

func TestALostAnswerToAnEnd(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done": {LoseReply: true}, "not done": {Drop: true, LoseReply: true}, "late": {Late: 5 * time.Millisecond},
	} {
		for _, joined := range []bool{false, true} {
			t.Run(fmt.Sprint(name, joined), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					from := task.Key{Name: "a"}.Normal()
					s, err := losing(t, fault, 2, func(s *Store) error {
						c, err := s.Create(t.Context(), named("c"))
						if err != nil {
							return err
						}
						f := Follow{Task: c, From: from, Ended: "a:1"}
						if joined {
							f.All = []task.Key{from, {Name: "b"}}
						}
						for range 3 { // as the outbox does when it is not known
							if _, err = s.Follow(t.Context(), f); err == nil || !errors.Is(err, coordclient.ErrUnknownOutcome) {
								break
							}
						}
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					requests, err := s.Requests(t.Context(), Home(task.Key{Name: "c"}.Normal(), 4))
					if want := map[bool]int{false: 1, true: 0}[joined]; err != nil || len(requests) != want {
						t.Errorf("%d requests, want %d; %v", len(requests), want, err)
					}
				})
			})
		}
	}
}

func TestDepthOfAChain(t *testing.T) {
	t.Parallel()
	id := task.FireID("1-a:1000")
	for depth := range 5 {
		if got := FollowDepth(id); got != depth {
			t.Errorf("%s: depth %d, want %d", id, got, depth)
		}
		id = task.ManualID("1-b", FollowID(id, "1-b"))
	}
	for _, id := range []task.FireID{"", "1-a:m:11111111-2222", "1-a:m:after-x", "1-a:m:afterwards"} {
		if got := FollowDepth(id); got != 0 {
			t.Errorf("%s: depth %d", id, got)
		}
	}
}
