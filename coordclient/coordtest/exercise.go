//nolint:thelper // the clauses of the contract are tests, not helpers of tests
package coordtest

import (
	"testing"

	"github.com/seed42aab489/belfry/coordclient"
)

// System is a store that a test has for itself, and one session with it.
type System struct {
	// Port is the session under test.
	Port Port
	// Host is a member of the group, whose handlers answer. It is Port itself,
	// or the member that a companion under test has dialled.
	Host Joined
	// Companion: Port has not joined, so that nothing it commits can be bound
	// to a membership.
	Companion bool
	// Join adds another member to the group. Nil if there can be only one.
	Join func(t *testing.T, node string) Joined
	// Expire ends a member's session without a word from it. Nil if that cannot
	// be done.
	Expire func(t *testing.T, member Joined)
	// Reopen closes the store and opens it again, as a restart does. Nil if it
	// does not outlive its process.
	Reopen func(t *testing.T) System
	// Close ends the session under test. The tests' own clean-up must bear that
	// it was called.
	Close func(t *testing.T)
}

func (s System) id() coordclient.MemberID { return s.Host.ID() }

// Exercise holds an implementation to the contract of coordclient. open makes
// an empty store for one test, and sees to its clean-up.
func Exercise(t *testing.T, open func(t *testing.T) System) {
	t.Helper()
	for _, part := range []struct {
		name  string
		tests []contract
	}{
		{"KV", kvTests},
		{"Watch", watchTests},
		{"Concurrent", concurrentTests},
		{"Member", memberTests},
		{"Call", callTests},
		{"Lead", leadTests},
		{"Session", sessionTests},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			for _, c := range part.tests {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.test(t, open(t))
				})
			}
		})
	}
}

// contract is one clause.
type contract struct {
	name string
	test func(t *testing.T, s System)
}
