package exchange

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/boxcar"
)

// Served tells how a request ended.
type Served struct {
	Service string
	// Request is the operation or resource; empty if the path means none.
	Request  string
	Status   int // 499: the client went away
	Duration time.Duration
	Bytes    int64 // of the answer's body
}

// statusGone is what a request counts as whose client did not wait.
const statusGone = 499

// Limits bound the requests of a service. A zero field means its default.
type Limits struct {
	MaxBody     int64         // bytes of a request's body; default 1 MiB
	MaxRequests int           // at the same time, beyond which 429; default 512
	Rate        int           // requests in a second, beyond which 429; default: any number
	Timeout     time.Duration // of one request, its answer included; default 60 s
	Buffer      int           // bytes of an answer held back; default 64 KiB
	MaxAnswer   int64         // bytes of an answer; default 256 MiB
}

// Options are those of a service's Gate. The zero value means the defaults.
type Options struct {
	Limits
	// Origin tells which other sites' pages may write. Default: none.
	Origin *http.CrossOriginProtection
	// Boxes are the boxcarring sessions, which outlive a version of the service.
	// Default: the gate's own.
	Boxes *boxcar.Sessions
	Log   *slog.Logger // default: nothing is logged
	// Admit is asked before the binding is: it may refuse a request, and says who
	// makes it. Nil: everybody is let in.
	Admit func(x *Exchange) error
	// Permit is asked before any of the requests is executed, or kept for the end of a
	// boxcarring session: it may refuse them. Nil: everybody may make them.
	Permit func(requests ...dataservice.Request) error
	// Observe hears of every request. It must be quick and safe for concurrent
	// use. May be nil.
	Observe func(Served)
}

// Defaults of Limits.
const (
	DefaultMaxBody     = 1 << 20
	DefaultMaxRequests = 512
	DefaultTimeout     = time.Minute
	DefaultBuffer      = 64 << 10
	DefaultMaxAnswer   = 256 << 20
)

func (l Limits) withDefaults() Limits {
	if l.MaxBody <= 0 {
		l.MaxBody = DefaultMaxBody
	}
	if l.MaxRequests <= 0 {
		l.MaxRequests = DefaultMaxRequests
	}
	if l.Timeout <= 0 {
		l.Timeout = DefaultTimeout
	}
	if l.Buffer <= 0 {
		l.Buffer = DefaultBuffer
	}
	if l.MaxAnswer <= 0 {
		l.MaxAnswer = DefaultMaxAnswer
	}
	return l
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Origin == nil {
		o.Origin = http.NewCrossOriginProtection()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Permit == nil {
		o.Permit = func(...dataservice.Request) error { return nil }
	}
	if o.Observe == nil {
		o.Observe = func(Served) {}
	}
	return o
}
