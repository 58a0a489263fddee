package firecheck

import (
	"errors"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Histories that break one promise each, so that every validator is seen to
// work.
func TestJudge(t *testing.T) {
	t.Parallel()
	good := newScript().define(nil).log(claim(1)).run(1, 1).log(settle(1, 1, task.OK)).log(claim(2), claim(3)).
		run(2, 1).run(3, 1).log(waiting(2, 90)).reply(2, "v").log(valued(settle(2, 1, task.OK), "v")).reply(2, "w").
		log(settle(3, 1, task.OK))
	if faults := good.judge(4); len(faults) > 0 {
		t.Fatalf("a good history: %v", faults)
	}
	for _, c := range []struct {
		name string
		want error
		bad  *script
	}{
		{"claimed twice", ErrDoubleDecision, newScript().define(nil).log(claim(1)).log(claim(1))},
		{"skipped after a claim", ErrDoubleDecision, newScript().define(nil).log(claim(1)).log(skip(1, task.ReasonOverlap))},
		{"an instant left out", ErrLostFiring, newScript().define(nil).log(claim(1)).log(claim(3))},
		{"nothing claimed at all", ErrLostFiring, newScript().define(nil)},
		{"deferred for ever", ErrLostFiring, newScript().define(nil).log(deferral(1))},
		{"skipped in silence", ErrLostFiring, newScript().define(nil).log(bucket.Record{
			Kind: bucket.Skip, UID: "u", At: ms(1), Until: ms(3), Count: 1, Reason: task.ReasonDeleted,
		})},
		{"never settled", ErrUnsettled, newScript().define(nil).log(claim(1)).run(1, 1)},
		{"claimed early", ErrEarlyFiring, newScript().define(nil).logAt(900, claim(1))},
		{"called late", ErrLateFiring, newScript().define(nil).log(claim(1)).runAt(40, 1)},
		{"an entry left out", ErrBadLog, newScript().define(nil).log(claim(1)).skipSeq().log(claim(2))},
		{"of an earlier epoch", ErrBadLog, newScript().define(nil).log(claim(1)).backEpoch().log(claim(2))},
		{"between two instants", ErrNotScheduled, newScript().define(nil).log(bucket.Record{
			Kind: bucket.Claim, UID: "u", At: ms(1) + 500, Attempt: 1,
		})},
		{"claimed in a pause", ErrFiredAfterPause, newScript().define(nil).define(paused).log(claim(1))},
		{"by hand in a pause", ErrFiredAfterPause, newScript().define(paused).log(bucket.Record{
			Kind: bucket.Claim, UID: "u", At: ms(1), Manual: "m", Attempt: 1,
		})},
		{"claimed before the end of a pause", ErrFiredAfterPause, newScript().define(pausedUntil(3)).logAt(1500, claim(1))},
		{"claimed before the end of a pause that another process saw", ErrFiredAfterPause, newScript().define(pausedUntil(3)).
			by(1).logAt(3500).by(2).logAt(1500, claim(1))},
		{"an instant before the end of a pause after it", ErrNotScheduled, newScript().define(pausedUntil(3)).logAt(3500, claim(2))},
		{"paused for longer than it was to be", ErrLostFiring, newScript().define(pausedUntil(2))},
		{"an instant of a pause after it", ErrNotScheduled, newScript().define(paused).define(resumedAt(5)).log(claim(2))},
		{"attempted again in a pause", ErrFiredAfterPause, newScript().define(nil).log(claim(1)).define(paused).log(reclaim(1, 2))},
		{"effect twice", ErrDoubleEffect, newScript().define(nil).log(claim(1)).run(1, 1).log(reclaim(1, 2)).run(1, 2)},
		{"OK without effect", ErrLostEffect, newScript().define(nil).log(claim(1)).log(settle(1, 1, task.OK))},
		{"at-most-once twice", ErrRanTwice, newScript().define(nil).log(atMostOnce(claim(1))).run(1, 1).log(reclaim(1, 2))},
		{"run without claim", ErrRunWithoutClaim, newScript().define(nil).run(1, 1).log(claim(1))},
		{"run without reclaim", ErrRunWithoutClaim, newScript().define(nil).log(claim(1)).run(1, 1).run(1, 2)},
		{"run after the end", ErrRunAfterSettle, newScript().define(nil).log(claim(1)).log(settle(1, 1, task.Unknown)).run(1, 1)},
		{"two at once", ErrOverlap, newScript().define(queued).log(claim(1), claim(2)).begin(1).begin(2)},
		{"missed when hardly late", ErrWrongMisfire, newScript().define(nil).log(skip(1, task.ReasonMissed))},
		{"decided by two buckets", ErrTwoBuckets, newScript().define(nil).log(claim(1)).in(1).log(claim(2))},
		{"on its way", ErrTwoBuckets, newScript().define(nil).log(move(bucket.Give)).log(claim(1))},
		{"from nowhere", ErrTwoBuckets, newScript().define(nil).log(claim(1)).in(1).log(move(bucket.Adopt))},
		{"never arrived", ErrLostFiring, newScript().define(nil).log(claim(1)).log(move(bucket.Give))},
		{"waiting, and run again", ErrWaitingRerun, newScript().define(nil).log(claim(1)).run(1, 1).log(waiting(1, 90)).log(reclaim(1, 2))},
		{"a reply in time is passed over", ErrLostReply, newScript().define(nil).log(claim(1)).run(1, 1).
			log(waiting(1, 9)).reply(1, "v").log(settle(1, 1, task.TimedOut))},
		{"OK without a reply", ErrNoReply, newScript().define(nil).log(claim(1)).run(1, 1).log(waiting(1, 9)).log(settle(1, 1, task.OK))},
		{"timed out before its deadline", ErrNoReply, newScript().define(nil).log(claim(1)).run(1, 1).
			log(waiting(1, 90)).log(settle(1, 1, task.TimedOut))},
		{"another value than was replied", ErrNoReply, newScript().define(nil).log(claim(1)).run(1, 1).
			log(waiting(1, 9)).reply(1, "v").log(valued(settle(1, 1, task.OK), "w"))},
		{"begun while one waits", ErrOverlap, newScript().define(queued).log(claim(1)).run(1, 1).log(waiting(1, 90)).log(claim(2)).begin(2)},
		{"outside its window", ErrOutsideWindow, newScript().note("a", 20, 30).define(within("a")).log(claim(1))},
		{"a calendar is missing", ErrOutsideWindow, newScript().define(within("a")).log(claim(1))},
		{"skipped inside its window", ErrOutsideWindow, newScript().note("a", 0, 60).define(within("a")).log(skip(1, task.ReasonWindow))},
		{"skipped for windows that it has not", ErrOutsideWindow, newScript().define(nil).log(skip(1, task.ReasonWindow))},
		{"put off inside its window", ErrOutsideWindow, newScript().note("a", 0, 60).define(within("a")).log(putOff(1))},
		{"put off, though it is to be skipped", ErrOutsideWindow, newScript().note("a", 20, 30).define(within("a")).log(putOff(1))},
		{"settled twice", ErrBadLog, newScript().define(nil).log(claim(1)).run(1, 1).log(settle(1, 1, task.OK)).log(settle(1, 1, task.OK))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if faults := c.bad.judge(40); !errors.Is(errors.Join(faults...), c.want) {
				t.Errorf("want %v, have %v", c.want, faults)
			}
		})
	}
}

// A process that saw a pause end may fire what somebody asks for, also when its
// clock is set back into the pause.
func TestClockSetBackIntoPause(t *testing.T) {
	t.Parallel()
	h := newScript().define(pausedUntil(2)).by(1).logAt(2500).logAt(1500, bucket.Record{
		Kind: bucket.Claim, UID: "u", At: ms(1), Manual: "m", Attempt: 1,
	})
	if faults := errors.Join(h.judge(4)...); errors.Is(faults, ErrFiredAfterPause) {
		t.Error(faults)
	}
}

// script writes a history of one task "u" that is due at every second.
type script struct {
	h   []Event
	seq int64
	rev int64
	epo int64 // of what is logged next, less 5
	b   int   // the bucket of what is logged next
	p   int   // the process that logs it
}

var dawn = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func ms(second int) int64 { return dawn.Add(time.Duration(second) * time.Second).UnixMilli() }

func newScript() *script { return &script{} }

func (s *script) define(change func(*task.Info)) *script {
	s.rev++
	info := task.Info{
		UID: "u", Revision: s.rev, From: dawn, Delivery: task.EffectivelyOnce,
		Trigger: task.TriggerInfo{Cron: "* * * * * ?", End: dawn.Add(3 * time.Second)},
	}
	if change != nil {
		change(&info)
	}
	s.h = append(s.h, Event{What: Defined, Info: info})
	return s
}

func paused(i *task.Info) { i.Paused = true }

func pausedUntil(second int) func(*task.Info) {
	return func(i *task.Info) {
		until := dawn.Add(time.Duration(second) * time.Second)
		i.Paused, i.PauseUntil = true, &until
	}
}

func queued(i *task.Info) { i.Overlap = task.OverlapQueue }

func resumedAt(second int) func(*task.Info) {
	return func(i *task.Info) { i.From = time.UnixMilli(ms(second)) }
}

func (s *script) log(records ...bucket.Record) *script { return s.logAt(10_000, records...) }

func (s *script) logAt(after int64, records ...bucket.Record) *script {
	s.seq++
	s.h = append(s.h, Event{What: Committed, At: dawn, Proc: s.p, Bucket: s.b, Batch: &bucket.Batch{
		Epoch: 5 + s.epo, Seq: s.seq, Op: s.seq, Time: ms(0) + after, Records: records,
	}})
	return s
}

// by has another process log what follows.
func (s *script) by(proc int) *script {
	s.p = proc
	return s
}

// skipSeq leaves a number of the log out.
func (s *script) skipSeq() *script {
	s.seq++
	return s
}

// backEpoch goes on in an epoch before.
func (s *script) backEpoch() *script {
	s.epo--
	return s
}

// runAt runs a firing at a second of its own.
func (s *script) runAt(at, second int) *script {
	s.h = append(s.h, Event{What: Began, At: dawn.Add(time.Duration(at) * time.Second), Fire: id(second), Attempt: 1})
	return s
}

// in goes on in another bucket.
func (s *script) in(b int) *script {
	s.b = b
	return s
}

func (s *script) begin(second int) *script {
	s.h = append(s.h, Event{What: Began, At: dawn.Add(10 * time.Second), Fire: id(second), Attempt: 1})
	return s
}

func (s *script) run(second, attempt int) *script {
	for _, what := range []Happening{Began, Effected, Ended} {
		s.h = append(s.h, Event{What: what, At: dawn.Add(10 * time.Second), Fire: id(second), Attempt: attempt})
	}
	return s
}

func (s *script) reply(second int, value string) *script {
	s.h = append(s.h, Event{What: Replied, At: dawn.Add(5 * time.Second), Fire: id(second), Reply: task.Reply{OK: true, Value: value}})
	return s
}

func (s *script) judge(end int) []error {
	return Verdict(s.h, Rules{End: dawn.Add(time.Duration(end) * time.Second), Misfire: time.Minute, Late: 20 * time.Second})
}

func id(second int) task.FireID { return task.ScheduledID("u", time.UnixMilli(ms(second))) }

func claim(second int) bucket.Record {
	return bucket.Record{Kind: bucket.Claim, UID: "u", At: ms(second), Attempt: 1, Delivery: task.EffectivelyOnce}
}

func move(kind bucket.Kind) bucket.Record {
	return bucket.Record{Kind: kind, UID: "u", At: ms(1), Parcel: []byte("x")}
}

func atMostOnce(r bucket.Record) bucket.Record {
	r.Delivery = task.AtMostOnce
	return r
}

func reclaim(second, attempt int) bucket.Record {
	return bucket.Record{Kind: bucket.Reclaim, UID: "u", At: ms(second), Attempt: attempt}
}

func settle(second, attempt int, o task.Outcome) bucket.Record {
	return bucket.Record{Kind: bucket.Settle, UID: "u", At: ms(second), Attempt: attempt, Outcome: o, Final: true}
}

// waiting is the settlement of a first attempt whose reply may come until then.
func waiting(second, until int) bucket.Record {
	r := settle(second, 1, task.Waiting)
	r.Final, r.RetryAt = false, ms(until)
	return r
}

func valued(r bucket.Record, value string) bucket.Record {
	r.Value = value
	return r
}

func skip(second int, why task.Reason) bucket.Record {
	return bucket.Record{Kind: bucket.Skip, UID: "u", At: ms(second), Until: ms(second), Count: 1, Reason: why}
}

func deferral(second int) bucket.Record {
	return bucket.Record{Kind: bucket.Defer, UID: "u", At: ms(second), Start: ms(second)}
}

// What is held up by a trouble, and by another that began before it was over, is
// not late; what one alone does not explain is.
func TestTroubles(t *testing.T) {
	t.Parallel()
	h := newScript().define(nil).log(claim(1)).runAt(40, 1).h
	trouble := func(from, to int) Trouble {
		return Trouble{From: time.UnixMilli(ms(from)), To: time.UnixMilli(ms(to))}
	}
	late := func(troubles ...Trouble) bool {
		rules := Rules{End: time.UnixMilli(ms(40)), Misfire: time.Minute, Late: 15 * time.Second, Troubles: troubles}
		return errors.Is(errors.Join(Verdict(h, rules)...), ErrLateFiring)
	}
	if late(trouble(0, 10), trouble(9, 30)) {
		t.Error("two troubles in a row do not explain it")
	}
	if !late(trouble(0, 10)) || !late(trouble(9, 30)) || !late(trouble(2, 30)) {
		t.Error("it is late, and nobody noticed")
	}
}

// note lets a script store a calendar that is open from one second to another.
func (s *script) note(name string, from, to int) *script {
	s.h = append(s.h, Event{What: Noted, Calendar: Calendar{Name: name, Open: []Stretch{{ms(from), ms(to)}}}})
	return s
}

func within(name string) func(*task.Info) {
	return func(i *task.Info) { i.Windows = &task.Windows{Allow: []string{name}} }
}

func putOff(second int) bucket.Record {
	r := deferral(second)
	r.Reason = task.ReasonWindow
	return r
}
