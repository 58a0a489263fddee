//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"context"
	"errors"
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
)

var leadTests = []contract{
	{"a member leads, in growing terms", testLeadTerms},
	{"terms outlive a restart", testLeadReopen},
	{"one at a time leads a role, and roles are apart", testLeadOne},
	{"an error of the led function ends Lead", testLeadError},
	{"the end of the context ends Lead", testLeadContext},
	{"the end of the session ends a leadership", testLeadSession},
	{"the next member leads when the leader expires", testLeadNext},
}

var errStop = errors.New("stop")

// lead leads once and gives the term.
func lead(ctx context.Context, t *testing.T, e coordclient.Elector, role string) coordclient.Term {
	t.Helper()
	var got coordclient.Term
	err := e.Lead(ctx, role, func(_ context.Context, term coordclient.Term) error {
		got = term
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Fatalf("lead %s: %v", role, err)
	}
	return got
}

func testLeadTerms(t *testing.T, s System) {
	last := coordclient.Term(0)
	for range 5 {
		term := lead(t.Context(), t, s.Host, "r")
		if term <= last {
			t.Fatalf("term %d after %d", term, last)
		}
		last = term
	}
	n := 0
	err := s.Host.Lead(t.Context(), "r", func(_ context.Context, term coordclient.Term) error {
		if term <= last {
			t.Errorf("term %d after %d", term, last)
		}
		last = term
		if n++; n == 3 {
			return errStop
		}
		return nil // to lead again
	})
	if !errors.Is(err, errStop) || n != 3 {
		t.Errorf("led %d times, %v; want 3 times and f's error", n, err)
	}
}

func testLeadReopen(t *testing.T, s System) {
	if s.Reopen == nil {
		t.Skip("this store does not outlive its process")
	}
	first := lead(t.Context(), t, s.Host, "r")
	s = s.Reopen(t)
	if second := lead(t.Context(), t, s.Host, "r"); second <= first {
		t.Errorf("term %d after %d", second, first)
	}
}

func testLeadOne(t *testing.T, s System) {
	err := s.Host.Lead(t.Context(), "a", func(ctx context.Context, _ coordclient.Term) error {
		if term := lead(ctx, t, s.Host, "b"); term < 1 {
			t.Errorf("term %d of another role", term)
		}
		// Whoever else stands for the role does not get it meanwhile.
		second, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { // ends with its context
			done <- s.Host.Lead(second, "a", func(context.Context, coordclient.Term) error {
				t.Error("two lead at once")
				return errStop
			})
		}()
		lead(ctx, t, s.Host, "c") // time in which it could
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the second: %v, want context.Canceled", err)
		}
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Error(err)
	}
}

func testLeadError(t *testing.T, s System) {
	lead(t.Context(), t, s.Host, "r")
	if err := s.Host.Lead(t.Context(), "bad/../role", nil); !errors.Is(err, coordclient.ErrInvalidKey) {
		t.Errorf("lead a role that is no path: %v, want ErrInvalidKey", err)
	}
}

func testLeadContext(t *testing.T, s System) {
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Host.Lead(ctx, "r", func(led context.Context, _ coordclient.Term) error {
		cancel()
		<-led.Done()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("lead: %v, want context.Canceled", err)
	}
	err = s.Host.Lead(ctx, "r", func(context.Context, coordclient.Term) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("lead with an ended context: %v, want context.Canceled", err)
	}
	lead(t.Context(), t, s.Host, "r") // it is free again
}

func testLeadSession(t *testing.T, s System) {
	if s.Companion {
		t.Skip("it does not lead")
	}
	leading := make(chan struct{})
	done := make(chan error, 1)
	go func() { // ends with the session
		done <- s.Host.Lead(t.Context(), "r", func(led context.Context, _ coordclient.Term) error {
			close(leading)
			<-led.Done()
			return led.Err()
		})
	}()
	closes(t, leading, "lead")
	s.Close(t)
	if err := <-done; !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("lead after the session: %v, want ErrUnavailable", err)
	}
}

func testLeadNext(t *testing.T, s System) {
	if s.Join == nil || s.Expire == nil {
		t.Skip("this group has one member")
	}
	other := s.Join(t, "other")
	first := make(chan coordclient.Term, 1)
	ended := make(chan error, 1)
	go func() { // ends with the session of other
		ended <- other.Lead(t.Context(), "r", func(led context.Context, term coordclient.Term) error {
			first <- term
			<-led.Done()
			return led.Err()
		})
	}()
	before := <-first
	next := make(chan coordclient.Term, 1)
	go func() { next <- lead(t.Context(), t, s.Host, "r") }() // ends when it has led
	s.Expire(t, other)
	if after := <-next; after <= before {
		t.Errorf("term %d after %d", after, before)
	}
	if err := <-ended; !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("the expired leader: %v, want ErrUnavailable", err)
	}
}
