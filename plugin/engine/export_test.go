package engine

import "github.com/seed42aab489/belfry/plugin/bucket"

// Planted are the faults that the simulation plants, one at a time.
type Planted struct {
	Replay   func(bucket.Loaded, bucket.Compile, bucket.Rules) (*bucket.State, error)
	Page     func([]byte) []byte
	RunFirst bool
}

// Plant plants faults in an engine that was not started.
func (e *Engine) Plant(p Planted) {
	if p.Replay != nil {
		e.planted.replay = p.Replay
	}
	e.planted.page, e.planted.runFirst = p.Page, p.RunFirst
}
