package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// MendView is a bucket whose claim log lacks entries.
type MendView struct {
	Bucket  int     `json:"bucket"`
	Missing []int64 `json:"missing"` // the numbers of the entries
	Mended  bool    `json:"mended"`
	Fault   string  `json:"fault,omitempty"` // why it cannot be mended
}

// Gaps lists the buckets whose claim log lacks entries, or cannot be read at
// all. Codes: unavailable.
func (c *Control) Gaps(ctx context.Context) ([]MendView, error) {
	n, err := c.store.Span(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := []MendView{}
	for b := range n {
		missing, err := c.store.Gaps(ctx, b)
		switch {
		case errors.Is(err, coordclient.ErrUnavailable):
			return nil, failure.Wrap(err)
		case err != nil:
			views = append(views, MendView{Bucket: b, Missing: []int64{}, Fault: err.Error()})
		case len(missing) > 0:
			views = append(views, MendView{Bucket: b, Missing: missing})
		}
	}
	return views, nil
}

// Mend puts empty entries where the claim log of a bucket lacks some; see
// store.Mend for what that costs. Codes: unavailable, unknown_outcome, conflict
// (one of them is there after all).
func (c *Control) Mend(ctx context.Context, v MendView, by string) error {
	err := c.store.As(by).Mend(ctx, v.Bucket, v.Missing)
	if errors.Is(err, coordclient.ErrExists) {
		return &failure.Error{
			Code: failure.CodeConflict, Err: err,
			Message: fmt.Sprintf("bucket %d: an entry that looked lost is there: the server that was asked lacks what the others have", v.Bucket),
			Hint:    "connect to another ZooKeeper server, and restart the one that lags with an empty data directory",
		}
	}
	return failure.Wrap(err)
}
