package host

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/openapi"
	"github.com/seed42aab489/belfry/dataservice/page"
	"github.com/seed42aab489/belfry/dataservice/rest"
	"github.com/seed42aab489/belfry/dataservice/wsdl"
)

// documents tells whether a request asks what the service is, instead of asking
// something of it: a GET of the service itself with the name of a document for
// its query.
func (h *Host) documents(at *place, r *http.Request) bool {
	name, known := document(r)
	return known && len(at.rest) == 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) && !(name == "tryit" && h.opts.NoPages)
}

// document gives the name in a query, and whether it is that of a document.
func document(r *http.Request) (string, bool) {
	name, _, _ := strings.Cut(strings.ToLower(r.URL.RawQuery), "&")
	name = strings.TrimSuffix(name, "=")
	kind, _, _ := strings.Cut(name, "=")
	switch kind {
	case "wsdl", "wsdl2", "xsd", "openapi", "swagger.json", "tryit":
		return name, true
	}
	return "", false
}

// documentation is the exchange.Binding of a service's documents.
type documentation struct {
	at     *place
	public string // Options.PublicURL
}

// Serve meets exchange.Binding.
func (d documentation) Serve(x *exchange.Exchange) error {
	s := d.at.service
	base := addressOf(x.R, d.public, s)
	name, _ := document(x.R)
	x.Request = "?" + name
	switch kind, which, _ := strings.Cut(name, "="); kind {
	case "wsdl":
		x.Reply(http.StatusOK, "text/xml; charset=utf-8", wsdl.WSDL11(s, offered(base)))
	case "wsdl2":
		x.Reply(http.StatusOK, "text/xml; charset=utf-8", wsdl.WSDL20(s, offered(base)))
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
	case "tryit":
		text, err := page.Service(Prefix, s)
		if err != nil {
			return err
		}
		x.W.Header().Set("Content-Security-Policy", page.Policy)
		x.Reply(http.StatusOK, mediaHTML, text)
	default:
		text, err := openapi.Document(s, base)
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

// addressOf is where clients reach a service: what stands in a document leads them
// back by the way that the request came, unless there is a public one.
func addressOf(r *http.Request, public string, s *dataservice.Service) string {
	base := strings.TrimSuffix(public, "/")
	switch {
	case base != "":
	case r.TLS != nil:
		base = "https://" + r.Host
	default:
		base = "http://" + r.Host
	}
	return base + (&url.URL{Path: Prefix + s.Name}).EscapedPath()
}

// offered gives an address to those who ask for one by its scheme.
func offered(address string) wsdl.Address {
	if strings.HasPrefix(address, "https:") {
		return wsdl.Address{HTTPS: address}
	}
	return wsdl.Address{HTTP: address}
}

const mediaHTML = "text/html; charset=utf-8"

// list answers the path above all services: by the page that lists them, or by
// what it needs. False: that was not asked.
func (h *Host) list(w http.ResponseWriter, r *http.Request) bool {
	if h.opts.NoPages || r.URL.EscapedPath() != Prefix || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	began := time.Now()
	media := mediaHTML
	var body []byte
	switch r.URL.RawQuery {
	case page.StyleName:
		media, body = "text/css; charset=utf-8", page.Style
	case page.ScriptName:
		media, body = "text/javascript; charset=utf-8", page.Script
	default:
		var all []*dataservice.Service
		now := h.now.Load()
		for _, name := range slices.Sorted(maps.Keys(now.services)) {
			all = append(all, now.services[name].service)
		}
		var err error
		if body, err = page.Index(Prefix, all); err != nil {
			h.opts.Log.Error("the list of services was not made", "err", err)
			h.refuse(w, r, dataservice.FaultInternal, "internal error")
			return true
		}
	}
	w.Header().Set("Content-Security-Policy", page.Policy)
	exchange.Secure(w.Header())
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client is gone: nobody to tell
	if h.opts.HTTP.Observe != nil {
		h.opts.HTTP.Observe(exchange.Served{Status: http.StatusOK, Duration: time.Since(began), Bytes: int64(len(body))})
	}
	return true
}
