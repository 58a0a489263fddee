package bucket

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// replies is a bench whose task waits for replies, ten seconds each, and is due
// once at second 1.
func replies(t *testing.T, change func(*task.Info)) *bench {
	t.Helper()
	b := newBench(t, func(i *task.Info) {
		i.Trigger.End = second(1)
		i.Reply = &task.ReplyWait{Deadline: task.Duration(10 * time.Second)}
		if change != nil {
			change(i)
		}
	})
	b.at(dawn)
	b.want(b.at(second(1)), "CLAIM 1")
	return b
}

// reply puts a reply to the firing of second n before the bucket.
func (b *bench) reply(n int, asked time.Time, r task.Reply) {
	id := task.ScheduledID("u", second(n))
	b.s.Edit(Changes{Requests: []task.Request{{
		ID: task.ReplyID(id), Kind: task.RequestReply, UID: "u", FireID: id, Asked: asked, Reply: &r,
	}}})
}

var sent = task.Result{Outcome: task.Waiting}

func (b *bench) last() task.Run {
	b.t.Helper()
	runs := b.s.Runs("u")
	if len(runs) == 0 {
		b.t.Fatal("no runs")
	}
	return runs[len(runs)-1]
}

func TestWaitingRunEndsWithItsReply(t *testing.T) {
	t.Parallel()
	b := replies(t, nil)
	b.want(b.settle(1, 1, sent), "WAITING, again in 10000ms")
	b.restart() // from the log
	b.want(b.at(second(5)), "")
	if r := b.last(); r.Outcome != task.Waiting || !r.Deadline.Equal(second(11)) || !r.Started.Equal(second(1)) {
		t.Errorf("%+v", r)
	}
	b.reply(1, second(6), task.Reply{OK: true, Value: "installed"})
	b.want(b.at(second(7)), "SETTLE 1 OK")
	if r := b.last(); r.Value != "installed" || !r.Started.Equal(second(1)) || !r.Ended.Equal(second(7)) || r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
	b.reply(1, second(8), task.Reply{OK: false, Value: "again"})
	b.want(b.at(second(9)), "")
	if len(b.s.requests) != 0 {
		t.Error("the second reply stays")
	}
	if v, _ := b.s.View("u"); v.Counts.OK != 1 || v.Counts.Fired != 1 || len(v.Open) != 0 {
		t.Errorf("%+v", v)
	}
	b.restart()
	if r := b.last(); r.Value != "installed" || r.Outcome != task.OK {
		t.Errorf("from the log: %+v", r)
	}
}

func TestExceptionIsFinal(t *testing.T) {
	t.Parallel()
	b := replies(t, func(i *task.Info) { i.Retry.Max = 3 })
	b.settle(1, 1, sent)
	b.reply(1, second(2), task.Reply{Value: strings.Repeat("é", 400)})
	b.want(b.at(second(2)), "SETTLE 1 FAILED")
	if r := b.last(); len(r.Error) > MaxError || len(r.Value) != 800 {
		t.Errorf("%+v", r)
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	retries := func(i *task.Info) { i.Reply.OnDeadline, i.Retry.Max = task.DeadlineRetry, 1 }
	for _, c := range []struct {
		name   string
		change func(*task.Info)
		play   func(b *bench)
		want   string
	}{
		{"fails", nil, func(*bench) {}, "SETTLE 1 TIMED_OUT"},
		{"fails in a pause", nil, func(b *bench) {
			b.info.Paused, b.info.Revision = true, 2
			b.s.Edit(Changes{Definitions: []task.Info{b.info}})
		}, "SETTLE 1 TIMED_OUT"},
		{"fails though retries are left", func(i *task.Info) { i.Retry.Max = 1 }, func(*bench) {}, "SETTLE 1 TIMED_OUT"},
		{"retries", retries, func(b *bench) {
			b.want(b.at(second(11)), "SETTLE 1 TIMED_OUT")
			b.want(b.at(second(12)), "RECLAIM 1 #2")
			b.want(b.settle(1, 2, sent), "WAITING, again in 10000ms")
			b.want(b.at(second(20)), "")
			b.now = second(22)
		}, "SETTLE 1 #2 TIMED_OUT"},
		{"a reply in time is looked at late", nil, func(b *bench) {
			b.reply(1, second(11), task.Reply{OK: true})
		}, "SETTLE 1 OK"},
		{"a reply comes too late", nil, func(b *bench) {
			b.reply(1, second(11).Add(time.Millisecond), task.Reply{OK: true})
		}, "SETTLE 1 TIMED_OUT"},
		{"a late reply spares the retry", retries, func(b *bench) {
			b.reply(1, second(12), task.Reply{OK: true})
		}, "SETTLE 1 TIMED_OUT, SETTLE 1 OK"},
		{"cancelled", nil, func(b *bench) {
			b.s.Edit(Changes{Requests: []task.Request{{
				ID: "c", Kind: task.RequestCancel, UID: "u", FireID: task.ScheduledID("u", second(1)), Asked: second(2),
			}}})
		}, "SETTLE 1 CANCELLED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := replies(t, c.change)
			b.settle(1, 1, sent)
			b.want(b.at(second(10)), "")
			b.now = second(11)
			c.play(b)
			b.want(b.at(b.now), c.want)
			if v, _ := b.s.View("u"); len(v.Open) != 0 || len(b.s.requests) != 0 {
				t.Errorf("%+v %v", v, b.s.requests)
			}
		})
	}
}

// A reply may overtake the answer to the very call that it replies to.
func TestReplyBeforeWaitingIsRecorded(t *testing.T) {
	t.Parallel()
	b := replies(t, nil)
	b.reply(1, second(1), task.Reply{OK: true, Value: "v"})
	b.want(b.at(second(2)), "") // its worker still sends
	if _, armed := b.s.Next(); armed {
		t.Error("it is asked again and again")
	}
	b.want(b.settle(1, 1, task.Result{Outcome: task.Failed, Error: "connection lost"}), "OK")
	if r := b.last(); r.Value != "v" || r.Outcome != task.OK || len(b.s.requests) != 0 {
		t.Errorf("%+v, %v", r, b.s.requests)
	}

	b = replies(t, nil)
	b.restart() // its owner died before it could record anything
	b.reply(1, second(1), task.Reply{OK: true, Value: "v"})
	b.want(b.at(second(2)), "SETTLE 1 OK")
}

// What a crash leaves open is sent again, with the same fire id; at most once
// means that only a reply can tell.
func TestCrashWhileSending(t *testing.T) {
	t.Parallel()
	b := replies(t, nil)
	b.restart()
	b.want(b.at(second(2)), "RECLAIM 1 #2")

	atMostOnce := func(i *task.Info) { i.Delivery = task.AtMostOnce }
	b = replies(t, atMostOnce)
	b.restart()
	b.want(b.at(second(2)), "SETTLE 1 WAITING")
	b.restart()
	b.want(b.at(second(11)), "SETTLE 1 UNKNOWN")

	b = replies(t, atMostOnce)
	b.restart()
	b.at(second(2))
	b.reply(1, second(3), task.Reply{OK: true})
	b.want(b.at(second(3)), "SETTLE 1 OK")
}

func TestWaitingCountsForOverlap(t *testing.T) {
	t.Parallel()
	b := replies(t, func(i *task.Info) { i.Trigger.End, i.Overlap = second(3), task.OverlapQueue })
	b.settle(1, 1, sent)
	b.workers = 0
	b.want(b.at(second(3)), "DEFER 2 OVERLAP_QUEUED, DEFER 3 OVERLAP_QUEUED")
	b.workers = 1
	b.want(b.at(second(4)), "")
	b.reply(1, second(4), task.Reply{OK: true})
	b.want(b.at(second(4)), "SETTLE 1 OK, CLAIM 2")
}

// Many replies of one task are taken together, within the bounds of a commit.
func TestManyReplies(t *testing.T) {
	t.Parallel()
	const n = 300
	b := replies(t, func(i *task.Info) { i.Trigger.End, i.Reply.Deadline = second(n), task.Duration(time.Hour) })
	var all []task.Request
	for i := 1; i <= n; i++ {
		b.at(second(i))
		b.settle(i, 1, sent)
		id := task.ScheduledID("u", second(i))
		all = append(all, task.Request{
			ID: task.ReplyID(id), Kind: task.RequestReply, UID: "u", FireID: id, Asked: b.now,
			Reply: &task.Reply{OK: true, Value: strings.Repeat("x", task.MaxReplyValue)},
		})
	}
	b.s.Edit(Changes{Requests: all})
	d := b.s.Decide(b.now, b, 1000)
	values := 0
	for _, c := range d.Decisions {
		values += len(c.Value)
		if c.Take == "" {
			t.Errorf("%s without its request", tell(&c.Record))
		}
	}
	if values < maxValues || values > maxValues+task.MaxReplyValue {
		t.Errorf("%d bytes of values in one round", values)
	}
	b.at(b.now)
	if v, _ := b.s.View("u"); v.Counts.OK != n || len(v.Open) != 0 {
		t.Errorf("%+v", v.Counts)
	}
	_, runs, err := b.s.Fold(0)
	if err != nil || len(runs) > MaxRuns {
		t.Errorf("%d bytes of runs, %v", len(runs), err)
	}
}

func TestReplyFormats(t *testing.T) {
	t.Parallel()
	if b := sampleBatch().Encode(); b[1] != formatFirst {
		t.Errorf("a batch without replies has format %d", b[1])
	}
	batch := sampleBatch()
	batch.Records = append(batch.Records,
		Record{Kind: Settle, UID: "u1", At: 1, Attempt: 1, Outcome: task.Waiting, RetryAt: 9},
		Record{Kind: Settle, UID: "u1", At: 1, Attempt: 1, Outcome: task.OK, Final: true, Value: "v"})
	data := batch.Encode()
	if got, err := DecodeBatch(data); err != nil || data[1] != formatReplies || !reflect.DeepEqual(got, batch) {
		t.Errorf("format %d: %+v, %v", data[1], got, err)
	}
	page := samplePage()
	page.Cursors[1].Open[0].Outcome = task.Waiting
	data = page.Encode()
	if got, err := DecodePage(data); err != nil || data[1] != formatReplies || !reflect.DeepEqual(got, page) {
		t.Errorf("format %d: %+v, %v", data[1], got, err)
	}

	b := replies(t, nil)
	b.settle(1, 1, sent)
	b.reply(1, second(2), task.Reply{OK: true, Value: "v"})
	b.at(second(2))
	pageData, runs, err := b.s.Fold(0)
	if err != nil || pageData[1] != formatFirst || runs[1] != formatReplies {
		t.Fatalf("formats %d, %d, %v", pageData[1], runs[1], err)
	}
	s, err := Replay(Loaded{
		Page: Blob{Data: pageData}, Runs: Blob{Data: runs}, Definitions: []task.Info{b.info},
	}, b.s.compile, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	b.s = s
	if r := b.last(); r.Value != "v" {
		t.Errorf("%+v", r)
	}
}
