package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// prepared is an owner of an initialised store that is ready for a cluster.
func prepared(t *testing.T, p port) *Owner {
	t.Helper()
	s := opened(t, p, Options{})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Owner(p.ID(), p)
}

func TestNothingIsPrepared(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		s := opened(t, p, Options{})
		if _, _, _, err := s.Placement(t.Context()); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("placement: %v", err)
		}
		if _, _, _, err := s.Barrier(t.Context()); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("barrier: %v", err)
		}
		if _, _, err := s.Drains(t.Context()); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("drains: %v", err)
		}
		if _, _, err := s.Leader(t.Context()); !errors.Is(err, coordclient.ErrNotFound) {
			t.Errorf("leader: %v", err)
		}
	})
}

func TestPlacementIsFencedByTheTerm(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		lead, err := o.TakeLead(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		was, version, changed, err := o.Placement(t.Context())
		if err != nil || was.Term != 0 {
			t.Fatal(was, err)
		}
		if _, why := was.Of(2); why != "it has not been placed yet" {
			t.Errorf("%q", why)
		}
		var next Placement
		next.Assign("a.1", "")
		next.Assign("", "no member has service X")
		next.Assign("", "x"+strings.Repeat("é", MaxReason))
		next.Assign("", "no member has service X")
		barrier := Barrier{Servers: 3, Open: true}
		d := Decision{Placement: next, Version: version, Barrier: &barrier}
		if err := o.Decide(t.Context(), lead, d); err != nil {
			t.Fatal(err)
		}
		<-changed
		got, _, _, err := o.Placement(t.Context())
		if err != nil || got.Term != 3 {
			t.Fatal(got, err)
		}
		if m, why := got.Of(0); m != "a.1" || why != "" {
			t.Error(m, why)
		}
		if m, why := got.Of(3); m != "" || why != "no member has service X" || len(got.Reasons) != 2 {
			t.Error(m, why, got.Reasons)
		}
		if _, why := got.Of(2); why != next.Reasons[1] || len(why) != MaxReason-1 {
			t.Errorf("%d bytes of a reason became %d", len(next.Reasons[1]), len(why))
		}
		if err := o.Decide(t.Context(), lead, d); !errors.Is(err, coordclient.ErrConflict) || errors.Is(err, ErrDeposed) {
			t.Errorf("at an old version: %v", err)
		}
		if member, term, err := o.Leader(t.Context()); member != p.ID() || term != 3 || err != nil {
			t.Error(member, term, err)
		}
		if again, err := o.TakeLead(t.Context(), 3); err != nil || again != lead {
			t.Errorf("taken again after a lost answer: %v, %v", again, err)
		}
		if _, err := o.TakeLead(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		if err := o.Decide(t.Context(), lead, d); !errors.Is(err, ErrDeposed) {
			t.Errorf("in an old term: %v", err)
		}
	})
}

func TestDecisionIsOneCommit(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		lead, err := o.TakeLead(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Decide(t.Context(), lead, Decision{Barrier: &Barrier{Servers: 2}}); err != nil {
			t.Fatal(err)
		}
		if err := o.Lift(t.Context(), "ops"); err != nil {
			t.Fatal(err)
		}
		// The barrier has moved since the leader read it: neither is written.
		var p2 Placement
		p2.Assign("a.1", "")
		err = o.Decide(t.Context(), lead, Decision{Placement: p2, Version: 1, Barrier: &Barrier{Open: true}, BarrierVersion: 1})
		if !errors.Is(err, coordclient.ErrConflict) {
			t.Errorf("%v", err)
		}
		if got, version, _, err := o.Placement(t.Context()); err != nil || version != 1 || len(got.Buckets) != 0 {
			t.Error(got, version, err)
		}
		b, version, _, err := o.Barrier(t.Context())
		if err != nil || !b.Lifted || b.LiftedBy != "ops" || b.Open || b.Since.IsZero() {
			t.Error(b, err)
		}
		if err := o.Lift(t.Context(), "others"); err != nil {
			t.Fatal(err)
		}
		if _, now, _, err := o.Barrier(t.Context()); err != nil || now != version {
			t.Errorf("lifting again wrote: %d, %d, %v", version, now, err)
		}
	})
}

func TestLeaderWhoIsNoMemberAnyMore(t *testing.T) {
	t.Parallel()
	group := coordtest.NewCluster(nil)
	one := group.Join("one", nil)
	o := prepared(t, one)
	lead, err := o.TakeLead(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	// Its requests still come through, as those that a client has queued do.
	two := group.Join("two", nil)
	late := New(two, Options{}).Owner(one.ID(), two)
	if err := late.Decide(t.Context(), lead, Decision{}); !errors.Is(err, ErrDeposed) {
		t.Errorf("place: %v", err)
	}
	if err := late.PutSurvey(t.Context(), lead, 0, Survey{Data: []byte("{}")}, Roll{}); !errors.Is(err, ErrDeposed) {
		t.Errorf("survey: %v", err)
	}
	if _, err := late.TakeLead(t.Context(), 2); !errors.Is(err, ErrDeposed) {
		t.Errorf("take the lead: %v", err)
	}
	if err := late.Announce(t.Context()); !errors.Is(err, bucket.ErrFenced) {
		t.Errorf("announce: %v", err)
	}
	if _, err := late.Compare(t.Context(), time.Now, 0); !errors.Is(err, bucket.ErrFenced) {
		t.Errorf("compare: %v", err)
	}
}

func TestDrains(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		at := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
		ops, stopping := Drain{Reason: "kernel", By: "ops", At: at}, Drain{Member: "n1.1", Reason: "it is being stopped"}
		drained := func(want map[string]Drain) {
			t.Helper()
			got, _, err := o.Drains(t.Context())
			if err != nil || len(got) != len(want) {
				t.Fatalf("%v, %v, want %v", got, err, want)
			}
			for node, d := range want {
				if got[node] != d {
					t.Errorf("%s: %+v, want %+v", node, got[node], d)
				}
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do(o.Drain(t.Context(), "n1", stopping))
		do(o.Drain(t.Context(), "n2", stopping))
		do(o.Drain(t.Context(), "n1", ops))
		do(o.Drain(t.Context(), "n1", stopping)) // it does not undo what was asked for
		drained(map[string]Drain{"n1": ops, "n2": stopping})
		do(o.SweepDrains(t.Context(), func(m coordclient.MemberID) bool { return m == "n1.1" }))
		drained(map[string]Drain{"n1": ops})
		do(o.Undrain(t.Context(), "n1"))
		do(o.Undrain(t.Context(), "n1"))
		drained(nil)
		if !ops.Of("n1.7") || !stopping.Of("n1.1") || stopping.Of("n1.2") {
			t.Error("whom a drain is meant for")
		}
	})
}

func TestSurveys(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		lead, err := o.TakeLead(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := o.Survey(t.Context(), 2); ok || err != nil {
			t.Error(ok, err)
		}
		for edit := range int64(2) {
			if err := o.PutSurvey(t.Context(), lead, 2, Survey{Edit: edit, Data: []byte(`{"tasks":1}`)}, Roll{}); err != nil {
				t.Fatal(err)
			}
		}
		if s, ok, err := o.Survey(t.Context(), 2); !ok || err != nil || s.Edit != 1 || string(s.Data) != `{"tasks":1}` {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestHoldersAndSurrender(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		info := created(t, o.Store, "a")
		b := home(t, o.Store, info.Key)
		acquired(t, o, b)
		holders, err := o.Holders(t.Context())
		if err != nil || len(holders) != 4 || holders[b] != (Holder{Member: p.ID(), Edit: 1}) || holders[(b+1)%4] != (Holder{}) {
			t.Fatalf("%+v, %v", holders, err)
		}
		_, freed, err := o.Holder(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []bool{true, false} {
			if freed, err := o.Surrender(t.Context(), b); err != nil || freed != want {
				t.Fatalf("%t, %v", freed, err)
			}
		}
		<-freed
		if h, _, err := o.Holder(t.Context(), b); err != nil || h.Member != "" {
			t.Errorf("%+v, %v", h, err)
		}
	})
}

func TestOpenClaimsAreSeen(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		info := created(t, o.Store, "a")
		b := home(t, o.Store, info.Key)
		f := acquired(t, o, b)
		is := func(want bool) {
			t.Helper()
			if open, err := o.Open(t.Context(), b); open != want || err != nil {
				t.Errorf("open %t, %v, want %t", open, err, want)
			}
		}
		write := func(seq int64, r bucket.Record) {
			t.Helper()
			batch := bucket.Batch{Seq: seq, Op: seq, Epoch: f.Epoch, Records: []bucket.Record{r}}
			if err := o.Commit(t.Context(), f, bucket.Write{Seq: seq, Batch: batch.Encode()}); err != nil {
				t.Fatal(err)
			}
		}
		is(false)
		at := time.Now().UnixMilli()
		write(1, bucket.Record{Kind: bucket.Claim, UID: info.UID, At: at, Attempt: 1})
		is(true)
		write(2, bucket.Record{Kind: bucket.Settle, UID: info.UID, At: at, Attempt: 1, Outcome: task.OK, Final: true})
		is(false)
	})
}

func TestClocks(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		for _, ahead := range []time.Duration{0, 7 * time.Second, -9 * time.Second} {
			now := func() time.Time { return time.Now().Add(ahead) }
			skew, err := o.Compare(t.Context(), now, ahead)
			// Commits take a while, which never makes a clock look worse than it is.
			if err != nil || (ahead == 0) != (skew == 0) || skew.Abs() > ahead.Abs() || skew.Abs() < ahead.Abs()-3*time.Second {
				t.Errorf("%s ahead: found %s, %v", ahead, skew, err)
			}
			if clocks, err := o.Clocks(t.Context()); err != nil || len(clocks) != 1 || clocks[p.ID()] != ahead {
				t.Errorf("%v, %v", clocks, err)
			}
		}
		for range 2 {
			if err := o.SweepClock(t.Context(), p.ID()); err != nil {
				t.Fatal(err)
			}
		}
		if clocks, err := o.Clocks(t.Context()); err != nil || len(clocks) != 0 {
			t.Errorf("%v, %v", clocks, err)
		}
	})
}

func TestAnnouncementsAreHeard(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, p port) {
		o := prepared(t, p)
		heard, err := o.Announced(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Publish(t.Context(), map[string][]byte{"S": []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if err := o.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-heard
		if services, err := o.Catalogue(t.Context()); err != nil || len(services) != 1 {
			t.Errorf("%v, %v", services, err)
		}
	})
}

// An answer that was lost is not taken for a failure, and nothing is done twice.
func TestLostAnswersOfAdministrators(t *testing.T) {
	t.Parallel()
	m := coordtest.NewMemory()
	faulty := coordtest.NewFaulty(m)
	s := opened(t, m, Options{})
	if err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := New(faulty, Options{})
	for _, fault := range []coordtest.Fault{{LoseReply: true}, {Drop: true, LoseReply: true}} {
		faulty.FailNth(coordtest.OpCommit, 1, fault)
		if err := admin.Drain(t.Context(), "n1", Drain{Reason: "x"}); err != nil {
			t.Errorf("%+v: %v", fault, err)
		}
		if drains, _, err := s.Drains(t.Context()); err != nil || len(drains) != 1 {
			t.Errorf("%+v: %v, %v", fault, drains, err)
		}
		faulty.FailNth(coordtest.OpCommit, 1, fault)
		if err := admin.Undrain(t.Context(), "n1"); err != nil {
			t.Errorf("%+v: %v", fault, err)
		}
		faulty.FailNth(coordtest.OpCommit, 1, fault)
		if err := admin.Lift(t.Context(), "ops"); err != nil {
			t.Errorf("%+v: %v", fault, err)
		}
	}
	faulty.FailNth(coordtest.OpCommit, 1, coordtest.Fault{Drop: true})
	if err := admin.Drain(t.Context(), "n1", Drain{Reason: "x"}); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("not sent: %v", err)
	}
}
