package host

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/openapi"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/wsdl"
)

// documents tells whether a request asks what the service is, instead of asking
// something of it: a GET of the service itself with the name of a document for
// its query.
func (at *place) documents(r *http.Request) bool {
	_, known := document(r)
	return known && len(at.rest) == 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

// document gives the name in a query, and whether it is that of a document.
func document(r *http.Request) (string, bool) {
	name, _, _ := strings.Cut(strings.ToLower(r.URL.RawQuery), "&")
	name = strings.TrimSuffix(name, "=")
	kind, _, _ := strings.Cut(name, "=")
	switch kind {
	case "wsdl", "wsdl2", "xsd", "openapi", "swagger.json":
		return name, true
	}
	return "", false
}

// documentation is the exchange.Binding of a service's documents.
type documentation struct{ at *place }

// Serve meets exchange.Binding.
func (d documentation) Serve(x *exchange.Exchange) error {
	s := d.at.service
	base := &address{x.R, s}
	name, _ := document(x.R)
	x.Request = "?" + name
	switch kind, which, _ := strings.Cut(name, "="); kind {
	case "wsdl":
		x.Reply(http.StatusOK, "text/xml; charset=utf-8", wsdl.WSDL11(s, base.wsdl()))
	case "wsdl2":
		x.Reply(http.StatusOK, "text/xml; charset=utf-8", wsdl.WSDL20(s, base.wsdl()))
	case "xsd":
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(which, "xsd"), ".xsd"))
		if which == "" {
			n, err = 0, nil
		}
		schema, ok := wsdl.Schema(s, n, func(n int) string { return fmt.Sprintf("%s?xsd=xsd%d", base, n) })
		if err != nil || !ok {
			return &exchange.Problem{Status: http.StatusNotFound, Text: "the service has no such schema"}
		}
		x.Reply(http.StatusOK, "text/xml; charset=utf-8", schema)
	default:
		text, err := openapi.Document(s, openapi.Options{URL: base.String()})
		if err != nil {
			return err
		}
		x.Reply(http.StatusOK, "application/json", text)
	}
	return nil
}

// Fault meets exchange.Binding.
func (d documentation) Fault(x *exchange.Exchange, f *dataservice.Fault, status int) {
	rest.WriteFault(x.W, x.R, d.at.service, f, status, rest.XML)
}

// address is where a request has found a service: what stands in a document leads
// the client back by the way that it came.
type address struct {
	r *http.Request
	s *dataservice.Service
}

// String gives the URL of the service.
func (a *address) String() string {
	scheme := "http"
	if a.r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + a.r.Host + Prefix + a.s.Name
}

func (a *address) wsdl() wsdl.Address {
	if a.r.TLS != nil {
		return wsdl.Address{HTTPS: a.String()}
	}
	return wsdl.Address{HTTP: a.String()}
}
