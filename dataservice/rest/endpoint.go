package rest

import (
	"io"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// Endpoint serves one service. Safe for concurrent use.
type Endpoint struct {
	gate   *exchange.Gate
	run    exchange.Runner
	router *router
}

// New makes the endpoint of a gate's service. It never fails: overlapping paths
// are in order of how specific they are, and what is not supported answers 501.
func New(g *exchange.Gate, run exchange.Runner) *Endpoint {
	return &Endpoint{gate: g, run: run, router: newRouter(routesOf(g.Service()))}
}

// Has tells whether the service answers anything at a path.
func (e *Endpoint) Has(path []string) bool {
	to, allow := e.router.find(http.MethodGet, path)
	return to != nil || len(allow) > 0
}

// Serve answers a request whose path, below the service, has the given
// segments, unescaped. The caller is nil if nobody is known.
func (e *Endpoint) Serve(w http.ResponseWriter, r *http.Request, path []string, caller *dataservice.Principal) {
	e.gate.Serve(w, r, caller, &binding{Endpoint: e, path: path, preferred: XML})
}

// binding is an Endpoint as one exchange sees it.
type binding struct {
	*Endpoint
	path      []string
	preferred Format
}

// Serve meets exchange.Binding.
func (b *binding) Serve(x *exchange.Exchange) error {
	to, allow := b.router.find(x.R.Method, b.path)
	switch {
	case to == nil && allow == nil:
		return &exchange.Problem{Status: http.StatusNotFound, Text: "the service has no such operation or resource"}
	case to == nil && x.R.Method == http.MethodOptions:
		x.W.Header().Set("Allow", strings.Join(allow, ", "))
		x.Reply(http.StatusNoContent, "", nil)
		return nil
	case to == nil:
		return &exchange.Problem{Status: http.StatusMethodNotAllowed, Text: "the method is not allowed here", Header: http.Header{"Allow": {strings.Join(allow, ", ")}}}
	}
	x.Request = to.name
	if to.refused != "" {
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultUnsupported, Message: to.refused}
	}
	if err := x.SameOrigin(to.reads); err != nil {
		return err
	}
	if to.shape != nil && to.shape.Output == "json" {
		b.preferred = JSON
	}
	format, acceptable := negotiate(x.R.Header["Accept"], b.preferred)
	if !acceptable && to.answers() {
		return &exchange.Problem{Status: http.StatusNotAcceptable, Text: "only application/json and application/xml can be answered"}
	}
	work, err := b.work(x, to)
	if err != nil {
		return err
	}
	return x.Answer(format.ContentType(), func(w io.Writer, limit int64) exchange.Writer { return NewWriter(w, format, limit) }, work)
}

// Fault meets exchange.Binding.
func (b *binding) Fault(x *exchange.Exchange, f *dataservice.Fault, status int) {
	WriteFault(x.W, x.R, b.gate.Service(), f, status, b.preferred)
}
