package host

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/soap"
)

// Prefix is the path below which services are served.
const Prefix = "/services/"

// The endings of a service's name that the original's endpoints have.
var (
	plainEndings = []string{".HTTPEndpoint", ".SecureHTTPEndpoint"}
	soapEndings  = []string{".SOAP11Endpoint", ".SOAP12Endpoint", ".SecureSOAP11Endpoint", ".SecureSOAP12Endpoint"}
)

// Handler serves the deployed services below Prefix, whatever is deployed at the
// time of a request.
func (h *Host) Handler() http.Handler { return http.HandlerFunc(h.serve) }

// place is where a path leads.
type place struct {
	*deployment
	rest        []string // segments below the service
	soap, plain bool     // the path says so
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	if !h.Ready() {
		h.refuse(w, r, dataservice.FaultInactive, "the host is starting or stopping")
		return
	}
	if h.list(w, r) {
		return
	}
	parts, ok := split(r.URL.EscapedPath())
	if !ok {
		h.refuse(w, r, dataservice.FaultInput, "the path is malformed")
		return
	}
	var at place
	d := h.enter(func(s *set) *deployment {
		at = s.find(parts)
		return at.deployment
	})
	if d == nil {
		h.refuse(w, r, dataservice.FaultNotFound, "there is no such service")
		return
	}
	defer d.leave()
	if kind, why := h.closed(at, r); why != "" {
		h.refuse(w, r, kind, why)
		return
	}
	h.answer(&at, w, r) //nolint:contextcheck // the request carries it
}

// answer hands a request to what it speaks.
func (h *Host) answer(at *place, w http.ResponseWriter, r *http.Request) {
	switch {
	case h.documents(at, r):
		at.gate.Serve(w, r, nil, documentation{at, h.opts.PublicURL})
	case at.speaksSOAP(r):
		at.deployment.soap.Serve(w, r, strings.Join(at.rest, "/"), nil)
	default:
		at.endpoint.Serve(w, r, at.rest, nil)
	}
}

// speaksSOAP tells whether a request is SOAP's: by the endpoint, by what it says
// itself, or because nothing else is POSTed to a service itself.
func (at *place) speaksSOAP(r *http.Request) bool {
	return at.soap || !at.plain && soap.Speaks(r) || r.Method == http.MethodPost && at.bare()
}

// bare tells whether a path leads to the service itself.
func (at *place) bare() bool { return len(at.rest) == 0 && !at.endpoint.Has(nil) }

// closed tells why a request cannot go on to its service; empty: it can.
func (h *Host) closed(at place, r *http.Request) (dataservice.FaultKind, string) {
	s := at.service
	transport := "http"
	if r.TLS != nil {
		transport = "https"
	}
	if len(s.Transports) > 0 && !slices.Contains(s.Transports, transport) {
		return dataservice.FaultNotFound, "service " + s.Name + " is not offered over " + transport
	}
	return closed(s)
}

// refuse answers a request that reached no service's endpoint.
func (h *Host) refuse(w http.ResponseWriter, r *http.Request, kind dataservice.FaultKind, message string) {
	began := time.Now()
	fault := &dataservice.Fault{Code: dataservice.UnknownError, Kind: kind, Message: message}
	if soap.Speaks(r) {
		soap.WriteFault(w, r, nil, fault)
	} else {
		rest.WriteFault(w, r, nil, fault, exchange.Status(kind), rest.XML)
	}
	if h.opts.HTTP.Observe != nil {
		h.opts.HTTP.Observe(exchange.Served{Status: exchange.Status(kind), Duration: time.Since(began)})
	}
}

// split gives the segments of a path below Prefix, unescaped, so that an escaped
// slash stays within one. A slash at the end says nothing.
func split(escaped string) ([]string, bool) {
	below, ok := strings.CutPrefix(escaped, Prefix)
	if !ok {
		return nil, true
	}
	parts := strings.Split(strings.TrimSuffix(below, "/"), "/")
	for i, p := range parts {
		if !strings.Contains(p, "%") {
			continue
		}
		var err error
		if parts[i], err = url.PathUnescape(p); err != nil {
			return nil, false
		}
	}
	return parts, true
}

// find gives the service that a path means: the one of the longest name.
func (s *set) find(parts []string) place {
	for n := min(s.depth, len(parts)); n > 0; n-- {
		name := strings.Join(parts[:n], "/")
		if d, ok := s.services[name]; ok {
			return place{d, parts[n:], false, false}
		}
		for _, ending := range plainEndings {
			if d, ok := s.services[strings.TrimSuffix(name, ending)]; ok {
				return place{d, parts[n:], false, true}
			}
		}
		for _, ending := range soapEndings {
			if d, ok := s.services[strings.TrimSuffix(name, ending)]; ok {
				return place{d, parts[n:], true, false}
			}
		}
	}
	return place{}
}
