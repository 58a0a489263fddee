package exchange

import (
	"context"
	"encoding/xml"
	"errors"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/result"
)

// Status is what a kind of fault answers.
func Status(kind dataservice.FaultKind) int {
	switch kind {
	case dataservice.FaultInput:
		return http.StatusBadRequest
	case dataservice.FaultNotFound:
		return http.StatusNotFound
	case dataservice.FaultInactive, dataservice.FaultUnreachable:
		return http.StatusServiceUnavailable
	case dataservice.FaultUnsupported:
		return http.StatusNotImplemented
	case dataservice.FaultTimeout:
		return http.StatusGatewayTimeout
	case dataservice.FaultBusy:
		return http.StatusTooManyRequests
	case dataservice.FaultInProgress:
		return http.StatusConflict
	case dataservice.FaultExpired:
		return http.StatusGone
	case dataservice.FaultUnauthenticated:
		return http.StatusUnauthorized
	case dataservice.FaultForbidden:
		return http.StatusForbidden
	}
	return http.StatusInternalServerError
}

// codeOf is the ds_code of a request that never reached a query.
func codeOf(status int) dataservice.FaultCode {
	if status == http.StatusBadRequest {
		return dataservice.IncompatibleParameters
	}
	return dataservice.UnknownError
}

// kindOf tells whose mistake a refusal is.
func kindOf(status int) dataservice.FaultKind {
	switch {
	case status == http.StatusNotImplemented:
		return dataservice.FaultUnsupported
	case status < http.StatusInternalServerError:
		return dataservice.FaultInput
	}
	return dataservice.FaultInternal
}

// AsFault gives the fault in err, or makes one of it: a time-out, or an internal
// error of which the client learns nothing more.
func AsFault(err error) *dataservice.Fault {
	var f *dataservice.Fault
	var limit *result.LimitError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &limit):
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultLimit, Message: limit.Error(), Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultTimeout, Message: "the request took too long (limits.request_time)", Err: err}
	}
	return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultInternal, Message: "internal error", Err: err}
}

// retryAfter is how long a client that was refused for load should wait, in
// seconds.
const retryAfter = "1"

// RetryAfter says when a client that was refused for load should come again.
func RetryAfter(h http.Header, kind dataservice.FaultKind) {
	switch kind {
	case dataservice.FaultBusy, dataservice.FaultUnreachable, dataservice.FaultInactive:
		h.Set("Retry-After", retryAfter)
	}
}

// Secure sets what every answer says, so that a browser neither guesses types
// nor keeps or runs anything, unless the answer has a policy of its own.
func Secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	}
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
}

// Detail is a DataServiceFault in the order of the original's schema.
type Detail struct {
	XMLName xml.Name `xml:"http://ws.wso2.org/dataservice DataServiceFault" json:"-"`
	Params  string   `xml:"current_params" json:"current_params"`
	Request string   `xml:"current_request_name" json:"current_request_name"`
	Nested  string   `xml:"nested_exception" json:"nested_exception"`
	Source  struct {
		Location    string `xml:"location" json:"location"`
		Namespace   string `xml:"default_namespace" json:"default_namespace"`
		Description string `xml:"description" json:"description"`
		Name        string `xml:"data_service_name" json:"data_service_name"`
	} `xml:"source_data_service" json:"source_data_service"`
	Code string `xml:"ds_code" json:"ds_code"`
}

// DetailOf describes a fault of a service, which may be nil. It is safe to show
// to the client: values are cut, secrets masked.
func DetailOf(s *dataservice.Service, f *dataservice.Fault) Detail {
	d := Detail{Params: params(f.Params), Request: f.Request, Nested: f.Message, Code: string(f.Code)}
	d.Source.Name = f.Service
	if s != nil {
		d.Source.Name, d.Source.Namespace, d.Source.Description = s.Name, s.Namespace, s.Description
		d.Source.Location = path.Base(strings.ReplaceAll(s.File, `\`, "/")) // where it lies on the host is not the client's
	}
	return d
}

// secretNames are parts of parameter names whose values are not said back.
var secretNames = []string{"passw", "pwd", "secret", "token", "apikey", "api_key", "credential", "authorization"}

// params writes current_params as the original does, {name=value, …}, in the
// order of the names, values cut and secrets masked.
func params(of map[string]string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(of)) {
		if i > 0 {
			b.WriteString(", ")
		}
		value := Clip(strings.ToValidUTF8(of[name], string(utf8.RuneError)))
		if lower := strings.ToLower(name); slices.ContainsFunc(secretNames, func(s string) bool { return strings.Contains(lower, s) }) {
			value = "***"
		}
		b.WriteString(Clip(name) + "=" + value)
	}
	b.WriteByte('}')
	return b.String()
}

// Clip cuts what a client said to what is worth saying back.
func Clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
