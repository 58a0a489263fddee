package coordtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault coordtest.Fault
		want  error
		done  bool          // at the answer
		later bool          // when all late calls were made
		took  time.Duration // until the answer
	}{
		{"none", coordtest.Fault{}, nil, true, true, 0},
		{"delayed", coordtest.Fault{Delay: time.Second}, nil, true, true, time.Second},
		{"dropped", coordtest.Fault{Drop: true}, coordclient.ErrUnavailable, false, false, 0},
		{"dropped in silence", coordtest.Fault{Drop: true, LoseReply: true}, coordclient.ErrUnknownOutcome, false, false, 0},
		{"done, the answer lost", coordtest.Fault{LoseReply: true}, coordclient.ErrUnknownOutcome, true, true, 0},
		{"done, the answer late", coordtest.Fault{Hold: time.Second}, nil, true, true, time.Second},
		{"done long after the answer", coordtest.Fault{Late: time.Minute}, coordclient.ErrUnknownOutcome, false, true, 0},
		{"too slow for the caller", coordtest.Fault{Delay: time.Hour}, coordclient.ErrUnavailable, false, false, 10 * time.Second},
		{"done too slowly for the caller", coordtest.Fault{Hold: time.Hour}, coordclient.ErrUnknownOutcome, true, true, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := coordtest.NewMemory()
				defer m.Close()
				f := coordtest.NewFaulty(m)
				if err := f.Commit(t.Context(), coordclient.Create("/before", nil)); err != nil {
					t.Fatal(err)
				}
				f.FailNth(coordtest.OpCommit, 1, c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				begin := time.Now()
				err := f.Commit(ctx, coordclient.Create("/x", nil))
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Errorf("%v, want %v", err, c.want)
				}
				if took := time.Since(begin); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
				if there := is(t, m, "/x"); there != c.done {
					t.Errorf("done: %t, want %t", there, c.done)
				}
				f.Wait()
				if there := is(t, m, "/x"); there != c.later {
					t.Errorf("done in the end: %t, want %t", there, c.later)
				}
				if err := f.Commit(t.Context(), coordclient.Create("/after", nil)); err != nil {
					t.Errorf("the call after the fault: %v", err)
				}
				if n := f.Calls(coordtest.OpCommit); n != 3 {
					t.Errorf("%d commits, want 3", n)
				}
			})
		})
	}
}

func is(t *testing.T, kv coordclient.KV, key string) bool {
	t.Helper()
	_, _, err := kv.Get(t.Context(), key)
	if err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestFaultsByOperation(t *testing.T) {
	t.Parallel()
	m := coordtest.NewMemory()
	t.Cleanup(func() { _ = m.Close() })
	m.Handle("v", func(context.Context, []byte) ([]byte, error) { return nil, nil })
	f := coordtest.NewFaulty(m)
	calls := map[string]func() error{
		coordtest.OpGet:  func() error { _, _, err := f.Get(t.Context(), "/x"); return err },
		coordtest.OpList: func() error { _, err := f.List(t.Context(), "/"); return err },
		coordtest.OpSync: func() error { return f.Sync(t.Context(), "/x") },
		coordtest.OpCommit: func() error {
			return f.Commit(t.Context(), coordclient.Create(fmt.Sprintf("/c/%d", f.Calls(coordtest.OpCommit)), nil))
		},
		coordtest.OpMembers:     func() error { _, _, err := f.Members(t.Context()); return err },
		coordtest.OpSendReceive: func() error { _, err := f.SendReceive(t.Context(), m.ID(), "v", nil); return err },
		coordtest.OpBroadcast:   func() error { return f.Broadcast(t.Context(), "v", nil) },
	}
	if err := m.Commit(t.Context(), coordclient.Create("/x", nil)); err != nil {
		t.Fatal(err)
	}
	for op := range calls {
		f.FailNth(op, 2, coordtest.Fault{Drop: true})
		for n := range 3 {
			for other, call := range calls {
				err := call()
				if broken := other == op && n == 1; errors.Is(err, coordtest.ErrInjected) != broken || !broken && err != nil {
					t.Errorf("with the second %s broken, %s number %d: %v", op, other, n+1, err)
				}
			}
		}
	}
}

// TestLateCommitOfFormerMember: a message that lay somewhere while its sender
// lost its membership is refused by the check of it.
func TestLateCommitOfFormerMember(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := coordtest.NewCluster(nil)
		judge := c.Join("judge", nil)
		defer judge.Close()
		m := c.Join("m", nil)
		f := coordtest.NewFaulty(m)
		f.FailNth(coordtest.OpCommit, 1, coordtest.Fault{Late: time.Minute})
		if err := f.Commit(t.Context(), coordclient.CheckMember(m.ID()), coordclient.Create("/late", nil)); !errors.Is(err, coordclient.ErrUnknownOutcome) {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		m.Expire()
		next := c.Join("m", nil)
		defer next.Close()
		f.Wait()
		if is(t, judge, "/late") {
			t.Error("a commit bound to a former membership was done")
		}
	})
}

// TestCut: a member that is cut off stays a member until it expires, stops
// leading at once, and leads again when it is back.
func TestCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := coordtest.NewCluster(nil)
		judge := c.Join("judge", nil)
		defer judge.Close()
		m := c.Join("m", nil)
		var terms []coordclient.Term
		led := make(chan error, 1)
		go func() { // ends when m expires
			led <- m.Lead(t.Context(), "r", func(ctx context.Context, term coordclient.Term) error {
				terms = append(terms, term)
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		synctest.Wait()
		m.Cut()
		synctest.Wait()
		if state, _ := m.State(); state != coordclient.Suspended {
			t.Errorf("state %s, want suspended", state)
		}
		if _, err := m.List(t.Context(), "/"); !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("list of a cut member: %v", err)
		}
		if _, err := judge.SendReceive(t.Context(), m.ID(), "v", nil); !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("ask a cut member: %v", err)
		}
		if list, _, err := judge.Members(t.Context()); err != nil || len(list) != 2 {
			t.Errorf("members %v, %v; want the cut one among them", list, err)
		}
		m.Heal()
		synctest.Wait()
		if len(terms) != 2 || terms[1] <= terms[0] {
			t.Errorf("terms %v, want two, growing", terms)
		}
		m.Expire()
		if err := <-led; !errors.Is(err, coordclient.ErrUnavailable) {
			t.Errorf("lead of an expired member: %v", err)
		}
		m.Heal() // is too late
		if state, _ := m.State(); state != coordclient.Lost {
			t.Errorf("state %s, want lost", state)
		}
		if list, _, err := judge.Members(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("members %v, %v; want one", list, err)
		}
	})
}

func TestClusterClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 1, 0, 0, 0, 1_500_000, time.UTC)
	c := coordtest.NewCluster(func() time.Time { return at })
	m := c.Join("m", nil)
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Commit(t.Context(), coordclient.Create("/x", nil)); err != nil {
		t.Fatal(err)
	}
	e, _, err := m.Get(t.Context(), "/x")
	if err != nil || !e.Modified.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("modified %s, %v; want the injected clock's %s", e.Modified, err, at)
	}
}

func TestIncarnationsRepeat(t *testing.T) {
	t.Parallel()
	ids := func() (ids []coordclient.MemberID) {
		c := coordtest.NewCluster(nil)
		for _, node := range []string{"a", "b", "a"} {
			m := c.Join(node, nil)
			ids = append(ids, m.ID())
			_ = m.Close()
		}
		return ids
	}
	first, second := ids(), ids()
	if fmt.Sprint(first) != fmt.Sprint(second) || first[0] == first[2] {
		t.Errorf("%v and %v, want the same ones, all different", first, second)
	}
}

// TestHistoryCheck shows that the judge of concurrent histories finds what is
// wrong with bad ones.
func TestHistoryCheck(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	for name, c := range map[string]struct {
		events []coordtest.Event
		good   bool
	}{
		"in order": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(2), Write: true},
			{Key: "/a", Version: 1, Begin: at(3), End: at(4)},
			{Key: "/a", Version: 2, Begin: at(3), End: at(9), Write: true},
			{Key: "/a", Version: 2, Begin: at(5), End: at(6)},
			{Key: "/b", Version: 0, Begin: at(7), End: at(8)},
		}, true},
		"read side by side with the write": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(9), Write: true},
			{Key: "/a", Version: 0, Begin: at(2), End: at(8)},
		}, true},
		"made twice": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(2), Write: true},
			{Key: "/a", Version: 1, Begin: at(3), End: at(4), Write: true},
		}, false},
		"skipped": {[]coordtest.Event{
			{Key: "/a", Version: 2, Begin: at(1), End: at(2), Write: true},
		}, false},
		"seen and never made": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(2)},
		}, false},
		"stale read": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(2), Write: true},
			{Key: "/a", Version: 0, Begin: at(3), End: at(4)},
		}, false},
		"read goes back": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(9), Write: true},
			{Key: "/a", Version: 1, Begin: at(2), End: at(3)},
			{Key: "/a", Version: 0, Begin: at(4), End: at(5)},
		}, false},
		"written in the wrong order": {[]coordtest.Event{
			{Key: "/a", Version: 2, Begin: at(1), End: at(2), Write: true},
			{Key: "/a", Version: 1, Begin: at(3), End: at(4), Write: true},
		}, false},
		"seen before it was made": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(2)},
			{Key: "/a", Version: 1, Begin: at(3), End: at(4), Write: true},
		}, false},
		"stale after a conflict": {[]coordtest.Event{
			{Key: "/a", Version: 1, Begin: at(1), End: at(9), Write: true},
			{Key: "/a", Version: 1, Begin: at(1), End: at(2), AtLeast: true},
			{Key: "/a", Version: 0, Begin: at(3), End: at(4)},
		}, false},
	} {
		var h coordtest.History
		for _, e := range c.events {
			h.Add(e)
		}
		if err := h.Check(); (err == nil) != c.good {
			t.Errorf("%s: %v, want good: %t", name, err, c.good)
		}
	}
}
