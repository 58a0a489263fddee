package bucket

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// bench is a bucket with one task "u", due at every second after dawn, and as
// many workers as wanted.
type bench struct {
	t       *testing.T
	s       *State
	now     time.Time
	workers int
	hash    string
	seq     int64
	log     []Blob
	info    task.Info
	book    *calendar.Book
}

var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func second(n int) time.Time { return dawn.Add(time.Duration(n) * time.Second) }

func newBench(t *testing.T, change func(*task.Info)) *bench {
	t.Helper()
	b := &bench{t: t, workers: 1000, hash: "h", now: dawn, info: task.Info{
		Key: task.Key{Name: "t"}, UID: "u", Revision: 1, From: dawn, Service: "S", Operation: "op",
		Delivery: task.AtLeastOnce, Misfire: task.MisfireFireAll, Trigger: task.TriggerInfo{Cron: "* * * * * ?"},
	}}
	if change != nil {
		change(&b.info)
	}
	b.restart()
	return b
}

// restart replays the log in a new owner, to whom the earlier one is dead.
func (b *bench) restart() {
	b.t.Helper()
	var err error
	b.s, err = Replay(Loaded{
		Page: Blob{Version: -1}, Runs: Blob{Version: -1}, Log: b.log, Definitions: []task.Info{b.info}, Calendars: b.book,
	}, Triggers(new(trigger.Compiler)), Rules{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.s.Inherit(b.now, time.Second, true)
}

// Reserve implements Pool.
func (b *bench) Reserve(_ *task.Info, pinned string) (string, Room) {
	if pinned != "" && pinned != b.hash {
		return "", Changed
	}
	if b.workers == 0 {
		return "", Full
	}
	b.workers--
	return b.hash, Reserved
}

// commit applies records and keeps them in the log.
func (b *bench) commit(records []Record, taken ...string) {
	b.seq++
	batch := &Batch{Epoch: 1, Seq: b.seq, Op: b.seq, Time: b.now.UnixMilli(), Node: "n", Records: records}
	b.log = append(b.log, Blob{Seq: b.seq, Data: batch.Encode()})
	b.s.Apply(batch, taken)
}

// at decides and commits until there is nothing left to decide at a time, and
// tells what was: "CLAIM 1", "SKIP 2-4 OVERLAP_SKIPPED".
func (b *bench) at(now time.Time) string {
	b.now = now
	var told []string
	for range 20 {
		d := b.s.Decide(now, b, 1000)
		if len(d.Decisions)+len(d.Take) == 0 {
			break
		}
		var records []Record
		for _, c := range d.Decisions {
			records = append(records, c.Record)
			told = append(told, tell(&c.Record))
			if c.Take != "" {
				d.Take = append(d.Take, c.Take)
			}
		}
		b.commit(records, d.Take...)
	}
	return strings.Join(told, ", ")
}

func tell(r *Record) string {
	n := func(ms int64) string { return fmt.Sprint(float64(ms-dawn.UnixMilli()) / 1000) }
	text := r.Kind.String() + " " + n(r.At)
	switch {
	case r.Manual != "":
		text = r.Kind.String() + " " + r.Manual
	case r.Until != 0 && r.Until != r.At:
		text += "-" + n(r.Until)
	}
	if r.Attempt > 1 {
		text += fmt.Sprintf(" #%d", r.Attempt)
	}
	for _, s := range []string{string(r.Outcome), string(r.Reason)} {
		if s != "" {
			text += " " + s
		}
	}
	return text
}

// settle ends an attempt at the second n, or at a manual firing.
func (b *bench) settle(n, attempt int, result task.Result) string {
	b.t.Helper()
	r, take, ok := b.s.Settle(Ended{
		UID: "u", At: second(n).UnixMilli(), Attempt: attempt, Started: b.now, Ended: b.now, Result: result,
	})
	if !ok {
		b.t.Fatalf("second %d, attempt %d is not open", n, attempt)
	}
	var taken []string
	if take != "" {
		taken = append(taken, take)
	}
	b.commit([]Record{r}, taken...)
	if !r.Final {
		return fmt.Sprintf("%s, again in %dms", r.Outcome, r.RetryAt-b.now.UnixMilli())
	}
	return string(r.Outcome)
}

func (b *bench) want(got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("got  %s\nwant %s", got, want)
	}
}

const begins = "SKIP 0 BEFORE_FROM" // the first record about a task
