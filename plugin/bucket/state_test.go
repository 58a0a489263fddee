package bucket

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

func TestDueOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.want(b.at(dawn), begins)
	b.want(b.at(second(1).Add(-time.Millisecond)), "")
	b.want(b.at(second(1)), "CLAIM 1")
	b.want(b.at(second(3)), "CLAIM 2, CLAIM 3")
	b.want(b.at(second(2)), "") // the clock was set back
	b.restart()
	b.want(b.at(second(3)), "RECLAIM 1 #2, RECLAIM 2 #2, RECLAIM 3 #2")
}

func TestMisfire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		policy task.Misfire
		want   string
	}{
		{task.MisfireSkip, "SKIP 1-19 MISFIRE_SKIPPED, CLAIM 20"},
		{task.MisfireFireOnce, "SKIP 1-18 MISFIRE_MERGED, CLAIM 19, CLAIM 20"},
		{"", "SKIP 1-18 MISFIRE_MERGED, CLAIM 19, CLAIM 20"},
		{task.MisfireFireAll, "DEFER 1 MISFIRE_SKIPPED, DEFER 2 MISFIRE_SKIPPED, DEFER 3 MISFIRE_SKIPPED, " +
			"SKIP 4-19 CATCH_UP_LIMIT, CLAIM 20, CLAIM 1"},
	} {
		b := newBench(t, func(i *task.Info) { i.Misfire, i.Trigger.End = c.policy, second(20) })
		b.at(dawn)
		b.s.rules.CatchUp = 3
		b.want(b.at(second(80)), c.want)
	}
}

func TestCatchUpIsSpreadOutAndSurvives(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Trigger.End = second(3) })
	b.at(dawn)
	b.want(b.at(second(100)), "DEFER 1 MISFIRE_SKIPPED, DEFER 2 MISFIRE_SKIPPED, DEFER 3 MISFIRE_SKIPPED, CLAIM 1")
	b.want(b.settle(1, 1, task.Result{Outcome: task.OK}), "OK")
	b.restart()
	b.want(b.at(second(100).Add(50*time.Millisecond)), "")
	b.want(b.at(second(100).Add(100*time.Millisecond)), "CLAIM 2")
	b.want(b.at(second(100).Add(200*time.Millisecond)), "CLAIM 3")
}

func TestCatchUpWindow(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Trigger.End = second(5) })
	b.at(dawn)
	b.s.rules.Window = 98 * time.Second
	b.want(b.at(second(101)), "SKIP 1-2 CATCH_UP_LIMIT, DEFER 3 MISFIRE_SKIPPED, DEFER 4 MISFIRE_SKIPPED, DEFER 5 MISFIRE_SKIPPED, CLAIM 3")
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	skip := newBench(t, func(i *task.Info) { i.Overlap = task.OverlapSkip })
	skip.at(dawn)
	skip.want(skip.at(second(1)), "CLAIM 1")
	skip.want(skip.at(second(3)), "SKIP 2-3 OVERLAP_SKIPPED")
	skip.settle(1, 1, task.Result{Outcome: task.OK})
	skip.want(skip.at(second(5)), "CLAIM 4, SKIP 5 OVERLAP_SKIPPED")

	queue := newBench(t, func(i *task.Info) { i.Overlap = task.OverlapQueue })
	queue.at(dawn)
	queue.s.rules.Queue = 2
	queue.want(queue.at(second(2)), "CLAIM 1, DEFER 2 OVERLAP_QUEUED")
	queue.want(queue.at(second(4)), "DEFER 3 OVERLAP_QUEUED, SKIP 4 OVERLAP_SKIPPED")
	if v, _ := queue.s.View("u"); v.Phase != PhaseBlocked || len(v.Queued) != 2 {
		t.Errorf("%+v", v)
	}
	queue.settle(1, 1, task.Result{Outcome: task.OK})
	queue.want(queue.at(second(4)), "CLAIM 2")
	queue.restart()
	queue.want(queue.at(second(4)), "RECLAIM 2 #2")
	queue.settle(2, 2, task.Result{Outcome: task.OK})
	queue.want(queue.at(second(4)), "CLAIM 3")
}

func TestNoWorkerLeavesTheRestUndecided(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(dawn)
	b.workers = 1
	b.want(b.at(second(3)), "CLAIM 1")
	if d := b.s.Decide(second(3), b, 1000); !d.Full || !b.s.Parked() {
		t.Errorf("%+v", d)
	}
	b.workers = 5
	b.want(b.at(second(3)), "CLAIM 2, CLAIM 3")
}

func TestEdits(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Overlap = task.OverlapQueue })
	b.at(dawn)
	b.want(b.at(second(2)), "CLAIM 1, DEFER 2 OVERLAP_QUEUED")
	edit := func(change func(*task.Info)) {
		b.info.Revision++
		change(&b.info)
		b.s.Edit(Changes{Definitions: []task.Info{b.info}})
	}
	edit(func(i *task.Info) { i.Paused = true })
	b.want(b.at(second(9)), "SKIP 2 PAUSED_BY_USER")
	edit(func(i *task.Info) { i.Paused, i.From = false, second(10) })
	b.settle(1, 1, task.Result{Outcome: task.OK})
	b.want(b.at(second(11)), "SKIP 3-10 PAUSED_BY_USER, CLAIM 11")
	edit(func(i *task.Info) { i.Deleted, i.DeletedAt = true, second(14) })
	b.want(b.at(second(20)), "SKIP 12-14 DELETED")
	b.settle(11, 1, task.Result{Outcome: task.OK})
	b.want(b.at(second(20)), "FORGET 14")
	if len(b.s.UIDs()) != 0 {
		t.Errorf("left: %v", b.s.UIDs())
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	failed := task.Result{Outcome: task.Failed, Error: "e"}
	unsent := task.Result{Outcome: task.Failed, NotSent: true}
	open := task.Result{Outcome: task.Failed, Open: true}
	cut := task.Result{Outcome: task.Interrupted}
	refused := task.Result{Outcome: task.Failed, NotSent: true, Refused: true}
	for _, c := range []struct {
		name     string
		delivery task.Delivery
		retry    task.Retry
		results  []task.Result
		want     string // of the last
	}{
		{"failed", task.AtLeastOnce, task.Retry{}, []task.Result{failed}, "FAILED"},
		{"retried", task.AtLeastOnce, task.Retry{Max: 2}, []task.Result{failed, failed}, "FAILED, again in 2000ms"},
		{"retries used up", task.AtLeastOnce, task.Retry{Max: 1}, []task.Result{failed, failed}, "FAILED"},
		{"at-most-once is not retried", task.AtMostOnce, task.Retry{Max: 5}, []task.Result{failed}, "FAILED"},
		{"but for what was not sent", task.AtMostOnce, task.Retry{}, []task.Result{unsent}, "FAILED, again in 1000ms"},
		{"five times", task.AtMostOnce, task.Retry{}, []task.Result{unsent, unsent, unsent, unsent, unsent, unsent}, "FAILED"},
		{"refused by the host's rules", task.AtLeastOnce, task.Retry{Max: 5}, []task.Result{refused}, "FAILED"},
		{"refused when it may have been sent before", task.AtLeastOnce, task.Retry{Max: 5}, []task.Result{open, refused}, "UNKNOWN"},
		{"interrupted", task.AtLeastOnce, task.Retry{}, []task.Result{cut}, "INTERRUPTED, again in 0ms"},
		{"interrupted at most once", task.AtMostOnce, task.Retry{}, []task.Result{cut}, "UNKNOWN"},
		{"the inbox has not answered", task.EffectivelyOnce, task.Retry{}, []task.Result{open, open}, "FAILED, again in 2000ms"},
		{"and is out of reach", task.EffectivelyOnce, task.Retry{}, []task.Result{open, unsent}, "FAILED, again in 2000ms"},
		{"timed out with an inbox", task.EffectivelyOnce, task.Retry{}, []task.Result{{Outcome: task.TimedOut}}, "TIMED_OUT, again in 1000ms"},
		{"timed out without", task.AtLeastOnce, task.Retry{}, []task.Result{{Outcome: task.TimedOut}}, "TIMED_OUT"},
		{"never answered", task.EffectivelyOnce, task.Retry{}, slices.Repeat([]task.Result{open}, task.MaxReclaims), "UNKNOWN"},
	} {
		b := newBench(t, func(i *task.Info) {
			i.Delivery, i.Retry, i.Trigger.End = c.delivery, c.retry, second(1)
		})
		b.at(dawn)
		b.at(second(1))
		var got string
		for i, result := range c.results {
			if i > 0 {
				b.at(b.now.Add(task.MaxBackoff))
			}
			got = b.settle(1, i+1, result)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestInheritedClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delivery task.Delivery
		dead     bool
		at       time.Duration // after the new owner came
		want     string
	}{
		{task.EffectivelyOnce, false, 0, "RECLAIM 1 #2"},
		{task.AtLeastOnce, true, 0, "RECLAIM 1 #2"},
		{task.AtLeastOnce, false, 60*time.Second + 999*time.Millisecond, ""},
		{task.AtLeastOnce, false, 61 * time.Second, "RECLAIM 1 #2"},
		{task.AtMostOnce, true, 0, "SETTLE 1 UNKNOWN"},
		{task.AtMostOnce, false, time.Minute, ""},
		{task.AtMostOnce, false, 61 * time.Second, "SETTLE 1 UNKNOWN"},
	} {
		b := newBench(t, func(i *task.Info) { i.Delivery, i.Trigger.End = c.delivery, second(1) })
		b.at(dawn)
		b.at(second(1))
		b.restart()
		b.s.Inherit(second(2), time.Second, c.dead)
		if got := b.at(second(2).Add(c.at)); got != c.want {
			t.Errorf("%s, dead %t, after %s: got %q, want %q", c.delivery, c.dead, c.at, got, c.want)
		}
	}
}

func TestNeverWithANewMeaning(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Trigger.End = second(1) })
	b.at(dawn)
	b.at(second(1))
	b.hash = "another"
	b.restart()
	b.want(b.at(second(2)), "SETTLE 1 UNKNOWN")

	b = newBench(t, func(i *task.Info) { i.Retry.Max, i.Trigger.End = 3, second(1) })
	b.at(dawn)
	b.at(second(1))
	b.want(b.settle(1, 1, task.Result{Outcome: task.Failed, Error: "e"}), "FAILED, again in 1000ms")
	b.info.Revision, b.info.Operation = 2, "other"
	b.s.Edit(Changes{Definitions: []task.Info{b.info}})
	b.want(b.at(second(3)), "SETTLE 1 FAILED")
}

func TestRequests(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Overlap, i.Trigger.Start = task.OverlapQueue, second(50) })
	b.at(dawn)
	ask := func(kind task.RequestKind, id string, fire task.FireID) {
		b.s.Edit(Changes{Requests: []task.Request{{ID: id, Kind: kind, UID: "u", FireID: fire, Asked: b.now}}})
	}
	ask(task.RequestRun, "a", "")
	ask(task.RequestRun, "b", "")
	b.want(b.at(second(1)), "CLAIM a")
	if _, armed := b.s.Next(); !armed {
		t.Error("nothing armed")
	}
	ask(task.RequestCancel, "c", task.ManualID("u", "a"))
	d := b.s.Decide(second(2), b, 1000)
	if len(d.Cancel) != 1 || len(d.Take) != 0 {
		t.Errorf("%+v", d)
	}
	r, take, ok := b.s.Settle(Ended{
		UID: "u", At: dawn.UnixMilli(), Manual: "a", Attempt: 1, Ended: b.now,
		Result: task.Result{Outcome: task.Failed},
	})
	if !ok || take != "c" || r.Outcome != task.Cancelled || !r.Final {
		t.Errorf("%+v %q %t", r, take, ok)
	}
	b.commit([]Record{r}, take)
	b.want(b.at(second(3)), "CLAIM b")
	b.info.Paused, b.info.Revision = true, 2
	b.s.Edit(Changes{Definitions: []task.Info{b.info}})
	ask(task.RequestRun, "d", "")
	b.want(b.at(second(4)), "SKIP d PAUSED_BY_USER")
	ask(task.RequestCancel, "e", "u:99")
	b.want(b.at(second(4)), "")
	if len(b.s.requests) != 0 {
		t.Errorf("left: %v", b.s.requests)
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	to := []string{"mailto:a@example.org"}
	b := newBench(t, func(i *task.Info) {
		i.Misfire, i.Trigger.End = task.MisfireSkip, second(1000)
		i.Alerts = []task.Alert{
			{On: task.AlertFailed, To: to},
			{On: task.AlertLate, After: task.Duration(5 * time.Second), To: to},
			{On: task.AlertMissed, To: to},
			{On: task.AlertSilent, After: task.Duration(30 * time.Second), To: to},
		}
	})
	b.at(dawn)
	b.want(b.at(second(1)), "CLAIM 1")
	b.now = second(7)
	kinds := func(r Record) string {
		var kinds []string
		for _, n := range b.s.Notices(&r, b.now, "n") {
			kinds = append(kinds, string(n.Kind)+" "+n.ID)
		}
		return strings.Join(kinds, ", ")
	}
	r, _, _ := b.s.Settle(Ended{
		UID: "u", At: second(1).UnixMilli(), Attempt: 1, Started: b.now, Ended: b.now,
		Result: task.Result{Outcome: task.Failed, Error: "e"},
	})
	fire := "u:" + fmt.Sprint(second(1).UnixMilli())
	b.want(kinds(r), "failed "+fire+":failed, late "+fire+":late:5s")
	b.workers = 0
	d := b.s.Decide(second(90), b, 1000)
	var got []string
	for _, c := range d.Decisions {
		got = append(got, kinds(c.Record))
	}
	b.want(strings.Join(got, "; "), fmt.Sprintf("missed u:%d:missed; silent u:silent:%d", second(2).UnixMilli(), second(30).UnixMilli()))
}

// What a task has to tell of one kind is told once in each part of the clock; an
// attempt that another one followed was never worth telling.
func TestNoticesOnceInAWhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) {
		i.Trigger.Cron, i.Retry.Max = "0/10 * * * * ?", 1
		i.Alerts = []task.Alert{{On: task.AlertFailed, To: []string{"mailto:a@example.org"}}}
	})
	b.s.rules.AlertEvery = time.Minute
	b.at(dawn)
	ends := func(n, attempt int, o task.Outcome) (told bool) {
		t.Helper()
		r, _, ok := b.s.Settle(Ended{
			UID: "u", At: second(n).UnixMilli(), Attempt: attempt, Started: b.now, Ended: b.now, Result: task.Result{Outcome: o, Error: "e"},
		})
		if !ok {
			t.Fatalf("second %d, attempt %d is not open", n, attempt)
		}
		told = len(b.s.Notices(&r, b.now, "n")) > 0
		b.commit([]Record{r})
		return told
	}
	toldAt := map[int]bool{}
	for n := 10; n <= 180; n += 10 {
		b.want(b.at(second(n)), fmt.Sprintf("CLAIM %d", n))
		toldAt[n] = ends(n, 1, task.Failed)
		b.want(b.at(second(n+5)), fmt.Sprintf("RECLAIM %d #2", n))
		last := task.Failed
		if n == 10 || n > 150 {
			last = task.OK
		}
		toldAt[n] = ends(n, 2, last) || toldAt[n]
	}
	// At 10 the second attempt ended well, so that 20 is the first to be told of.
	for n, told := range toldAt {
		if want := n == 20 || n == 60 || n == 120; told != want {
			t.Errorf("second %d: told %t, want %t", n, told, want)
		}
	}
}

func TestFoldKeepsEverything(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(i *task.Info) { i.Retry.Max, i.Overlap = 1, task.OverlapQueue })
	b.at(dawn)
	b.at(second(3))
	b.settle(1, 1, task.Result{Outcome: task.Failed, Error: "e"})
	before, _ := b.s.View("u")
	runs := b.s.Runs("u")
	page, ring, err := b.s.Fold(0)
	if err != nil {
		t.Fatal(err)
	}
	// The log is still there, as after a fold whose deletions were cut short.
	s, err := Replay(Loaded{Page: Blob{Data: page}, Runs: Blob{Data: ring}, Log: b.log, Definitions: []task.Info{b.info}},
		Triggers(new(trigger.Compiler)), Rules{})
	if err != nil {
		t.Fatal(err)
	}
	after, _ := s.View("u")
	if !reflect.DeepEqual(after, before) {
		t.Errorf("got  %+v\nwant %+v", after, before)
	}
	if got := s.Runs("u"); !reflect.DeepEqual(got, runs) || s.Seq() != b.seq {
		t.Errorf("seq %d, got  %+v\nwant %+v", s.Seq(), got, runs)
	}
}

func TestReplayRefusesAGap(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(dawn)
	b.at(second(1))
	b.at(second(2))
	_, err := Replay(Loaded{Page: Blob{Version: -1}, Runs: Blob{Version: -1}, Log: []Blob{b.log[0], b.log[2]}},
		Triggers(new(trigger.Compiler)), Rules{})
	if err == nil || !strings.Contains(err.Error(), "gap") {
		t.Error(err)
	}
}

// A task of every second must not push out the only run of another.
func TestRunsAreShared(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.at(dawn)
	for n := 1; n <= 3*RunsPerTask; n++ {
		b.at(second(n))
		b.settle(n, 1, task.Result{Outcome: task.OK})
	}
	if n := len(b.s.Runs("u")); n != RunsPerTask {
		t.Errorf("%d runs", n)
	}
	if got := share(RunsPerBucket / 4); got != 4 {
		t.Errorf("share of many tasks: %d", got)
	}
	if got := share(10 * RunsPerBucket); got != 1 {
		t.Errorf("share of too many tasks: %d", got)
	}
}
