package model

import (
	"errors"
	"flag"
	"testing"
)

var long = flag.Bool("model.long", false, "explore the large budgets too: some minutes, some GiB")

// limit of states that one exploration may hold.
const limit = 6_000_000

// Every interleaving within these budgets keeps every promise, and can come to a
// good end.
func TestExhaustively(t *testing.T) { //nolint:tparallel // one after another: each takes a lot of memory
	t.Parallel()
	amo, eo := world{policy: atMostOnce}, world{policy: effectivelyOnce}
	two := world{policy: effectivelyOnce, last: 1}
	for _, c := range []struct {
		name string
		long bool
		w    world
		left budget
	}{
		{"nobody has the bucket yet", false, world{policy: atMostOnce, unowned: true}, budget{lose: 1}},
		{"at-most-once: crash", false, amo, budget{crash: 1}},
		{"at-most-once: crash, fold", false, amo, budget{crash: 1, fold: 1}},
		{"at-most-once: expiry, late start", false, amo, budget{expire: 1, stale: 1}},
		{"at-most-once: two edits", false, amo, budget{edit: 2}},
		{"at-most-once: lost answer, edit", false, amo, budget{lose: 1, edit: 1}},
		{"at-most-once: release, edit", false, amo, budget{release: 1, edit: 1}},
		{"effectively-once: crash", false, eo, budget{crash: 1}},
		{"effectively-once: expiry", false, eo, budget{expire: 1}},
		{"effectively-once: lost answer, fold", false, eo, budget{lose: 1, fold: 1}},
		{"effectively-once: three edits", false, eo, budget{edit: 3}},
		{"effectively-once: run by hand, fold", false, eo, budget{manual: 1, fold: 1}},
		{"effectively-once: run by hand, crash", true, eo, budget{manual: 1, crash: 1}},
		{"move", false, two, budget{move: 1}},
		{"move, crash", false, two, budget{move: 1, crash: 1}},
		{"move, edit", false, two, budget{move: 1, edit: 1}},

		{"at-most-once: crash, expiry", true, amo, budget{crash: 1, expire: 1}},
		{"at-most-once: crash, lost answer", true, amo, budget{crash: 1, lose: 1}},
		{"effectively-once: crash, expiry", true, eo, budget{crash: 1, expire: 1}},
		{"effectively-once: crash, edit, fold", true, eo, budget{crash: 1, edit: 1, fold: 1}},
		{"effectively-once: expiry, edit", true, eo, budget{expire: 1, edit: 1}},
		{"move twice", true, two, budget{move: 2}},
		{"move, lost answer", true, two, budget{move: 1, lose: 1}},
		{"move, expiry", true, two, budget{move: 1, expire: 1}},
		{"move, run by hand", true, two, budget{move: 1, manual: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.long && !*long {
				t.Skip("SKIPPED, NOT PASSED: a large budget; give -model.long")
			}
			f := c.w.explore(c.left, limit)
			if f.err != nil {
				t.Fatalf("%v\n%s", f.err, f.trace)
			}
			if !f.whole {
				t.Fatalf("%d states, and there are more", f.states)
			}
			t.Logf("%d states", f.states)
		})
	}
}

// A rule of the protocol that is left out is missed.
func TestPlantedFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		w    world
		left budget
		want []error // any of them
	}{
		{"no check of F", world{policy: effectivelyOnce, planted: noFence}, budget{edit: 1}, []error{errEdit}},
		{"an acquisition that is not read back", world{policy: effectivelyOnce, planted: noReadBack, unowned: true}, budget{lose: 1}, []error{errOther, errTwice, errNoClaim}},
		{"an edit that does not move F", world{policy: effectivelyOnce, planted: editsInSilence}, budget{edit: 1}, []error{errEdit}},
		{"open claims missing from the page", world{policy: effectivelyOnce, planted: openNotPaged}, budget{crash: 1, fold: 1}, []error{errDeadEnd}},
		{"page and log read without a sync", world{policy: effectivelyOnce, planted: readsBefore}, budget{expire: 1}, []error{errOther, errTwice, errDeadEnd}},
		{"run, then claim", world{policy: atMostOnce, planted: startsFirst}, budget{}, []error{errNoClaim}},
		{"the landing of a batch is not looked for", world{policy: effectivelyOnce, planted: landingNotRead}, budget{lose: 1, edit: 1}, []error{errOther, errTwice}},
		{"skips do not move the cursor", world{policy: effectivelyOnce, planted: skipsForgotten}, budget{edit: 2, crash: 1}, []error{errTwice}},
		{"claims start whenever", world{policy: atMostOnce, planted: startsLate}, budget{expire: 1, stale: 1}, []error{errStarts}},
		{"sequence numbers start again", world{policy: effectivelyOnce, planted: seqRestarts}, budget{fold: 1}, []error{errNoClaim}},
		{"replay of what the page holds", world{policy: effectivelyOnce, planted: replayEverything}, budget{lose: 1, fold: 1}, []error{errDeadEnd, errTwice}},
		{"definitions read before the node", world{policy: effectivelyOnce, planted: definitionsFirst}, budget{edit: 2}, []error{errEdit}},
		{"a resumption that does not set From", world{policy: effectivelyOnce, planted: resumesPast}, budget{edit: 2}, []error{errPhantom}},
		{"a request deleted after its claim", world{policy: effectivelyOnce, planted: requestLater}, budget{manual: 1, fold: 1, crash: 1}, []error{errTwice}},
		{"UNKNOWN without a wait", world{policy: atMostOnce, planted: unknownAtOnce}, budget{expire: 1}, []error{errStarts}},
		{"a move without the cursor", world{policy: effectivelyOnce, planted: cursorStays, last: 1}, budget{move: 1}, []error{errTwice}},
		{"an adoption that is not logged", world{policy: effectivelyOnce, planted: adoptUnlogged, last: 1}, budget{move: 1, crash: 1}, []error{errTwice}},
		{"tasks of other buckets are not told apart", world{policy: effectivelyOnce, planted: seatIgnored, last: 1}, budget{}, []error{errSeat}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := c.w.explore(c.left, limit)
			for _, want := range c.want {
				if errors.Is(f.err, want) {
					t.Logf("%v, after %d states", f.err, f.states)
					return
				}
			}
			t.Errorf("%d states, %v\n%s", f.states, f.err, f.trace)
		})
	}
}
