package query

import (
	"context"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Outcome is what an execution did.
type Outcome struct {
	// Rows returned, or changed by an in-only query.
	Rows int64
	// Replayed: the firing had been executed before, and this is the recorded
	// answer; nothing was executed now.
	Replayed bool
	// Empty: nothing was written to the sink (an in-only call without status).
	Empty bool
}

// Runner executes requests. Safe for concurrent use. Errors are
// *dataservice.Fault.
type Runner interface {
	Run(ctx context.Context, r dataservice.Request, out result.Sink) (Outcome, error)
	// RunBox executes a box, all or nothing.
	RunBox(ctx context.Context, b dataservice.Box, out result.Sink) (Outcome, error)
}
