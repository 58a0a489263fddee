package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/parallel"
)

// rereadRegister is how often a Register reads everything, in case a watch stayed
// silent.
const rereadRegister = time.Minute

// Register follows who holds each bucket: it reads a bucket's node when a watch
// says that it may have changed, and all of them now and then. So a look costs
// nothing where nothing moved. Make it with Store.Register. One goroutine uses it.
type Register struct {
	store *Store
	all   []registered
	read  time.Time // when all of it was
}

type registered struct {
	holder  Holder
	changed <-chan struct{} // nil: to be read
}

// Register begins to follow.
func (s *Store) Register() *Register { return &Register{store: s} }

// Forget makes the next look read everything.
func (r *Register) Forget() { r.all = nil }

// Holders tells who holds buckets 0 to n-1. Those whose last known holder is
// doubtful are read in any case. One whose node cannot be read is reported and
// counts as free. Error: coordclient.ErrUnavailable.
func (r *Register) Holders(ctx context.Context, n int, doubtful func(b int, h Holder) bool) ([]Holder, error) {
	if now := time.Now(); now.Sub(r.read) >= rereadRegister || r.all == nil {
		r.all, r.read = nil, now
	}
	for len(r.all) < n {
		r.all = append(r.all, registered{})
	}
	err := parallel.Each(ctx, n, func(ctx context.Context, b int) error {
		if !r.all[b].moved() && !doubtful(b, r.all[b].holder) {
			return nil
		}
		node, _, changed, err := r.store.node(ctx, b)
		if corrupt, ok := errors.AsType[*CorruptError](err); ok {
			r.store.corrupt(corrupt)
			r.all[b] = registered{}
			return nil
		}
		if err != nil {
			return fmt.Errorf("bucket %d: %w", b, err)
		}
		r.all[b] = registered{node.holder(), changed}
		return nil
	})
	if err != nil {
		return nil, err
	}
	holders := make([]Holder, n)
	for b := range holders {
		holders[b] = r.all[b].holder
	}
	return holders, nil
}

// moved tells whether a bucket is to be read.
func (r *registered) moved() bool {
	if r.changed == nil {
		return true
	}
	select {
	case <-r.changed:
		return true
	default:
		return false
	}
}
