package bucket

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Notices are the alerts that come true with a record, before it is applied, and
// that a firing which others follow has ended. The Info of each holds only the
// alerts that it is about. Node is the owner's name.
func (s *State) Notices(r *Record, now time.Time, node string) []task.Notice {
	e := s.entries[r.UID]
	if e == nil || e.info == nil {
		return nil
	}
	var all []task.Notice
	if e.info.Followers != nil && r.Kind == Settle && r.Final {
		all = append(all, task.Notice{
			ID: string(r.FireID()) + ":" + string(task.NoticeEnded), Kind: task.NoticeEnded,
			Info: *e.info, Run: e.runOf(r, now, node), At: now,
		})
	}
	for _, a := range e.info.Alerts {
		n, ok := e.notice(r, a)
		if !ok || e.told(r, a, now, s.rules.AlertEvery) {
			continue
		}
		same := slices.IndexFunc(all, func(m task.Notice) bool { return m.ID == n.ID })
		if same >= 0 {
			all[same].Info.Alerts = append(all[same].Info.Alerts, a)
			continue
		}
		n.Kind, n.Info, n.At = a.On, *e.info, now
		n.Info.Alerts = []task.Alert{a}
		if a.On != task.AlertSilent {
			n.Run = e.runOf(r, now, node)
		}
		all = append(all, n)
	}
	return all
}

// notice tells whether the alert comes true with the record.
func (e *entry) notice(r *Record, a task.Alert) (task.Notice, bool) {
	id := string(r.FireID()) + ":" + string(a.On)
	switch a.On {
	case task.AlertFailed:
		return task.Notice{ID: id, Detail: r.Error}, r.Kind == Settle && r.Final && failed(r.Outcome)
	case task.AlertLate:
		late := time.Duration(r.Start-r.At) * time.Millisecond
		_, o := e.find(r.At, r.Manual)
		first := o != nil && o.Failed+o.Unsent+o.Again == 0 && !o.Settled
		return task.Notice{ID: id + ":" + a.After.String(), Detail: fmt.Sprintf("started %s after its time", late)},
			r.Kind == Settle && r.Manual == "" && r.Start > 0 && first && late > time.Duration(a.After)
	case task.AlertMissed:
		return task.Notice{ID: id, Detail: fmt.Sprintf("%d skipped as missed", r.Count)}, r.Kind == Skip && missed(r.Reason)
	case task.AlertSilent:
		after := time.Duration(r.Start) * time.Millisecond
		return task.Notice{
				ID:     r.UID + ":silent:" + strconv.FormatInt(r.At, 10),
				Detail: fmt.Sprintf("no run ended OK for %s", after),
			},
			r.Kind == Alerted && after == time.Duration(a.After).Truncate(time.Millisecond)
	default:
		return task.Notice{}, false
	}
}

func missed(r task.Reason) bool {
	return r == task.ReasonMissed || r == task.ReasonCatchUp || r == task.ReasonReplaced
}

// told tells whether the alert came true in the same part of the clock before,
// with another firing that is still remembered.
func (e *entry) told(r *Record, a task.Alert, now time.Time, every time.Duration) bool {
	part := every.Milliseconds()
	if part <= 0 || a.On == task.AlertSilent {
		return false
	}
	return slices.ContainsFunc(e.runs, func(p past) bool {
		same := p.at == r.At && p.manual == r.Manual
		return !same && p.end/part == now.UnixMilli()/part && e.rang(&p, a)
	})
}

// rang tells whether the alert came true with what is remembered.
func (e *entry) rang(p *past, a task.Alert) bool {
	switch a.On {
	case task.AlertFailed:
		return failed(outcomes[p.outcome]) && e.final(p)
	case task.AlertLate:
		return p.manual == "" && p.attempt == 1 && p.start > 0 && p.start-p.at > time.Duration(a.After).Milliseconds()
	case task.AlertMissed:
		return outcomes[p.outcome] == task.Skipped && missed(reasons[p.reason])
	default:
		return false
	}
}

// final tells whether the firing ended with this run: it is not open, and there
// is no later attempt.
func (e *entry) final(p *past) bool {
	_, open := e.find(p.at, p.manual)
	later := slices.ContainsFunc(e.runs, func(q past) bool {
		return q.at == p.at && q.manual == p.manual && q.attempt > p.attempt
	})
	return open == nil && !later
}

func (e *entry) runOf(r *Record, now time.Time, node string) task.Run {
	run := task.Run{
		FireID: r.FireID(), Task: e.info.Key, Scheduled: instant(r.At), Started: instant(r.Start), Ended: instant(r.End),
		Outcome: r.Outcome, Reason: r.Reason, Attempt: r.Attempt, Node: node, Error: r.Error, Value: r.Value,
	}
	if r.Kind == Skip {
		run.Outcome, run.Ended, run.Skips, run.Until = task.Skipped, now, r.Count, instant(max(r.Until, r.At))
	}
	return run
}
