package query

import (
	"context"
	"time"

	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// InboxOptions configure the inbox.
type InboxOptions struct {
	Off       bool
	Table     string        // default belfry_inbox
	Retention time.Duration // default 7 days
}

type inbox struct{}

func newInbox(Options) *inbox { return &inbox{} }

func (i *inbox) watch(*source.DB)  {}
func (i *inbox) forget(*source.DB) {}

func (x *run) fire(ctx context.Context, c *compiled, b *bound, out result.Sink, rings bool) (Outcome, error) {
	return x.write(ctx, c, b, out, rings)
}
