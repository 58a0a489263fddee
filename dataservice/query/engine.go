package query

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// Engine makes Runtimes. Safe for concurrent use.
type Engine struct {
	opts  Options
	inbox *inbox
}

// New makes an Engine. It connects to nothing. The error is that of an option.
func New(o Options) (*Engine, error) {
	if o.Sources == nil {
		return nil, errors.New("query: no set of sources")
	}
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in, err := newInbox(o)
	if err != nil {
		return nil, err
	}
	return &Engine{opts: o, inbox: in}, nil
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
