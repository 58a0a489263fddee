package engine

import (
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Metrics count what an engine did since it was made. The zero value is ready.
// Safe for concurrent use; every field may be read at any time.
type Metrics struct {
	Claims    atomic.Int64 // committed, first attempts
	Reclaims  atomic.Int64 // committed, further attempts
	Skips     atomic.Int64 // records, each of one instant or a range
	Deferred  atomic.Int64
	Batches   atomic.Int64 // committed
	Folds     atomic.Int64
	Retried   atomic.Int64 // commits that were made again, their answer lost
	Moved     atomic.Int64 // batches that an edit made fail
	Lost      atomic.Int64 // buckets lost without being given up
	Late      atomic.Int64 // starts put off because the commit came too late
	Panics    atomic.Int64
	Running   atomic.Int64 // runs going now
	Owned     atomic.Int64 // buckets owned now
	OK        atomic.Int64 // settled runs by outcome, every attempt counted
	Failed    atomic.Int64
	TimedOut  atomic.Int64
	Interrupt atomic.Int64
	Unknown   atomic.Int64
	Cancelled atomic.Int64
	Waiting   atomic.Int64 // attempts that went on to wait for a reply
	// Lateness is from the scheduled instant to the start of the first attempt,
	// manual firings apart.
	Lateness Histogram
	// Commit is how long commits took, tries included.
	Commit Histogram
}

func (m *Metrics) settled(o task.Outcome) {
	switch o {
	case task.OK:
		m.OK.Add(1)
	case task.Failed:
		m.Failed.Add(1)
	case task.TimedOut:
		m.TimedOut.Add(1)
	case task.Interrupted:
		m.Interrupt.Add(1)
	case task.Unknown:
		m.Unknown.Add(1)
	case task.Cancelled:
		m.Cancelled.Add(1)
	case task.Waiting:
		m.Waiting.Add(1)
	}
}

// histogramSteps are the upper bounds of a Histogram's classes.
var histogramSteps = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute,
}

// Histogram counts durations in classes. The zero value is ready; safe for
// concurrent use.
type Histogram struct {
	classes [len(histogramSteps) + 1]atomic.Int64
	sum     atomic.Int64
}

// Observe counts d.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(histogramSteps) && d > histogramSteps[i] {
		i++
	}
	h.classes[i].Add(1)
	h.sum.Add(int64(d))
}

// Read gives how many durations were at most each bound, the number of all and
// their sum, as a Prometheus histogram wants them.
func (h *Histogram) Read() (atMost map[time.Duration]int64, count int64, sum time.Duration) {
	atMost = make(map[time.Duration]int64, len(histogramSteps))
	for i, step := range histogramSteps {
		count += h.classes[i].Load()
		atMost[step] = count
	}
	return atMost, count + h.classes[len(histogramSteps)].Load(), time.Duration(h.sum.Load())
}
