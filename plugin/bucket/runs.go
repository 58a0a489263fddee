package bucket

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of the ring of recent runs: so many of each task, and so many of the
// whole bucket, shared out evenly, so that a task of every second does not push
// out the runs of one of every day.
const (
	RunsPerTask   = 20
	RunsPerBucket = 2048
)

// past is an ended attempt or a skip, small: many are held in memory. Times are
// Unix milliseconds.
type past struct {
	at, start, end, until int64
	manual, node, err     string
	value                 string
	attempt, count        int32
	outcome, reason       uint8 // numbers of outcomes, reasons
}

func (p *past) run(uid string, key task.Key) task.Run {
	r := task.Run{
		FireID: fireID(uid, p.at, p.manual), Task: key, Scheduled: instant(p.at), Started: instant(p.start),
		Ended: instant(p.end), Outcome: outcomes[p.outcome], Reason: reasons[p.reason], Attempt: int(p.attempt),
		Node: p.node, Error: p.err, Value: p.value,
	}
	if r.Outcome == task.Skipped {
		r.Skips = int(p.count)
		r.Until = instant(max(p.until, p.at))
	}
	return r
}

// instant is the time of Unix milliseconds in UTC; the zero time of zero.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// share is how many runs each task may keep when so many tasks have some.
func share(tasks int) int {
	if tasks == 0 {
		return RunsPerTask
	}
	return min(RunsPerTask, max(1, RunsPerBucket/tasks))
}

func (e *entry) remember(p past, keep int) {
	if over := len(e.runs) + 1 - keep; over > 0 {
		e.runs = slices.Delete(e.runs, 0, min(over, len(e.runs)))
	}
	e.runs = append(e.runs, p)
}

// encodeRuns writes the ring within room bytes, and within MaxRuns unless that
// would leave a task without its last run. Where that is needed it keeps the
// values of replies only for the last run of each task, then for none, and then
// fewer runs of each task.
func (s *State) encodeRuns(room int) []byte {
	values := RunsPerTask
	for keep := RunsPerTask; ; {
		data := s.encodeRunsOf(keep, values)
		if len(data) <= MaxRuns || keep == 0 || keep == 1 && len(data) <= room {
			return data
		}
		switch {
		case values > 1:
			values = 1
		case values == 1:
			values = 0
		default:
			keep /= 2
		}
	}
}

// encodeRunsOf writes the last runs of each task, and the values of the last of
// them.
func (s *State) encodeRunsOf(keep, values int) []byte {
	e := newEncoder(magicRuns, 4096)
	e.needs(s.formatOf(keep, values))
	for _, t := range s.ordered() {
		runs := t.runs[max(0, len(t.runs)-keep):]
		if len(runs) == 0 {
			continue
		}
		e.uint(uint64(len(runs)))
		e.text(t.cur.UID)
		for i := range runs {
			p := runs[i]
			if len(runs)-i > values {
				p.value = ""
			}
			p.encode(e)
		}
	}
	return e.done()
}

// formatOf is the lowest format that can say those runs, with those values.
func (s *State) formatOf(keep, values int) byte {
	format := byte(formatFirst)
	for _, t := range s.entries {
		runs := t.runs[max(0, len(t.runs)-keep):]
		for i := range runs {
			switch {
			case reasons[runs[i].reason] == task.ReasonEgress:
				return formatRefusals
			case runs[i].value != "" && len(runs)-i <= values:
				format = formatReplies
			}
		}
	}
	return format
}

func (p *past) encode(e *encoder) {
	e.int(p.at)
	e.int(p.start)
	e.int(p.end)
	e.int(p.until)
	e.text(p.manual)
	e.text(p.node)
	e.text(p.err)
	e.uint(uint64(p.attempt))
	e.uint(uint64(p.count))
	e.b = append(e.b, p.outcome, p.reason)
	if e.b[1] >= formatReplies {
		e.text(p.value)
	}
}

func (p *past) decode(d *decoder) {
	p.at, p.start, p.end, p.until = d.int(), d.int(), d.int(), d.int()
	p.manual, p.node, p.err = d.text(), d.text(), d.text()
	p.attempt, p.count = int32(d.small(maxAttempts)), int32(d.small(MaxCount))
	p.outcome, p.reason = codeOf(outcomes, wordOf(d, outcomes)), codeOf(reasons, wordOf(d, reasons))
	if d.format >= formatReplies {
		p.value = d.text()
	}
}

// decodeRuns gives the stored ring by task uid. Errors: ErrCorrupt, ErrNewer.
func decodeRuns(data []byte) (map[string][]past, error) {
	d := newDecoder(magicRuns, data)
	ring := make(map[string][]past)
	for d.err == nil && len(d.b) > 0 {
		n := d.count()
		if n > RunsPerTask {
			d.fail("%d runs of one task", n)
		}
		uid := d.text()
		for ; n > 0 && d.err == nil; n-- {
			var p past
			p.decode(d)
			ring[uid] = append(ring[uid], p)
		}
	}
	if d.err != nil {
		return nil, fmt.Errorf("recent runs: %w", d.err)
	}
	return ring, nil
}
