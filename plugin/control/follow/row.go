package follow

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Row is a task as lists show it: what Picture.Task and Picture.Runs tell of it at
// length, in some 250 bytes and the task's name. Texts that tasks have in common are
// held once. It is never changed.
type Row struct {
	task.Key
	Service, Operation string
	Calls, Trigger     string // as contract.TaskView's
	Node, Reason       string
	State              contract.State
	// Next is the next instant, Runs when it is to run by the task's calendars as
	// they are now; none: it does not.
	Next, Runs  Moment
	PausedUntil Moment
	// P95 is how long all but the slowest of twenty runs took at most, of those
	// kept that ended; negative: none did.
	P95 time.Duration
	// Windowed: calendars say when it may run.
	Windowed bool

	last             ending
	lastAt, lastDone Moment
	latest           [latestShown]ending // newest first

	bucket, at int32 // where the rest of it is
}

// latestShown is how many of a task's latest runs a row tells.
const latestShown = 12

// Moment is a time in Unix milliseconds; 0: none.
type Moment int64

// Time gives it in UTC; nil: there is none.
func (m Moment) Time() *time.Time {
	if m == 0 {
		return nil
	}
	t := time.UnixMilli(int64(m)).UTC()
	return &t
}

func moment(t *time.Time) Moment {
	if t == nil {
		return 0
	}
	return Moment(t.UnixMilli())
}

// Last is the last run that ended, of which it tells how, at which attempt (2 for
// any after the first), and when. False: none is kept.
func (r *Row) Last() (contract.RunView, bool) {
	v, ok := r.last.run()
	if r.lastAt != 0 {
		v.Scheduled = *r.lastAt.Time()
	}
	v.Ended = r.lastDone.Time()
	return v, ok
}

// LastAt is when the last run was scheduled.
func (r *Row) LastAt() Moment { return r.lastAt }

// Latest are the latest runs, newest first, of which it tells how they ended and at
// which attempt (2 for any after the first).
func (r *Row) Latest() []contract.RunView {
	runs := make([]contract.RunView, 0, latestShown)
	for _, e := range r.latest {
		v, ok := e.run()
		if !ok {
			break
		}
		runs = append(runs, v)
	}
	return runs
}

// ending is how a run ended: the number of its outcome from 1, and whether it was
// tried again. 0: there is no run.
type ending uint8

const again ending = 1 << 7

// endings are the outcomes in the order of their numbers.
var endings = [...]task.Outcome{
	task.Running, task.Waiting, task.OK, task.Failed, task.TimedOut, task.Interrupted, task.Unknown, task.Skipped, task.Cancelled,
}

func endingOf(r *contract.RunView) ending {
	e := ending(slices.Index(endings[:], task.Outcome(r.Outcome)) + 1)
	if r.Attempt > 1 {
		e |= again
	}
	return e
}

func (e ending) run() (contract.RunView, bool) {
	n := int(e&^again) - 1
	if n < 0 {
		return contract.RunView{}, false
	}
	v := contract.RunView{Outcome: string(endings[n]), Attempt: 1}
	if e&again != 0 {
		v.Attempt = 2
	}
	return v, true
}

// ByName orders rows by name, tenant and type.
func ByName(a, b *Row) int { return keyByName(&a.Key, &b.Key) }

func keyByName(a, b *task.Key) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Type, b.Type))
}

// rowOf makes the row of a task of a bucket, whose runs are given newest first.
func rowOf(b *standing.Bucket, info *task.Info, runs []contract.RunView, words *words) Row {
	v := b.View(info)
	r := Row{
		Key:     task.Key{Tenant: words.of(v.Tenant), Type: words.of(v.Type), Name: v.Name},
		Service: words.of(v.Service), Operation: words.of(v.Operation), Calls: words.of(v.Calls), Trigger: words.of(v.Trigger),
		Node: words.of(v.Node), Reason: words.of(v.Reason), State: v.State,
		Next: moment(v.Next), PausedUntil: moment(v.PausedUntil), P95: p95(runs), Windowed: v.Windows != nil,
	}
	r.Runs = r.Next
	if n, ok := coming(b, &v); ok && v.Windows != nil {
		r.Runs = moment(n.Runs)
	}
	if v.Last != nil {
		r.last, r.lastAt, r.lastDone = endingOf(v.Last), moment(&v.Last.Scheduled), moment(v.Last.Ended)
	}
	for i := range runs[:min(len(runs), latestShown)] {
		r.latest[i] = endingOf(&runs[i])
	}
	return r
}

// coming gives the next instant of a task, with what its calendars do to it. False:
// none comes.
func coming(b *standing.Bucket, v *contract.TaskView) (contract.NextView, bool) {
	if v.Next == nil {
		return contract.NextView{}, false
	}
	n := contract.NextView{At: *v.Next, Runs: v.Next}
	if windows, err := b.Book.Windows(v.Windows); err == nil && windows != nil {
		fates := preview.Under(windows)
		n.Runs = nil
		fates.Of(&n)
	}
	return n, true
}

// p95 is Row.P95 of runs.
func p95(runs []contract.RunView) time.Duration {
	var took []time.Duration
	for i := range runs {
		if r := &runs[i]; r.Started != nil && r.Ended != nil {
			took = append(took, r.Ended.Sub(*r.Started))
		}
	}
	if len(took) == 0 {
		return -1
	}
	slices.Sort(took)
	return took[(len(took)*19+19)/20-1]
}

// words holds texts once that many tasks have. The zero value is empty. Safe for
// concurrent use.
type words struct {
	mu  sync.Mutex
	all map[string]string // guarded by mu; at most maxWords, then it begins afresh
}

// maxWords bounds the texts that are held once.
const maxWords = 1 << 16

func (w *words) of(text string) string {
	if text == "" {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if same, ok := w.all[text]; ok {
		return same
	}
	if w.all == nil || len(w.all) >= maxWords {
		w.all = make(map[string]string)
	}
	text = strings.Clone(text)
	w.all[text] = text
	return text
}
