package query

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/query/inbox"
)

// Engine makes Runtimes. Safe for concurrent use.
type Engine struct {
	opts  Options
	inbox *inbox.Inbox
}

// New makes an Engine. It connects to nothing. The error is that of an option.
func New(o Options) (*Engine, error) {
	if o.Sources == nil {
		return nil, errors.New("query: no set of sources")
	}
	if o.LimitsOf == nil {
		o.LimitsOf = func(string) Limits { return o.Limits }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	in, err := inbox.New(o.Inbox, o.Now)
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

// Sweep removes what is older than the retention from the inboxes of all open
// sources. It is to be called now and then; hourly will do. Several members may
// do so at once.
func (e *Engine) Sweep(ctx context.Context) error { return e.inbox.Sweep(ctx) }
