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
	rest []string // segments below the service
	soap bool
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	if !h.Ready() {
		h.refuse(w, r, dataservice.FaultInactive, "the host is starting or stopping")
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
	d.endpoint.Serve(w, r, at.rest, nil) //nolint:contextcheck // the request carries it
}

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
	if kind, why := closed(s); why != "" {
		return kind, why
	}
	bare := len(at.rest) == 0 && !at.endpoint.Has(nil)
	if at.soap || bare && r.Method == http.MethodPost {
		return dataservice.FaultUnsupported, "SOAP is not supported yet: call an operation by its name, " + Prefix + s.Name + "/<operation>"
	}
	if bare && (strings.HasPrefix(r.URL.RawQuery, "wsdl") || strings.HasPrefix(r.URL.RawQuery, "xsd")) {
		return dataservice.FaultUnsupported, "WSDL is not supported yet"
	}
	return 0, ""
}

// refuse answers a request that reached no service's endpoint.
func (h *Host) refuse(w http.ResponseWriter, r *http.Request, kind dataservice.FaultKind, message string) {
	began := time.Now()
	rest.WriteFault(w, r, nil, &dataservice.Fault{Code: dataservice.UnknownError, Kind: kind, Message: message}, rest.XML)
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
			return place{d, parts[n:], false}
		}
		for _, ending := range plainEndings {
			if d, ok := s.services[strings.TrimSuffix(name, ending)]; ok {
				return place{d, parts[n:], false}
			}
		}
		for _, ending := range soapEndings {
			if d, ok := s.services[strings.TrimSuffix(name, ending)]; ok {
				return place{d, parts[n:], true}
			}
		}
	}
	return place{}
}
