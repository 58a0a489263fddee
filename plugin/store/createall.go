package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of creating many tasks.
const (
	// maxTogether is how many tasks one commit creates: as many as their bucket's
	// node can name, so that its owner reads them and no others.
	maxTogether = MaxEdited
	// maxTogetherBytes bounds their definitions; the rest is for the node, the
	// audit and what ZooKeeper adds.
	maxTogetherBytes = coordclient.MaxCommit / 2
	// graceTime is how long the answer to a commit is waited for when its context
	// has ended, so that it is known what became of it.
	graceTime = 3 * time.Second
)

// CreateAll stores new tasks as Create does each of them, many to a commit and
// several commits at once. A commit holds tasks of one bucket and does all or
// nothing; if it is refused, its tasks are created one by one. Each bucket has its
// turn, so that owners keep up. Tell hears what became of each task, by its place
// in infos, one at a time, with the errors of Create. When ctx ends nothing more is
// begun, and what was not begun is not told of.
func (s *Store) CreateAll(ctx context.Context, infos []task.Info, tell func(i int, err error)) {
	var mu sync.Mutex // one call of tell at a time
	c := creation{Store: s, infos: infos, tell: func(i int, err error) {
		mu.Lock()
		defer mu.Unlock()
		tell(i, err)
	}}
	queues := c.queues(ctx)
	for len(queues) > 0 && ctx.Err() == nil {
		_ = parallel.Each(ctx, len(queues), func(ctx context.Context, n int) error { // its error is that of ctx
			queues[n] = c.some(ctx, queues[n])
			return nil
		})
		queues = slices.DeleteFunc(queues, func(q []int) bool { return len(q) == 0 })
	}
}

// creation is one call of CreateAll.
type creation struct {
	*Store
	infos []task.Info
	seats []int // where each has to be, as Seat writes it
	tell  func(i int, err error)
}

// queues divides the tasks by the bucket that decides for them, in their order.
func (c *creation) queues(ctx context.Context) [][]int {
	buckets := make([]int, len(c.infos))
	c.seats = make([]int, len(c.infos))
	faults := make([]error, len(c.infos))
	err := parallel.Each(ctx, len(c.infos), func(ctx context.Context, i int) error {
		info := c.infos[i]
		info.Key = info.Normal()
		if c.seats[i], faults[i] = c.seatFor(ctx, &info); faults[i] == nil {
			info.Seat = task.Seat{Bucket: c.seats[i]}
			buckets[i], faults[i] = c.Seat(ctx, &info)
		}
		return nil
	})
	if err != nil {
		return nil
	}
	byBucket := make(map[int][]int)
	for i, b := range buckets {
		if faults[i] != nil {
			c.tell(i, c.failed(i, faults[i]))
			continue
		}
		byBucket[b] = append(byBucket[b], i)
	}
	queues := make([][]int, 0, len(byBucket))
	for _, b := range slices.Sorted(maps.Keys(byBucket)) {
		queues = append(queues, byBucket[b])
	}
	return queues
}

// failed says which task an error is about.
func (c *creation) failed(i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("create task %s: %w", c.infos[i].Normal(), err)
}

// some creates the first tasks of a bucket's queue, and gives the others.
func (c *creation) some(ctx context.Context, queue []int) []int {
	var (
		all   []newborn
		these []int
		size  int
	)
	for len(queue) > 0 && len(all) < maxTogether {
		i := queue[0]
		n, err := c.newborn(ctx, c.infos[i], c.seats[i])
		if err == nil && len(all) > 0 && size+n.size > maxTogetherBytes {
			break
		}
		queue = queue[1:]
		if err != nil {
			c.tell(i, c.failed(i, err))
			continue
		}
		all, these, size = append(all, n), append(these, i), size+n.size
	}
	if len(all) == 0 {
		return queue
	}
	lasting, done := outlast(ctx, graceTime)
	defer done()
	err := c.bear(lasting, nil, all...)
	if err == nil || errors.Is(err, coordclient.ErrUnavailable) || errors.Is(err, coordclient.ErrUnknownOutcome) {
		for _, i := range these {
			c.tell(i, c.failed(i, err))
		}
		return queue
	}
	for _, i := range these { // one of them is refused, and it may not be said which
		if ctx.Err() != nil {
			break
		}
		_, err := c.createTask(lasting, c.infos[i], nil)
		c.tell(i, err)
	}
	return queue
}

// outlast gives a context that ends some time after ctx does.
func outlast(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if pause(lasting, d) == nil {
			cancel()
		}
	})
	return lasting, func() { stop(); cancel() }
}
