package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The bounds of a journal: what may wait to be written, and the pause in which
// events gather, since each write replaces the whole ring.
const (
	journalWaiting = 256
	journalGather  = 200 * time.Millisecond
)

// journal writes what administrators want to know into the node's ring of
// events. Beyond journalWaiting events are counted, and the count is written.
type journal struct {
	store   *store.Store
	node    string
	log     *slog.Logger
	now     func() time.Time
	waiting chan store.Event
	dropped chan int // capacity 1: how many were
}

func newJournal(s *store.Store, node string, log *slog.Logger, now func() time.Time) *journal {
	return &journal{s, node, log, now, make(chan store.Event, journalWaiting), make(chan int, 1)}
}

// Report takes an event. It does not block.
func (j *journal) Report(r event.Report) {
	select {
	case j.waiting <- store.Event{Time: r.At, Level: r.Level, Code: r.Code, Object: r.Object, Text: r.Text}:
	default:
		n := 1
		select {
		case before := <-j.dropped:
			n += before
		default:
		}
		select {
		case j.dropped <- n:
		default:
		}
	}
}

// run writes until ctx ends, and then once more what is left.
func (j *journal) run(ctx context.Context) {
	for {
		var events []store.Event
		select {
		case e := <-j.waiting:
			events = append(events, e)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			j.write(last, j.gather(events))
			cancel()
			return
		}
		select {
		case <-time.After(journalGather):
		case <-ctx.Done():
		}
		j.write(ctx, j.gather(events))
	}
}

func (j *journal) gather(events []store.Event) []store.Event {
	for {
		select {
		case e := <-j.waiting:
			events = append(events, e)
		case n := <-j.dropped:
			events = append(events, store.Event{Time: j.now(), Level: "warn", Code: "EVENTS_DROPPED", Text: fmt.Sprintf("%d events came too fast to be kept", n)})
		default:
			return events
		}
	}
}

func (j *journal) write(ctx context.Context, events []store.Event) {
	if len(events) == 0 {
		return
	}
	if err := j.store.Append(ctx, j.node, events...); err != nil && ctx.Err() == nil {
		j.log.Warn("events not written", "events", len(events), "err", err)
	}
}

// reportedInvoker reports runs that did not end well.
type reportedInvoker struct {
	engine.Invoker
	journal *journal
	now     func() time.Time
}

func (r reportedInvoker) Invoke(ctx context.Context, call task.Call) task.Result {
	result := r.Invoker.Invoke(ctx, call)
	if bad(result.Outcome) && ctx.Err() == nil {
		r.journal.Report(event.Report{
			At: r.now(), Level: "warn", Code: CodeRunFailed, Object: call.Info.Key.String(),
			Text: fmt.Sprintf("attempt %d of %s: %s", call.Attempt, call.FireID, result.Error),
		})
	}
	return result
}

// bad tells whether an outcome is worth a report: neither what went well nor
// what waits, or was delayed on purpose.
func bad(o task.Outcome) bool { return o != task.OK && o != task.Waiting && o != task.Skipped }

// reportedSender reports messages that were accepted.
type reportedSender struct {
	event.Sender
	journal *journal
	now     func() time.Time
}

func (r reportedSender) Send(ctx context.Context, m task.Message) error {
	err := r.Sender.Send(ctx, m)
	if err == nil {
		r.journal.Report(event.Report{At: r.now(), Level: "info", Code: CodeMessageSent, Object: m.To, Text: m.Subject})
	}
	return err
}
