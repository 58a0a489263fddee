package host

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/query"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/result"
	"github.com/seed42aab489/belfry/dataservice/soap"
)

// set is what is deployed at one moment. It is not changed once published.
type set struct {
	services map[string]*deployment
	depth    int // segments of the longest name
	views    []View
}

func newSet() *set { return &set{services: make(map[string]*deployment)} }

// with gives a set in which name leads to d, or nowhere if d is nil.
func (s *set) with(name string, d *deployment) *set {
	n := &set{services: maps.Clone(s.services), views: s.views}
	if d == nil {
		delete(n.services, name)
	} else {
		n.services[name] = d
	}
	for name := range n.services {
		n.depth = max(n.depth, segments(name))
	}
	return n
}

// deployment is one version of a service that is, or was, served.
type deployment struct {
	service  *dataservice.Service
	runtime  Runtime
	gate     *exchange.Gate
	endpoint *rest.Endpoint
	soap     *soap.Endpoint
	file     string // relative to the services folder
	revision int64  // of the service's name, counted from 1 since the host began
	at       time.Time

	auth Authenticator // nil: nobody is known

	ctx    context.Context // ends when running requests are to be cancelled
	cancel context.CancelFunc

	mu      sync.Mutex // guards the three below
	users   int
	retired bool
	idle    chan struct{} // closed when retired and without users
}

func newDeployment(s *dataservice.Service, runtime Runtime, auth Authenticator, o exchange.Options) *deployment {
	d := &deployment{service: s, runtime: runtime, auth: auth, idle: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	o.Admit, o.Permit = d.admit, d.permit
	d.gate = exchange.NewGate(s, o)
	d.endpoint, d.soap = rest.New(d.gate, restRunner{d}), soap.New(d.gate, restRunner{d})
	return d
}

// enter takes part in the deployment; false if it is retired.
func (d *deployment) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.retired {
		return false
	}
	d.users++
	return true
}

// leave ends what enter began.
func (d *deployment) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users--
	if d.retired && d.users == 0 {
		close(d.idle)
	}
}

// retire refuses new users and gives the channel that closes after the last.
func (d *deployment) retire() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.retired = true
	if d.users == 0 {
		close(d.idle)
	}
	return d.idle
}

// run executes a request under the deployment's own context besides ctx.
func (d *deployment) run(ctx context.Context, r dataservice.Request, out result.Sink) (query.Outcome, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	return d.runtime.Run(ctx, r, out)
}

// bound gives a context that also ends with the deployment's.
func (d *deployment) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.ctx, cancel) //nolint:contextcheck // a second context, on purpose
	return ctx, func() { stop(); cancel() }
}

// restRunner is a deployment as its HTTP endpoints see it.
type restRunner struct{ *deployment }

// Run meets exchange.Runner.
func (r restRunner) Run(ctx context.Context, q dataservice.Request, out result.Sink) (bool, error) {
	o, err := r.run(ctx, q, out)
	return o.Empty, err
}

// RunBox meets exchange.Runner.
func (r restRunner) RunBox(ctx context.Context, b dataservice.Box, out result.Sink) (bool, error) {
	ctx, cancel := r.bound(ctx)
	defer cancel()
	o, err := r.runtime.RunBox(ctx, b, out)
	return o.Empty, err
}
