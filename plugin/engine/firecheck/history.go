package firecheck

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Happening is what an event of a history says.
type Happening string

// What happens.
const (
	Committed Happening = "batch"  // an entry of the claim log
	Defined   Happening = "define" // a definition or tombstone
	Began     Happening = "begin"  // a run reached the target
	Effected  Happening = "effect" // and changed something there
	Ended     Happening = "end"    // a run is over
	Crashed   Happening = "crash"  // a process is gone, and its runs with it
	Replied   Happening = "reply"  // a reply to a run was stored
	Noted     Happening = "note"   // a calendar was stored, or deleted
)

// Event is one line of a history. Its place in the history is the order in
// which things became true.
type Event struct {
	What    Happening
	At      time.Time // by the judge's clock
	Proc    int       // who did it; 0: not a host
	Bucket  int
	Batch   *bucket.Batch // of Committed
	Info    task.Info     // of Defined
	Fire    task.FireID
	Attempt int
	Reply   task.Reply
	// Calendar of Noted. Commit makes none of these: the judge does not read what
	// calendars say.
	Calendar Calendar
}

// String writes the event as a line, or as one for each record.
func (e Event) String() string {
	head := fmt.Sprintf("%s p%d %-6s", e.At.Format("04:05.000"), e.Proc, e.What)
	switch e.What {
	case Committed:
		var b strings.Builder
		fmt.Fprintf(&b, "%s b%d epoch %d seq %d op %d", head, e.Bucket, e.Batch.Epoch, e.Batch.Seq, e.Batch.Op)
		for i := range e.Batch.Records {
			r := &e.Batch.Records[i]
			fmt.Fprintf(&b, "\n      %s %s #%d", r.Kind, Stamp(r.FireID()), r.Attempt)
			if r.Until != 0 {
				fmt.Fprintf(&b, " until %s n=%d", time.UnixMilli(r.Until).UTC().Format("04:05.000"), r.Count)
			}
			fmt.Fprintf(&b, " %s %s %s%s final=%t", r.Outcome, r.Reason, r.Error, r.Value, r.Final)
		}
		return b.String()
	case Defined:
		i := e.Info
		return fmt.Sprintf("%s %s rev %d from %s paused=%t deleted=%t %s %s %s %v %+v", head, i.UID, i.Revision,
			i.From.Format("04:05.000"), i.Paused, i.Deleted, i.Misfire, i.Overlap, i.Delivery, i.Trigger, i.Windows)
	case Noted:
		return fmt.Sprintf("%s %+v", head, e.Calendar)
	case Replied:
		return fmt.Sprintf("%s %s %+v", head, Stamp(e.Fire), e.Reply)
	default:
		return fmt.Sprintf("%s %s #%d", head, Stamp(e.Fire), e.Attempt)
	}
}

// Stamp writes a fire id with its instant as a time.
func Stamp(id task.FireID) string {
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

// Commit is what a commit that was applied, at a time of the store's clock,
// means. Error: a record in it cannot be read.
func Commit(at time.Time, proc int, ops []coordclient.Op) ([]Event, error) {
	var events []Event
	for _, op := range ops {
		e := Event{At: at, Proc: proc}
		part := strings.Split(strings.TrimPrefix(op.Key, "/"), "/")
		var err error
		switch {
		case op.Kind == coordclient.OpCreate && part[0] == "buckets" && len(part) == 4 && part[2] == "log":
			e.What = Committed
			if e.Bucket, err = strconv.Atoi(part[1]); err == nil {
				e.Batch, err = bucket.DecodeBatch(op.Value)
			}
		case op.Kind == coordclient.OpCreate && part[0] == "requests" && len(part) == 3:
			var q task.Request
			if err = json.Unmarshal(op.Value, &q); err == nil && q.Kind == task.RequestReply {
				e.What, e.Fire, e.Reply = Replied, q.FireID, *q.Reply
			}
		case part[0] == "tasks" && len(part) == 3 && (op.Kind == coordclient.OpCreate || op.Kind == coordclient.OpSet):
			e.What = Defined
			err = json.Unmarshal(op.Value, &e.Info)
			// The store's clock is what these mean.
			if now := at.Truncate(time.Millisecond); e.Info.From.IsZero() {
				e.Info.From = now
			}
			if e.Info.Deleted && e.Info.DeletedAt.IsZero() {
				e.Info.DeletedAt = at.Truncate(time.Millisecond)
			}
		}
		if err != nil {
			return events, fmt.Errorf("%s %s: %w", op.Kind, op.Key, err)
		}
		if e.What != "" {
			events = append(events, e)
		}
	}
	return events, nil
}
