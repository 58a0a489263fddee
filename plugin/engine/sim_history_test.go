package engine_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// happening is what an event of a history says.
type happening string

const (
	committed happening = "batch"  // an entry of the claim log
	defined   happening = "define" // a definition or tombstone
	began     happening = "begin"  // a run reached the target
	effected  happening = "effect" // and changed something there
	ended     happening = "end"    // a run is over
	crashed   happening = "crash"  // a process is gone, and its runs with it
	replied   happening = "reply"  // a reply to a run was stored
)

// event is one line of a history. Its place in the history is the order in
// which things became true.
type event struct {
	what    happening
	at      time.Time // by the judge's clock
	proc    int
	bucket  int
	batch   *bucket.Batch
	info    task.Info
	fire    task.FireID
	attempt int
	reply   task.Reply
}

func (e event) String() string {
	head := fmt.Sprintf("%s p%d %-6s", e.at.Format("04:05.000"), e.proc, e.what)
	switch e.what {
	case committed:
		var b strings.Builder
		fmt.Fprintf(&b, "%s b%d epoch %d seq %d op %d", head, e.bucket, e.batch.Epoch, e.batch.Seq, e.batch.Op)
		for i := range e.batch.Records {
			r := &e.batch.Records[i]
			fmt.Fprintf(&b, "\n      %s %s #%d", r.Kind, stamp(r.FireID()), r.Attempt)
			if r.Until != 0 {
				fmt.Fprintf(&b, " until %s n=%d", time.UnixMilli(r.Until).UTC().Format("04:05.000"), r.Count)
			}
			fmt.Fprintf(&b, " %s %s %s%s final=%t", r.Outcome, r.Reason, r.Error, r.Value, r.Final)
		}
		return b.String()
	case defined:
		i := e.info
		return fmt.Sprintf("%s %s rev %d from %s paused=%t deleted=%t %s %s %s %v", head, i.UID, i.Revision,
			i.From.Format("04:05.000"), i.Paused, i.Deleted, i.Misfire, i.Overlap, i.Delivery, i.Trigger)
	case replied:
		return fmt.Sprintf("%s %s %+v", head, stamp(e.fire), e.reply)
	default:
		return fmt.Sprintf("%s %s #%d", head, stamp(e.fire), e.attempt)
	}
}

// stamp writes a fire id with its instant as a time.
func stamp(id task.FireID) string {
	if at, ok := scheduledAt(id); ok {
		return id.UID() + "@" + time.UnixMilli(at).UTC().Format("04:05.000")
	}
	return string(id)
}

func scheduledAt(id task.FireID) (int64, bool) {
	var ms int64
	_, rest, _ := strings.Cut(string(id), ":")
	if _, err := fmt.Sscanf(rest, "%d", &ms); err != nil {
		return 0, false
	}
	return ms, true
}
