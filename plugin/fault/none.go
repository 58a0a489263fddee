//go:build !faultinject

package fault

import (
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/plugin/engine"
)

// Plan is what is to break. In this build: nothing.
type Plan struct{}

// Read gives the plan of the environment.
func Read(*slog.Logger) (Plan, error) { return Plan{}, nil }

// Log passes the points of a bucket's commits.
func (Plan) Log(l engine.Log) engine.Log { return l }

// Invoker passes the points of a run.
func (Plan) Invoker(i engine.Invoker) engine.Invoker { return i }

// Clock gives the wall clock of the host.
func (Plan) Clock(now func() time.Time) func() time.Time { return now }
