package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// group is a cluster with hosts.
type group struct {
	*coordtest.Cluster
}

func newGroup() group { return group{coordtest.NewCluster(nil)} }

func (g group) host(t *testing.T, node string) (*coordtest.Faulty, *Owner) {
	t.Helper()
	m := coordtest.NewFaulty(g.Join(node, nil))
	return m, opened(t, m, Options{}).Owner(m.ID(), m)
}

func TestAcquire(t *testing.T) {
	t.Parallel()
	g := newGroup()
	_, a := g.host(t, "a")
	memberB, b := g.host(t, "b")
	first := acquired(t, a, 2)
	if first.Bucket != 2 || first.Epoch != 1 || first.Version != 1 {
		t.Errorf("fence %+v", first)
	}
	if _, err := b.Acquire(t.Context(), 2); !errors.Is(err, bucket.ErrTaken) {
		t.Errorf("of a living owner: %v", err)
	}
	again := acquired(t, a, 2) // its own on paper, not served
	if again.Epoch != 2 {
		t.Errorf("again: %+v", again)
	}
	if err := a.Commit(t.Context(), first, bucket.Write{Seq: 1, Batch: []byte("x")}); !errors.Is(err, bucket.ErrMoved) {
		t.Errorf("with the old fence: %v", err)
	}
	if _, _, err := a.Refresh(t.Context(), first, 1); !errors.Is(err, bucket.ErrFenced) {
		t.Errorf("refresh of the old epoch: %v", err)
	}
	if err := a.Release(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Refresh(t.Context(), again, 1); !errors.Is(err, bucket.ErrFenced) {
		t.Errorf("refresh after release: %v", err)
	}
	if f := acquired(t, b, 2); f.Epoch != 3 {
		t.Errorf("after release: %+v", f)
	}
	memberB.Joined.(*coordtest.Member).Expire()
	if f := acquired(t, a, 2); f.Epoch != 4 {
		t.Errorf("after its owner's end: %+v", f)
	}
	if _, err := b.Acquire(t.Context(), 1); !errors.Is(err, bucket.ErrFenced) && !errors.Is(err, bucket.ErrUnavailable) {
		t.Errorf("by one who is gone: %v", err)
	}
}

func TestALostAcquireIsReadBack(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]coordtest.Fault{
		"done": {LoseReply: true}, "not done": {LoseReply: true, Drop: true}, "late": {Late: time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m, o := newGroup().host(t, "a")
				m.FailNth(coordtest.OpCommit, 1, fault)
				f := acquired(t, o, 0)
				m.Wait()
				n, e, _, err := o.node(t.Context(), 0)
				if err != nil || !n.Owned(m.ID()) || n.Epoch != 1 || f.Epoch != 1 || e.Version != f.Version {
					t.Errorf("fence %+v, node %+v at %d, %v", f, n, e.Version, err)
				}
			})
		})
	}
}

// The table of the protocol: which failure means what.
func TestWhatACommitsFailureMeans(t *testing.T) {
	t.Parallel()
	batch := func(w bucket.Write) bucket.Write { w.Seq, w.Batch = 1, []byte("mine"); return w }
	for name, c := range map[string]struct {
		spoil func(t *testing.T, m *coordtest.Faulty, o *Owner, f bucket.Fence)
		write bucket.Write
		want  error
	}{
		"ok": {func(*testing.T, *coordtest.Faulty, *Owner, bucket.Fence) {}, batch(bucket.Write{}), nil},
		"edited": {func(t *testing.T, _ *coordtest.Faulty, o *Owner, f bucket.Fence) {
			t.Helper()
			editBucket(t, o, f.Bucket)
		}, batch(bucket.Write{}), bucket.ErrMoved},
		"another session": {func(_ *testing.T, _ *coordtest.Faulty, o *Owner, _ bucket.Fence) {
			o.me = "a.ffff"
		}, batch(bucket.Write{}), bucket.ErrFenced},
		"seq taken": {func(t *testing.T, _ *coordtest.Faulty, o *Owner, f bucket.Fence) {
			t.Helper()
			if err := o.Commit(t.Context(), f, bucket.Write{Seq: 1, Batch: []byte("other")}); err != nil {
				t.Fatal(err)
			}
		}, batch(bucket.Write{}), bucket.ErrSeqTaken},
		"request gone": {
			func(*testing.T, *coordtest.Faulty, *Owner, bucket.Fence) {},
			batch(bucket.Write{Take: []string{"r9"}}), bucket.ErrNoRequest,
		},
		"cut": {func(_ *testing.T, m *coordtest.Faulty, _ *Owner, _ bucket.Fence) {
			m.FailNth(coordtest.OpCommit, 1, coordtest.Fault{Drop: true})
		}, batch(bucket.Write{}), bucket.ErrUnavailable},
		"no answer": {func(_ *testing.T, m *coordtest.Faulty, _ *Owner, _ bucket.Fence) {
			m.FailNth(coordtest.OpCommit, 1, coordtest.Fault{LoseReply: true})
		}, batch(bucket.Write{}), bucket.ErrUnknownOutcome},
		"too large": {
			func(*testing.T, *coordtest.Faulty, *Owner, bucket.Fence) {},
			bucket.Write{Seq: 1, Batch: bytes.Repeat([]byte{1}, coordclient.MaxCommit)},
			coordclient.ErrTooLarge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, o := newGroup().host(t, "a")
			f := acquired(t, o, 0)
			c.spoil(t, m, o, f)
			err := o.Commit(t.Context(), f, c.write)
			if !errors.Is(err, c.want) || err != nil && c.want == nil {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			var gone interface{ RequestID() string }
			if errors.Is(c.want, bucket.ErrNoRequest) && (!errors.As(err, &gone) || gone.RequestID() != "r9") {
				t.Errorf("does not say which: %v", err)
			}
		})
	}
}

// editBucket makes an edit in a bucket of four.
func editBucket(t *testing.T, o *Owner, b int) task.Info {
	t.Helper()
	return created(t, o.Store, free(t, o, b))
}

// free is a name in a bucket that no task has.
func free(t *testing.T, o *Owner, b int) string {
	t.Helper()
	for i := 0; ; i++ {
		key := task.Key{Name: fmt.Sprintf("t%d", i)}
		if home(t, o.Store, key) != b {
			continue
		}
		if _, err := o.definition(t.Context(), b, key.Normal()); errors.Is(err, coordclient.ErrNotFound) {
			return key.Name
		}
	}
}

func message(id string) task.Message {
	return task.Message{ID: id, To: "mailto:a@example.org", Subject: "low", Source: task.MessageSource{Kind: "event"}}
}

func TestACommitDoesAllOfItsParts(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		t.Helper()
		ctx := t.Context()
		s := opened(t, p, Options{})
		o := s.Owner(p.ID(), p)
		f := acquired(t, o, 1)
		dead, alive := editBucket(t, o, 1), editBucket(t, o, 1)
		r, err := s.Ask(ctx, task.Request{Kind: task.RequestRun, Task: alive.Key, Reason: "now"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, dead.Key, 0); err != nil {
			t.Fatal(err)
		}
		f, changes, err := o.Refresh(ctx, f, 1)
		if err != nil || len(changes.Requests) != 1 || changes.Requests[0].Reason != "now" || changes.Requests[0].Asked.IsZero() ||
			len(changes.Definitions) != 2 || changes.All || changes.Landed.Data != nil || changes.Landed.Version != -1 {
			t.Fatalf("changes %+v, %v", changes, err)
		}
		tomb := changes.Definitions[slices.IndexFunc(changes.Definitions, func(i task.Info) bool { return i.Deleted })]
		_, rung, err := s.Outbox(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := bucket.Write{
			Seq: 1, Batch: []byte("b1"), Take: []string{r.ID}, Drop: []task.Info{tomb},
			Messages: []task.Message{message("fire:1"), message("fire:2")},
		}
		if err := o.Commit(ctx, f, w); err != nil {
			t.Fatal(err)
		}
		select {
		case <-rung:
		default:
			t.Error("nobody was told of the messages")
		}
		// Again with the next batch: what is there is left alone.
		w = bucket.Write{Seq: 2, Batch: []byte("b2"), Drop: w.Drop, Messages: append(w.Messages, message("fire:3"))}
		if err := o.Commit(ctx, f, w); err != nil {
			t.Fatal(err)
		}
		loaded, err := o.Load(ctx, f)
		if err != nil || len(loaded.Definitions) != 1 || len(loaded.Requests) != 0 || loaded.Page.Version != -1 || loaded.Runs.Version != -1 ||
			len(loaded.Log) != 2 || string(loaded.Log[1].Data) != "b2" || loaded.Log[1].Seq != 2 {
			t.Fatalf("loaded %+v, %v", loaded, err)
		}
		box, _, err := s.Outbox(ctx, nil)
		if err != nil || len(box) != 3 {
			t.Fatalf("outbox %+v, %v", box, err)
		}
		if n, _, err := s.Backlog(ctx); err != nil || n != 3 {
			t.Errorf("waiting %d, %v", n, err)
		}
		if box, _, err = s.Outbox(ctx, func(b int) bool { return b != 1 }); err != nil || len(box) != 0 {
			t.Errorf("other buckets' outbox %+v, %v", box, err)
		}
		if _, err := s.Create(ctx, named(dead.Name)); err != nil {
			t.Errorf("after the tombstone was dropped: %v", err)
		}
	})
}

func fold(version int64, page string, from, to int64) bucket.Write {
	return bucket.Write{Fold: &bucket.Fold{
		Page: bucket.Blob{Version: version, Data: []byte(page)}, Runs: bucket.Blob{Version: version, Data: []byte("runs")},
		From: from, To: to,
	}}
}

func TestFold(t *testing.T) {
	t.Parallel()
	m, o := newGroup().host(t, "a")
	ctx := t.Context()
	f := acquired(t, o, 0)
	for seq := int64(1); seq <= 3; seq++ {
		if err := o.Commit(ctx, f, bucket.Write{Seq: seq, Batch: []byte("b")}); err != nil {
			t.Fatal(err)
		}
	}
	m.FailNth(coordtest.OpCommit, 1, coordtest.Fault{LoseReply: true})
	w := fold(-1, "page 1", 1, 2)
	if err := o.Commit(ctx, f, w); !errors.Is(err, bucket.ErrUnknownOutcome) {
		t.Fatalf("got %v", err)
	}
	if err := o.Commit(ctx, f, w); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	l, err := o.Load(ctx, f)
	if err != nil || string(l.Page.Data) != "page 1" || l.Page.Version != 0 || string(l.Runs.Data) != "runs" || len(l.Log) != 1 || l.Log[0].Seq != 3 {
		t.Fatalf("%+v, %v", l, err)
	}
	if err := o.Commit(ctx, f, fold(-1, "other", 1, 3)); err == nil {
		t.Error("a fold of a page that is not there landed")
	}
	if err := o.Commit(ctx, f, fold(0, "page 2", 1, 3)); err != nil { // 1 and 2 are gone already
		t.Error(err)
	}
}

// After three batches lost to edits the owner gets a word in.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, o := newGroup().host(t, "a")
		ctx := t.Context()
		f := acquired(t, o, 0)
		for i := range HoldAfter {
			editBucket(t, o, 0)
			if err := o.Commit(ctx, f, bucket.Write{Seq: 1, Batch: []byte("b")}); !errors.Is(err, bucket.ErrMoved) {
				t.Fatalf("batch %d: %v", i, err)
			}
			var err error
			if f, _, err = o.Refresh(ctx, f, 1); err != nil {
				t.Fatal(err)
			}
		}
		n, e, _, err := o.node(ctx, 0)
		if err != nil || n.HoldMS == 0 || e.Version != f.Version {
			t.Fatalf("node %+v at %d, fence %+v, %v", n, e.Version, f, err)
		}
		next := free(t, o, 0)
		began := time.Now()
		done := make(chan time.Duration, 1)
		go func() {
			if _, err := o.Create(ctx, named(next)); err != nil {
				t.Error(err)
			}
			done <- time.Since(began)
		}()
		synctest.Wait()
		if err := o.Commit(ctx, f, bucket.Write{Seq: 1, Batch: []byte("b")}); err != nil {
			t.Errorf("under the hold: %v", err)
		}
		if waited := <-done; waited != HoldTime {
			t.Errorf("the administrator waited %s, want %s", waited, HoldTime)
		}
		if n, _, _, err := o.node(ctx, 0); err != nil || n.HoldMS != 0 {
			t.Errorf("the edit left the hold: %+v, %v", n, err)
		}
	})
}

// More edits than a node tells: all definitions are read.
func TestTooManyEdits(t *testing.T) {
	t.Parallel()
	_, o := newGroup().host(t, "a")
	f := acquired(t, o, 0)
	info := editBucket(t, o, 0)
	other := editBucket(t, o, 0)
	f, _, err := o.Refresh(t.Context(), f, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range MaxEdited + 1 {
		if _, err := o.Update(t.Context(), info.Key, 0, func(info *task.Info) error { info.Retry.Max = i + 1; return nil }); err != nil {
			t.Fatal(err)
		}
		if i+1 == MaxEdited {
			_, changes, err := o.Refresh(t.Context(), f, 1)
			if err != nil || changes.All || len(changes.Definitions) != 1 {
				t.Fatalf("as many as it tells: %+v, %v", changes, err)
			}
		}
	}
	_, changes, err := o.Refresh(t.Context(), f, 1)
	if err != nil || !changes.All || len(changes.Definitions) != 2 {
		t.Fatalf("%+v, %v; want all of %s and %s", changes, err, info.Name, other.Name)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	_, o := newGroup().host(t, "a")
	changed, err := o.Watch(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	editBucket(t, o, 0)
	select {
	case <-changed:
	default:
		t.Error("an edit was not told")
	}
}
