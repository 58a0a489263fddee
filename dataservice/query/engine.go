package query

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// Engine makes Runtimes. Safe for concurrent use.
type Engine struct {
	opts  Options
	inbox *inbox
}

// New makes an Engine. It connects to nothing.
func New(o Options) *Engine {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Engine{opts: o, inbox: newInbox(o)}
}

// Open compiles a service's queries and opens its sources, without waiting for a
// database. The error, if any, is an Errors with the place of each fault. What is
// only not supported is not one: the Runtime lists it, and calls of it say so. The
// hook may be nil. The Runtime must be closed.
func (e *Engine) Open(_ context.Context, s *dataservice.Service, hook dataservice.Hook) (*Runtime, error) {
	r, err := e.compile(s)
	if err != nil {
		return nil, err
	}
	r.hook = hook
	for _, u := range r.unsupported {
		e.opts.Log.Warn("not supported", "service", s.Name, "what", u.What, "why", u.Why, "at", u.Position.String())
	}
	return r, nil
}
