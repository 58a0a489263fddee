// Package parallel runs functions at once, and waits for all of them.
package parallel

import (
	"context"
	"sync"
	"sync/atomic"
)

// Most is how many functions Each runs at once.
const Most = 32

// Do runs functions at once, and gives the first error in their order.
func Do(f ...func() error) error {
	errs := make([]error, len(f))
	var all sync.WaitGroup
	for i := range f {
		all.Go(func() { errs[i] = f[i]() }) // ends when f does
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Each runs f for 0 to n-1, at most Most at once, and gives the error that came
// first, which ends the context of the others; those not begun are left out.
func Each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		next    atomic.Int64
		workers sync.WaitGroup
	)
	for range min(n, Most) {
		// Ends when the numbers are used up, or at the first error.
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
