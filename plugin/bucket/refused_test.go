package bucket

import (
	"reflect"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

// A run that the host's rules refused says so, from the log, from the ring and
// from what is carried to another bucket, all of them in the format that can.
func TestRefusedRunsAreKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(dawn)
	b.want(b.at(second(1)), "CLAIM 1")
	b.settle(1, 1, task.Result{Outcome: task.OK})
	b.want(b.at(second(2)), "CLAIM 2")
	b.want(b.settle(2, 1, task.Result{Outcome: task.Failed, Error: "address 127.0.0.1 may not be called", NotSent: true, Refused: true}), "FAILED")
	if data := b.log[len(b.log)-1].Data; data[1] != formatRefusals {
		t.Errorf("the batch has format %d", data[1])
	}
	told := func(r task.Run) {
		t.Helper()
		if r.Outcome != task.Failed || r.Reason != task.ReasonEgress || r.Error == "" {
			t.Errorf("%+v", r)
		}
	}
	b.restart()
	told(b.last())

	page, runs, err := b.s.Fold(0)
	if err != nil || page[1] != formatFirst || runs[1] != formatRefusals {
		t.Fatalf("formats %d, %d, %v", page[1], runs[1], err)
	}
	ring, err := decodeRuns(runs)
	if err != nil || len(ring["u"]) != 2 || reasons[ring["u"][1].reason] != task.ReasonEgress {
		t.Errorf("%+v, %v", ring, err)
	}
	parcel := b.s.entries["u"].parcel(RunsPerTask)
	_, carried, err := decodeParcel(parcel, "u")
	if err != nil || parcel[1] != formatRefusals || !reflect.DeepEqual(carried, b.s.entries["u"].runs) {
		t.Errorf("format %d: %+v, %v", parcel[1], carried, err)
	}
	if older := b.s.entries["u"].parcel(0); older[1] != formatMoves {
		t.Errorf("a parcel without it has format %d", older[1])
	}
}
