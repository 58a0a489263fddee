package store

import (
	"context"
	"path"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
)

// nodeReads counts the reads of buckets' nodes with a watch, which may be deaf.
type nodeReads struct {
	port
	n    atomic.Int64
	deaf bool
}

func (r *nodeReads) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	e, changed, err := r.port.Get(ctx, key)
	if path.Dir(key) == "/buckets" {
		if r.n.Add(1); r.deaf {
			changed = make(chan struct{})
		}
	}
	return e, changed, err
}

// A register reads what changed and no more; what a silent watch hid is found
// within a minute, and what is doubted at once.
func TestRegisterReadsWhatMoved(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			reads := &nodeReads{port: coordtest.NewMemory(), deaf: deaf}
			o := prepared(t, reads)
			r := o.Register()
			look := func(doubt bool) ([]Holder, int64) {
				before := reads.n.Load()
				holders, err := r.Holders(t.Context(), 4, func(int, Holder) bool { return doubt })
				if err != nil || len(holders) != 4 {
					t.Fatalf("%v, %v", holders, err)
				}
				return holders, reads.n.Load() - before
			}
			if _, n := look(false); n != 4 {
				t.Errorf("deaf %t: first %d reads, want 4", deaf, n)
			}
			acquired(t, o, 2)
			holders, n := look(false)
			if want := map[bool]int64{false: 1, true: 0}[deaf]; n != want || (holders[2].Member == reads.ID()) == deaf {
				t.Errorf("deaf %t: %d reads, want %d, of %+v", deaf, n, want, holders[2])
			}
			if _, n := look(false); n != 0 {
				t.Errorf("deaf %t: %d reads though nothing moved", deaf, n)
			}
			time.Sleep(rereadRegister)
			if holders, n := look(false); n != 4 || holders[2].Member != reads.ID() {
				t.Errorf("deaf %t: after a minute %d reads of %+v", deaf, n, holders)
			}
			if _, n := look(true); n != 4 {
				t.Errorf("deaf %t: doubted %d reads, want 4", deaf, n)
			}
			r.Forget()
			if _, n := look(false); n != 4 {
				t.Errorf("deaf %t: forgotten %d reads, want 4", deaf, n)
			}
		})
	}
}
