package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/boxcar"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/query"
)

// Runtime executes the queries of one version of a service. Close frees its
// sources; it is called once, when no request runs any more.
type Runtime interface {
	query.Runner
	io.Closer
	// Unsupported adds to what the descriptor itself asks for in vain. The Opener
	// has logged it.
	Unsupported() []dataservice.Unsupported
}

// Opener makes a Runtime for a service. It should not wait for a database that
// is down: a service is deployed all the same, and its requests say so. The
// hook is nil if no plugin is attached.
type Opener interface {
	Open(ctx context.Context, s *dataservice.Service, hook dataservice.Hook) (Runtime, error)
}

// OpenWith makes an Opener of a query engine.
func OpenWith(e *query.Engine) Opener { return engine{e} }

type engine struct{ *query.Engine }

// Open meets Opener.
func (e engine) Open(ctx context.Context, s *dataservice.Service, hook dataservice.Hook) (Runtime, error) {
	r, err := e.Engine.Open(ctx, s, hook)
	if err != nil {
		return nil, err // not r: a nil pointer in an interface is not nil
	}
	return r, nil
}

// Options make a Host. Dir and Opener must be set; the zero value of the rest
// means the default.
type Options struct {
	// Dir is the services folder. It must exist at Start.
	Dir    string
	Opener Opener
	// Parse reads a descriptor; file is for its errors and Service.File. Default
	// descriptor.Parse.
	Parse func(file string, data []byte) (*dataservice.Service, error)

	MaxFile     int64         // bytes of a descriptor; default 1 MiB
	MaxServices int           // default 1,000
	Poll        time.Duration // between two looks at the folder; default 1 s
	Settle      time.Duration // how long a file must rest before it is read; default 150 ms
	// Drain bounds how long a replaced version may finish its requests, after
	// which they are cancelled; default 5 min.
	Drain time.Duration

	// Auth finds out who makes a request. Nil: nobody can be known, and what needs a
	// caller that is known is refused.
	Auth Authenticator

	// PublicURL is where clients reach the host, if not where their requests come
	// in: "https://api.example.com". Descriptions of services lead there.
	PublicURL string
	// NoPages: the pages for people are not served.
	NoPages bool

	// HTTP is what the services' requests go by. Log is set by the host.
	HTTP exchange.Options
	// Limits bound the requests of a service, by its name. Nil: HTTP's bound those of
	// each.
	Limits func(service string) exchange.Limits

	Log *slog.Logger     // default: nothing is logged
	Now func() time.Time // default time.Now
}

// Defaults of Options.
const (
	DefaultMaxFile     = 1 << 20
	DefaultMaxServices = 1000
	DefaultPoll        = time.Second
	DefaultSettle      = 150 * time.Millisecond
	DefaultDrain       = 5 * time.Minute
)

func (o Options) withDefaults() Options {
	if o.Parse == nil {
		o.Parse = descriptor.Parse
	}
	if o.MaxFile <= 0 {
		o.MaxFile = DefaultMaxFile
	}
	if o.MaxServices <= 0 {
		o.MaxServices = DefaultMaxServices
	}
	if o.Poll <= 0 {
		o.Poll = DefaultPoll
	}
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Drain <= 0 {
		o.Drain = DefaultDrain
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limits == nil {
		o.Limits = func(string) exchange.Limits { return o.HTTP.Limits }
	}
	o.HTTP.Log = o.Log
	if o.HTTP.Boxes == nil {
		o.HTTP.Boxes = boxcar.New(boxcar.Limits{}, o.Now)
	}
	return o
}

// Host holds the deployed set. Its methods are safe for concurrent use, except
// that Attach and OnChange come before Start.
type Host struct {
	opts     Options
	hook     dataservice.Hook
	onChange []func()

	now   atomic.Pointer[set] // what is deployed; never nil
	ready atomic.Bool

	mu      sync.Mutex // guards the three below
	started bool
	stopped bool
	cancel  context.CancelFunc // ends the watch; nil before Start

	watch  sync.WaitGroup // the watching goroutine
	drains sync.WaitGroup // one goroutine for each retired deployment
	hurry  chan struct{}  // closed when Stop has no more time
	rush   func()         // closes hurry, once
}

// New makes a host. It touches nothing until Start.
func New(o Options) (*Host, error) {
	if o.Dir == "" || o.Opener == nil {
		return nil, errors.New("host: a services folder and an opener are needed")
	}
	h := &Host{opts: o.withDefaults(), hurry: make(chan struct{})}
	h.rush = sync.OnceFunc(func() { close(h.hurry) })
	h.now.Store(newSet())
	return h, nil
}

// Attach sets the plugin's hook. Call it before Start.
func (h *Host) Attach(hook dataservice.Hook) { h.hook = hook }

// OnChange adds a function that is called, from one goroutine at a time, after
// Services() has changed. Call it before Start. The function must not block.
func (h *Host) OnChange(f func()) { h.onChange = append(h.onChange, f) }

// Start deploys what the folder holds and returns; from then on the folder is
// watched until Stop. A bad descriptor is no error of Start, a missing folder
// is. The context bounds the first deployment only.
func (h *Host) Start(ctx context.Context) error { //nolint:contextcheck // the watch outlives it
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.started || h.stopped {
		return errors.New("host: started twice, or after it was stopped")
	}
	if info, err := os.Stat(h.opts.Dir); err != nil {
		return fmt.Errorf("services folder %s: %w: create it, or name another one", h.opts.Dir, errors.Unwrap(err))
	} else if !info.IsDir() {
		return fmt.Errorf("services folder %s: it is not a folder", h.opts.Dir)
	}
	d := newDeployer(h)
	watching, cancel := context.WithCancel(context.Background())
	h.started, h.cancel = true, cancel
	d.first(ctx)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("first deployment: %w", err)
	}
	h.ready.Store(true)
	h.watch.Go(func() { d.run(watching) }) // ends when Stop cancels watching
	return nil
}

// Ready tells whether the first deployment is done and the host is not stopped.
func (h *Host) Ready() bool { return h.ready.Load() }

// Stop ends the watch, refuses new requests, and waits for those that run until
// ctx ends; then they are cancelled. Sources are closed. Stop may come before
// Start and may come again.
func (h *Host) Stop(ctx context.Context) error {
	h.mu.Lock()
	h.stopped = true
	if h.cancel != nil {
		h.cancel()
	}
	h.mu.Unlock()
	h.ready.Store(false)
	h.watch.Wait()
	h.mu.Lock() // another Stop waits for what this one retires
	for _, d := range h.now.Swap(newSet()).services {
		h.retire(d)
	}
	h.mu.Unlock()
	defer context.AfterFunc(ctx, h.rush)()
	done := make(chan struct{})
	go func() { // ends when the last retired deployment is closed
		h.drains.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	// Cancelled requests get a moment to notice.
	select {
	case <-done:
		return nil
	case <-time.After(grace):
		return fmt.Errorf("stop: requests still run: %w", ctx.Err())
	}
}

// grace is how long cancelled requests have to end before their sources are
// closed under them.
const grace = 3 * time.Second

// retire lets a deployment's requests end, at most for Options.Drain and while
// Stop has time, then closes it, without the caller waiting.
func (h *Host) retire(d *deployment) {
	idle := d.retire()
	h.drains.Go(func() { // ends after Drain and grace at the latest, and Close
		defer d.cancel()
		limit := time.NewTimer(h.opts.Drain)
		defer limit.Stop()
		select {
		case <-idle:
		case <-limit.C:
			h.cut(d, idle)
		case <-h.hurry:
			h.cut(d, idle)
		}
		if err := d.runtime.Close(); err != nil {
			h.opts.Log.Warn("data sources did not close cleanly", "service", d.service.Name, "err", err)
		}
	})
}

// cut cancels what still runs in a deployment.
func (h *Host) cut(d *deployment, idle <-chan struct{}) {
	h.opts.Log.Warn("requests of a retired service are cancelled", "service", d.service.Name, "revision", d.revision)
	d.cancel()
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-idle:
	case <-t.C:
	}
}
