//go:build faultinject

package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/engine"
)

// The bugs that can be planted, each a rule of the protocol that is left out.
const (
	plantNoFence  = "no-fence"
	plantRunFirst = "run-first"
)

// plants reads which bugs are planted.
func plants(text string) (map[string]bool, error) {
	planted := make(map[string]bool)
	for name := range strings.SplitSeq(text, ",") {
		if name != "" && !slices.Contains([]string{plantNoFence, plantRunFirst}, name) {
			return nil, fmt.Errorf("there is no bug %q to plant", name)
		}
		planted[name] = true
	}
	return planted, nil
}

// unfenced is a log whose owner does not care that F has moved: it takes the new
// one, and commits what it had decided before.
type unfenced struct{ engine.Log }

// Commit implements engine.Log.
func (u unfenced) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	for {
		err := u.Log.Commit(ctx, f, w)
		if !errors.Is(err, bucket.ErrMoved) {
			return err
		}
		if f, _, err = u.Log.Refresh(ctx, f, w.Seq); err != nil {
			return err
		}
	}
}

// hasty is a log that says that claims are committed a while before they are.
type hasty struct {
	engine.Log
	mu      sync.Mutex
	pending map[int]chan struct{} // guarded by mu; by bucket, closed when it is committed
}

// haste is for how long.
const haste = 100 * time.Millisecond

// Commit implements engine.Log.
func (h *hasty) Commit(ctx context.Context, f bucket.Fence, w bucket.Write) error {
	h.mu.Lock()
	before := h.pending[f.Bucket]
	h.mu.Unlock()
	if before != nil {
		<-before
	}
	if !slices.Contains(stepsOf(w), "claim") {
		return h.Log.Commit(ctx, f, w)
	}
	done := make(chan struct{})
	h.mu.Lock()
	h.pending[f.Bucket] = done
	h.mu.Unlock()
	go func() { // ends soon after haste
		defer close(done)
		<-time.After(haste)
		_ = h.Log.Commit(context.WithoutCancel(ctx), f, w)
	}()
	return nil
}
