package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Owner is one membership's hold on buckets: the engine's Log and Watcher. A
// new membership needs a new Owner. Safe for concurrent use on different
// buckets.
type Owner struct {
	*Store
	me      coordclient.MemberID
	members coordclient.Members

	losing sync.Mutex  // guards lost
	lost   map[int]int // batches in a row that edits made fail
}

// Owner binds a membership. Its session must be the one behind the store's KV.
func (s *Store) Owner(me coordclient.MemberID, members coordclient.Members) *Owner {
	return &Owner{Store: s, me: me, members: members, lost: make(map[int]int)}
}

// Acquire makes this member the owner of a free bucket, with a new epoch.
// Errors: bucket.ErrTaken, ErrFenced, ErrUnavailable, ErrUnknownOutcome (then
// acquire again), *CorruptError.
func (o *Owner) Acquire(ctx context.Context, b int) (bucket.Fence, error) {
	f, err := o.acquire(ctx, b)
	if err != nil {
		return bucket.Fence{}, fmt.Errorf("acquire bucket %d: %w", b, err)
	}
	o.count(b, true)
	return f, nil
}

func (o *Owner) acquire(ctx context.Context, b int) (bucket.Fence, error) {
	tried := int64(-1)
	for try := range maxMoves {
		if err := o.kv.Sync(ctx, o.keys.bucket(b)); err != nil {
			return bucket.Fence{}, portError(err)
		}
		n, e, err := o.nodeOnce(ctx, b)
		if err != nil {
			return bucket.Fence{}, portError(err)
		}
		if n.Owned(o.me) && n.Epoch == tried {
			return fence(b, n, e.Version), nil // an answer was lost
		}
		if err := o.free(ctx, n); err != nil {
			return bucket.Fence{}, err
		}
		mine := n
		mine.Epoch, mine.Member, mine.Released, mine.HoldMS = n.Epoch+1, o.me, false, 0
		value, err := mine.encode()
		if err != nil {
			return bucket.Fence{}, err
		}
		err = o.kv.Commit(ctx, coordclient.CheckMember(o.me), coordclient.Set(e.Key, value, e.Version))
		switch {
		case err == nil:
			return fence(b, mine, e.Version+1), nil
		case errors.Is(err, coordclient.ErrUnknownOutcome):
			tried = mine.Epoch
		case !errors.Is(err, coordclient.ErrConflict):
			return bucket.Fence{}, portError(err)
		}
		if err := backoff(ctx, try); err != nil {
			return bucket.Fence{}, portError(err)
		}
	}
	return bucket.Fence{}, fmt.Errorf("%w: it moved %d times meanwhile", bucket.ErrUnavailable, maxMoves)
}

func fence(b int, n Node, version int64) bucket.Fence {
	return bucket.Fence{Bucket: b, Epoch: n.Epoch, Version: version, Edit: n.Edit}
}

// free tells whether a bucket may be taken: released, never owned, its owner
// gone, or mine on paper. Errors: bucket.ErrTaken, ErrUnavailable.
func (o *Owner) free(ctx context.Context, n Node) error {
	if n.Released || n.Member == "" || n.Member == o.me {
		return nil
	}
	members, _, err := o.members.Members(ctx)
	if err != nil {
		return portError(err)
	}
	if slices.ContainsFunc(members, func(m coordclient.Member) bool { return m.ID == n.Member }) {
		return fmt.Errorf("%w: %s", bucket.ErrTaken, n.Member)
	}
	return nil
}

// Load syncs and reads all that is stored of the bucket. Definitions that
// cannot be read are left out and reported. Error: bucket.ErrUnavailable.
func (o *Owner) Load(ctx context.Context, f bucket.Fence) (bucket.Loaded, error) {
	fail := func(err error) (bucket.Loaded, error) {
		return bucket.Loaded{}, fmt.Errorf("load bucket %d: %w", f.Bucket, portError(err))
	}
	if err := o.sync(ctx); err != nil {
		return fail(err)
	}
	// Only who owns it writes these, and edits move the fence: they may be read in
	// any order.
	var l bucket.Loaded
	b := f.Bucket
	reads := []func(ctx context.Context) (err error){
		func(ctx context.Context) (err error) { l.Page, err = o.blob(ctx, o.keys.page(b)); return err },
		func(ctx context.Context) (err error) { l.Log, err = o.log(ctx, b); return err },
		func(ctx context.Context) (err error) { l.Runs, err = o.blob(ctx, o.keys.runs(b)); return err },
		func(ctx context.Context) (err error) { l.Definitions, err = o.called(ctx, b); return err },
		func(ctx context.Context) (err error) { l.Requests, err = o.Requests(ctx, b); return err },
	}
	err := parallel.Each(ctx, len(reads), func(ctx context.Context, i int) error { return reads[i](ctx) })
	if err != nil {
		return fail(err)
	}
	if l.Calendars, err = o.consulted(ctx, f, l.Definitions); err != nil {
		return fail(err)
	}
	return l, nil
}

// called reads the definitions of a bucket as they are, by its roll.
func (o *Owner) called(ctx context.Context, b int) ([]task.Info, error) {
	n, _, err := o.nodeOnce(ctx, b)
	if err != nil {
		return nil, err
	}
	return o.Called(ctx, Snapshot{Bucket: b, Node: n})
}

// consulted reads the calendars, if any of the definitions names some, or the
// owner knew some; nil: none does.
func (o *Owner) consulted(ctx context.Context, f bucket.Fence, definitions []task.Info) (*calendar.Book, error) {
	if f.Calendars == 0 && !slices.ContainsFunc(definitions, func(i task.Info) bool { return i.Windows != nil }) {
		return nil, nil //nolint:nilnil // nil is a book without calendars
	}
	if err := o.kv.Sync(ctx, o.keys.calendars()); err != nil && !errors.Is(err, coordclient.ErrNotFound) {
		return nil, err
	}
	if _, err := o.calendarsKey(ctx); err != nil { // there is a version to check from here on
		return nil, err
	}
	return o.Book(ctx)
}

// sync makes what is read next not older than now: definitions, requests and
// what else belongs to buckets, so that one request to the leader does for all.
func (s *Store) sync(ctx context.Context) error { return s.kv.Sync(ctx, s.keys.top()) }

// blob reads an opaque value; version -1 if there is none.
func (s *Store) blob(ctx context.Context, key string) (bucket.Blob, error) {
	e, err := s.peek(ctx, key)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		return bucket.Blob{Version: -1}, nil
	case err != nil:
		return bucket.Blob{}, err
	}
	return bucket.Blob{Version: e.Version, Data: e.Value}, nil
}

// log reads the entries of a bucket's log by their number. What is deleted
// meanwhile is left out.
func (s *Store) log(ctx context.Context, b int) ([]bucket.Blob, error) {
	entries, err := read(ctx, s, s.keys.logs(b), decodeEntry)
	return inOrder(entries), err
}

func decodeEntry(segment string, e coordclient.Entry) (bucket.Blob, error) {
	seq, err := strconv.ParseInt(segment, 10, 64)
	if err != nil || seq < 0 {
		return bucket.Blob{}, fmt.Errorf("%q is no sequence number", segment)
	}
	return bucket.Blob{Seq: seq, Version: e.Version, Data: e.Value}, nil
}

func inOrder(log []bucket.Blob) []bucket.Blob {
	slices.SortFunc(log, func(a, b bucket.Blob) int { return cmp.Compare(a.Seq, b.Seq) })
	return log
}

// Refresh syncs, reads the bucket's node and then what was edited since f, the
// calendars if its tasks name any, and the log entry at seq (Landed has version -1 if there is none). After
// HoldAfter lost batches it sets a hold. Errors: bucket.ErrFenced,
// ErrUnavailable.
func (o *Owner) Refresh(ctx context.Context, f bucket.Fence, seq int64) (bucket.Fence, bucket.Changes, error) {
	fail := func(err error) (bucket.Fence, bucket.Changes, error) {
		return bucket.Fence{}, bucket.Changes{}, fmt.Errorf("refresh bucket %d: %w", f.Bucket, portError(err))
	}
	if err := o.sync(ctx); err != nil {
		return fail(err)
	}
	now, n, err := o.refence(ctx, f)
	if err != nil {
		return fail(err)
	}
	c, err := o.changes(ctx, f, n)
	if err != nil {
		return fail(err)
	}
	if c.Calendars, err = o.consulted(ctx, f, c.Definitions); err != nil {
		return fail(err)
	}
	if c.Landed, err = o.blob(ctx, o.keys.log(f.Bucket, seq)); err != nil {
		return fail(err)
	}
	c.Landed.Seq = seq
	if c.Calendars != nil {
		now.Calendars = c.Calendars.Revision
	}
	return now, c, nil
}

// refence reads the node at which f now is, and sets a hold when it is time.
func (o *Owner) refence(ctx context.Context, f bucket.Fence) (bucket.Fence, Node, error) {
	for range maxMoves {
		n, e, err := o.nodeOnce(ctx, f.Bucket)
		switch {
		case errors.Is(err, coordclient.ErrNotFound):
			return f, n, bucket.ErrFenced
		case err != nil:
			return f, n, err
		case !n.Owned(o.me) || n.Epoch != f.Epoch:
			return f, n, bucket.ErrFenced
		case n.HoldMS > 0 || o.losses(f.Bucket) < HoldAfter:
			return fence(f.Bucket, n, e.Version), n, nil
		}
		n.HoldMS = HoldTime.Milliseconds()
		value, err := n.encode()
		if err != nil {
			return f, n, err
		}
		err = o.kv.Commit(ctx, coordclient.CheckMember(o.me), coordclient.Set(e.Key, value, e.Version))
		switch {
		case err == nil:
			return fence(f.Bucket, n, e.Version+1), n, nil
		case errors.Is(err, coordclient.ErrConflict), errors.Is(err, coordclient.ErrUnknownOutcome):
		default:
			return f, n, err
		}
	}
	return f, Node{}, fmt.Errorf("%w: it moved %d times meanwhile", bucket.ErrUnavailable, maxMoves)
}

// changes reads what was edited since f, and all requests.
func (o *Owner) changes(ctx context.Context, f bucket.Fence, n Node) (bucket.Changes, error) {
	var c bucket.Changes
	var err error
	if c.Requests, err = o.Requests(ctx, f.Bucket); err != nil {
		return c, err
	}
	keys, ok := n.since(f.Edit)
	if !ok {
		c.All = true
		c.Definitions, err = o.Called(ctx, Snapshot{Bucket: f.Bucket, Node: n})
		return c, err
	}
	c.Definitions, c.Removed, err = o.those(ctx, f.Bucket, keys)
	return c, err
}

// Release sets the owner to released. Released already by this owner, as by an
// earlier try whose answer was lost: nil. Errors as of Commit.
func (o *Owner) Release(ctx context.Context, f bucket.Fence) error {
	fail := func(err error) error { return fmt.Errorf("release bucket %d: %w", f.Bucket, portError(err)) }
	n, e, err := o.nodeOnce(ctx, f.Bucket)
	switch {
	case err != nil:
		return fail(err)
	case n.leftBy(o.me, f.Epoch):
		return nil
	case !n.Owned(o.me) || n.Epoch != f.Epoch:
		return fail(bucket.ErrFenced)
	case e.Version != f.Version:
		return fail(bucket.ErrMoved)
	}
	n.Released, n.HoldMS = true, 0
	value, err := n.encode()
	if err != nil {
		return fail(err)
	}
	err = o.kv.Commit(ctx, coordclient.CheckMember(o.me), coordclient.Set(e.Key, value, f.Version))
	if errors.Is(err, coordclient.ErrConflict) {
		// The server that was read from may lag behind an earlier try.
		if err = o.kv.Sync(ctx, e.Key); err == nil {
			n, _, err = o.nodeOnce(ctx, f.Bucket)
		}
		if err == nil && !n.leftBy(o.me, f.Epoch) {
			err = bucket.ErrMoved
		}
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// Watch gives a channel that closes when the bucket's node may have changed.
func (o *Owner) Watch(ctx context.Context, b int) (<-chan struct{}, error) {
	_, changed, err := o.kv.Get(ctx, o.keys.bucket(b))
	if err != nil {
		return nil, fmt.Errorf("watch bucket %d: %w", b, portError(err))
	}
	return changed, nil
}

// WatchCalendars gives a channel that closes when a calendar may have changed.
func (o *Owner) WatchCalendars(ctx context.Context) (<-chan struct{}, error) {
	_, changed, err := o.kv.Get(ctx, o.keys.calendars())
	if err != nil {
		return nil, fmt.Errorf("watch calendars: %w", portError(err))
	}
	return changed, nil
}

// count keeps how many batches in a row were lost to edits.
func (o *Owner) count(b int, landed bool) {
	o.losing.Lock()
	defer o.losing.Unlock()
	if landed {
		delete(o.lost, b)
	} else {
		o.lost[b]++
	}
}

func (o *Owner) losses(b int) int {
	o.losing.Lock()
	defer o.losing.Unlock()
	return o.lost[b]
}

// NoRequestError is a bucket.ErrNoRequest that says which.
type NoRequestError struct{ ID string }

// Error names the request.
func (e *NoRequestError) Error() string { return "request " + e.ID + " is gone" }

// Unwrap gives bucket.ErrNoRequest.
func (*NoRequestError) Unwrap() error { return bucket.ErrNoRequest }

// RequestID is which request is gone.
func (e *NoRequestError) RequestID() string { return e.ID }

// portError says an error of coordclient in the words of package bucket.
func portError(err error) error {
	switch {
	case errors.Is(err, coordclient.ErrNotMember):
		return fmt.Errorf("%w: %w", bucket.ErrFenced, err)
	case errors.Is(err, coordclient.ErrUnknownOutcome):
		return fmt.Errorf("%w: %w", bucket.ErrUnknownOutcome, err)
	case errors.Is(err, coordclient.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", bucket.ErrUnavailable, err)
	}
	return err
}
