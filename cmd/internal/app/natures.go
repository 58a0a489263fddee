package app

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/host"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/plugin/task"
)

// natures opens services with the query engine, and finds out which delivery
// their operations offer. That takes a connection, so it happens in the
// background; until it is known, a SQL source is taken to be transactional.
// Safe for concurrent use.
type natures struct {
	engine *query.Engine
	inbox  bool
	log    *slog.Logger
	looks  chan struct{} // capacity 1: there is something to find out

	mu   sync.Mutex
	open map[*dataservice.Service]*known // guarded by mu
}

// known is an open service, and what was found out of its queries.
type known struct {
	runtime *query.Runtime
	loose   map[string]bool // by query id: true if it has no transactions
}

// probeTime bounds what a database may take to answer, and probeAgain is when
// one that did not is asked again.
const (
	probeTime  = 5 * time.Second
	probeAgain = 30 * time.Second
)

func newNatures(engine *query.Engine, inbox bool, log *slog.Logger) *natures {
	return &natures{engine: engine, inbox: inbox, log: log, looks: make(chan struct{}, 1), open: map[*dataservice.Service]*known{}}
}

// Open opens a service.
func (n *natures) Open(ctx context.Context, s *dataservice.Service, h dataservice.Hook) (host.Runtime, error) {
	r, err := n.engine.Open(ctx, s, h)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[s] = &known{r, map[string]bool{}}
	return opened{r, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.open, s)
	}}, nil
}

// opened forgets a service when it is closed.
type opened struct {
	*query.Runtime
	forget func()
}

func (o opened) Close() error {
	o.forget()
	return o.Runtime.Close()
}

// of tells whether an operation returns a result, and the strongest delivery
// that it offers.
func (n *natures) of(s *dataservice.Service, operation string) (reads bool, d task.Delivery) {
	o := s.Operation(operation)
	if o == nil {
		return false, task.AtLeastOnce
	}
	q := s.Query(o.Call.Query)
	if q == nil {
		return false, task.AtLeastOnce
	}
	d = task.AtLeastOnce
	n.mu.Lock()
	defer n.mu.Unlock()
	k := n.open[s]
	if source := s.Source(q.Source); n.inbox && source != nil && source.Kind == dataservice.SourceSQL && k != nil && !k.loose[q.ID] {
		d = task.EffectivelyOnce
	}
	return q.Result != nil, d
}

// look asks for services that are new to be looked at. It does not block.
func (n *natures) look() {
	select {
	case n.looks <- struct{}{}:
	default:
	}
}

// run finds out what it is asked to until ctx ends, and calls changed when
// something is other than it was taken to be.
func (n *natures) run(ctx context.Context, changed func()) {
	if !n.inbox {
		return
	}
	for {
		select {
		case <-n.looks:
		case <-ctx.Done():
			return
		}
		found, silent := n.probe(ctx)
		if found {
			changed()
		}
		if silent && ctx.Err() == nil {
			time.AfterFunc(probeAgain, n.look)
		}
	}
}

// probe asks the databases of what is open. found: a query has no transactions;
// silent: a database did not answer.
func (n *natures) probe(ctx context.Context) (found, silent bool) {
	n.mu.Lock()
	services := slices.Collect(maps.Keys(n.open))
	n.mu.Unlock()
	for _, s := range services {
		for _, o := range s.Operations {
			if _, ok := s.Schedulable(o.Name); !ok || ctx.Err() != nil {
				continue
			}
			loose, asked, answered := n.ask(ctx, s, o)
			found = found || asked && loose
			silent = silent || !answered
			if !answered {
				break // the next operation would wait as long
			}
		}
	}
	return found, silent
}

func (n *natures) ask(ctx context.Context, s *dataservice.Service, o *dataservice.Operation) (loose, asked, answered bool) {
	id := o.Call.Query
	n.mu.Lock()
	k := n.open[s]
	if k == nil {
		n.mu.Unlock()
		return false, false, true
	}
	loose, before := k.loose[id]
	n.mu.Unlock()
	if before {
		return loose, false, true
	}
	bounded, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	ok, why, err := k.runtime.Transactional(bounded, id)
	if err != nil {
		return false, false, false
	}
	n.mu.Lock()
	k.loose[id] = !ok
	n.mu.Unlock()
	if !ok {
		n.log.Warn("a scheduled run of this operation is at-least-once", "service", s.Name, "operation", o.Name, "why", why)
	}
	return !ok, true, true
}
