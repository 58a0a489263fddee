package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/calendar"
)

// Bounds of a cluster's number of buckets.
const (
	DefaultBuckets = 256
	// MaxBuckets lets a new cluster be made in one commit.
	MaxBuckets = 1000
	// MaxTasks is how many tasks one bucket may have, so that the page that holds
	// their state fits into a record: some 60 bytes each at rest, and more for what
	// is open.
	MaxTasks = 6_000
)

// Options of a Store. The zero value is ready to use.
type Options struct {
	// Root is put before all keys; "" or like "/belfry".
	Root string
	// NewID makes the ids of tasks, edits and requests. Nil: random UUIDs.
	NewID func() string
	// Now is the wall clock by which definitions are read as they stand: with
	// pauses ended whose time is over (task.Info.Standing). Nil: they are read as
	// they are stored, as the owners of buckets need them.
	Now func() time.Time
	// Corrupt hears of each record that a list left out, once for each fault of
	// a key. It may be called at once from several goroutines. Nil: nobody hears.
	Corrupt func(*CorruptError)
}

// Store reads and writes the state of a cluster. Make it with New. Safe for
// concurrent use.
type Store struct {
	kv      coordclient.KV
	keys    keys
	newID   func() string
	by      string
	why     string           // see Because
	now     func() time.Time // nil: definitions are read as they are stored
	report  func(*CorruptError)
	singly  bool // never read rolls
	most    int  // MaxTasks
	cluster atomic.Pointer[Cluster]
	book    atomic.Pointer[calendar.Book] // as it was last read
	wake    *bell

	mu       sync.Mutex        // guards reported
	reported map[string]string // the fault by key, at most maxReported
}

// On is the same store through another session: who waits for its outbox hears
// of what is put through either.
func (s *Store) On(kv coordclient.KV) *Store {
	return &Store{kv: kv, keys: s.keys, newID: s.newID, by: s.by, why: s.why, now: s.now, report: s.report, most: s.most, wake: s.wake, reported: make(map[string]string)}
}

// As is the same store for somebody who edits by this name, which the audit and
// each definition keep.
func (s *Store) As(by string) *Store {
	as := s.On(s.kv)
	as.by = cut(by)
	as.cluster.Store(s.cluster.Load())
	return as
}

// Because is the same store for who edits for a reason, which the audit and each
// definition keep beside who it was. An edit that has a reason of its own, such as
// that of a pause, keeps that in the audit. Empty: none.
func (s *Store) Because(reason string) *Store {
	as := s.On(s.kv)
	as.why = cut(reason)
	as.cluster.Store(s.cluster.Load())
	return as
}

// Reporting is the same store for who looks whether records can be read: it reads
// each by itself, rolls are no good to it, and report hears of each that a list
// left out; see Options.Corrupt.
func (s *Store) Reporting(report func(*CorruptError)) *Store {
	as := s.On(s.kv)
	as.report, as.singly = report, true
	as.cluster.Store(s.cluster.Load())
	return as
}

// WakeOutbox makes who waits for the outbox look again: other buckets are this
// member's now.
func (s *Store) WakeOutbox() { s.wake.ring() }

// New makes a store on kv. It reads nothing yet.
func New(kv coordclient.KV, o Options) *Store {
	if o.NewID == nil {
		o.NewID = uuid.NewString
	}
	if o.Corrupt == nil {
		o.Corrupt = func(*CorruptError) {}
	}
	return &Store{kv: kv, keys: keys(o.Root), newID: o.NewID, now: o.Now, report: o.Corrupt, most: MaxTasks, wake: newBell(), reported: make(map[string]string)}
}

// maxReported bounds the faults that are remembered as reported.
const maxReported = 4096

// corrupt reports a fault unless it was reported before: lists are read often.
func (s *Store) corrupt(e *CorruptError) {
	s.mu.Lock()
	fault := e.Err.Error()
	again := s.reported[e.Key] == fault
	if !again {
		if len(s.reported) >= maxReported {
			clear(s.reported)
		}
		s.reported[e.Key] = fault
	}
	s.mu.Unlock()
	if !again {
		s.report(e)
	}
}

// Settings of a cluster that is made.
type Settings struct {
	// Buckets is fixed for the cluster's life. Zero: DefaultBuckets.
	Buckets int
}

// Cluster is what a cluster is for ever.
type Cluster struct {
	Format  int    `json:"format"`
	UUID    string `json:"uuid"`
	Buckets int    `json:"buckets"`
}

// ErrNotInitialised says that no cluster was made here yet. It wraps
// coordclient.ErrNotFound.
var ErrNotInitialised = fmt.Errorf("no cluster has been initialised here: %w", coordclient.ErrNotFound)

// Init makes the cluster unless it is there, and gives what is there: the
// settings of a cluster that exists stay. Errors: *CorruptError, those of
// coordclient.KV.
func (s *Store) Init(ctx context.Context, settings Settings) (Cluster, error) {
	if settings.Buckets == 0 {
		settings.Buckets = DefaultBuckets
	}
	if settings.Buckets < 1 || settings.Buckets > MaxBuckets {
		return Cluster{}, fmt.Errorf("initialise cluster: %d buckets: use 1 to %d", settings.Buckets, MaxBuckets)
	}
	for range maxDoubts {
		c, err := s.Cluster(ctx)
		if !errors.Is(err, ErrNotInitialised) {
			return c, err
		}
		err = s.create(ctx, settings.Buckets)
		if err != nil && !errors.Is(err, coordclient.ErrExists) && !errors.Is(err, coordclient.ErrUnknownOutcome) {
			return Cluster{}, fmt.Errorf("initialise cluster: %w", err)
		}
	}
	return Cluster{}, fmt.Errorf("initialise cluster: %w", coordclient.ErrUnknownOutcome)
}

func (s *Store) create(ctx context.Context, buckets int) error {
	value, err := encode(Cluster{Format: Format, UUID: s.newID(), Buckets: buckets}, coordclient.MaxValue)
	if err != nil {
		return err
	}
	free, err := Node{}.encode()
	if err != nil {
		return err
	}
	ops := []coordclient.Op{coordclient.Create(s.keys.cluster(), value)}
	for b := range buckets {
		ops = append(ops, coordclient.Create(s.keys.bucket(b), free))
	}
	return s.kv.Commit(ctx, ops...)
}

// Cluster tells what the cluster is. Errors: ErrNotInitialised, *CorruptError,
// coordclient.ErrUnavailable.
func (s *Store) Cluster(ctx context.Context) (Cluster, error) {
	if c := s.cluster.Load(); c != nil {
		return *c, nil
	}
	e, err := s.peek(ctx, s.keys.cluster())
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return Cluster{}, ErrNotInitialised
	case err != nil:
		return Cluster{}, fmt.Errorf("read cluster: %w", err)
	}
	var c Cluster
	if err := decode(e.Value, coordclient.MaxValue, &c, &c.Format); err != nil {
		return Cluster{}, &CorruptError{e.Key, err}
	}
	if c.Buckets < 1 || c.Buckets > MaxBuckets {
		return Cluster{}, &CorruptError{e.Key, fmt.Errorf("%d buckets", c.Buckets)}
	}
	s.cluster.Store(&c)
	return c, nil
}

// buckets is the number of buckets.
func (s *Store) buckets(ctx context.Context) (int, error) {
	c, err := s.Cluster(ctx)
	return c.Buckets, err
}

// peek reads an entry that nobody waits for.
func (s *Store) peek(ctx context.Context, key string) (coordclient.Entry, error) {
	if r, ok := s.kv.(coordclient.Reader); ok {
		return r.Read(ctx, key)
	}
	e, _, err := s.kv.Get(ctx, key)
	return e, err
}

// nodeOnce is node without a watch.
func (s *Store) nodeOnce(ctx context.Context, b int) (Node, coordclient.Entry, error) {
	e, err := s.peek(ctx, s.keys.bucket(b))
	if err != nil {
		return Node{}, e, err
	}
	n, err := decodeNode(e.Value)
	if err != nil {
		return Node{}, e, &CorruptError{e.Key, err}
	}
	return n, e, nil
}

// node reads a bucket's node.
func (s *Store) node(ctx context.Context, b int) (Node, coordclient.Entry, <-chan struct{}, error) {
	e, changed, err := s.kv.Get(ctx, s.keys.bucket(b))
	if err != nil {
		return Node{}, e, nil, err
	}
	n, err := decodeNode(e.Value)
	if err != nil {
		return Node{}, e, nil, &CorruptError{e.Key, err}
	}
	return n, e, changed, nil
}

// pause waits for d or for ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// bell wakes whoever waits on it: level-triggered, as watches are.
type bell struct {
	mu sync.Mutex
	c  chan struct{}
}

func newBell() *bell { return &bell{c: make(chan struct{})} }

func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.c)
	b.c = make(chan struct{})
}
