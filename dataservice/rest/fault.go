package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
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
	}
	return http.StatusInternalServerError
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
		return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultTimeout, Message: "the request took too long", Err: err}
	}
	return &dataservice.Fault{Code: dataservice.UnknownError, Kind: dataservice.FaultInternal, Message: "internal error", Err: err}
}

// WriteFault answers a request with a fault and its status, in the format that
// the request accepts, else in preferred. The service may be nil.
func WriteFault(w http.ResponseWriter, r *http.Request, s *dataservice.Service, f *dataservice.Fault, preferred Format) {
	switch f.Kind {
	case dataservice.FaultBusy, dataservice.FaultUnreachable, dataservice.FaultInactive:
		w.Header().Set("Retry-After", retryAfter)
	}
	writeFault(w, r, s, f, Status(f.Kind), preferred)
}

// retryAfter is how long a client that was refused for load should wait, in
// seconds.
const retryAfter = "1"

func writeFault(w http.ResponseWriter, r *http.Request, s *dataservice.Service, f *dataservice.Fault, status int, preferred Format) {
	format, _ := negotiate(r.Header["Accept"], preferred)
	body := faultBody(s, f, format)
	secure(w.Header())
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody to tell
}

// secure sets what every answer says, so that a browser neither guesses types
// nor keeps or runs anything.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
}

// detail is a DataServiceFault in the order of the original's schema.
type detail struct {
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

func faultBody(s *dataservice.Service, f *dataservice.Fault, format Format) []byte {
	d := detail{Params: params(f.Params), Request: f.Request, Nested: f.Message, Code: string(f.Code)}
	d.Source.Name = f.Service
	if s != nil {
		d.Source.Name, d.Source.Namespace, d.Source.Description = s.Name, s.Namespace, s.Description
		d.Source.Location = path.Base(strings.ReplaceAll(s.File, `\`, "/")) // where it lies on the host is not the client's
	}
	var out bytes.Buffer
	if format == XML {
		out.WriteString(xml.Header)
		// Marshalling strings fails only if the writer does, and this one does not.
		_ = xml.NewEncoder(&out).Encode(d)
		return out.Bytes()
	}
	type outer struct {
		Code   string `json:"faultcode"`
		String string `json:"faultstring"`
		Detail struct {
			Fault detail `json:"DataServiceFault"`
		} `json:"detail"`
	}
	o := outer{Code: d.Code, String: d.Nested}
	o.Detail.Fault = d
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]outer{"Fault": o})
	return out.Bytes()
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
		value := clip(strings.ToValidUTF8(of[name], string(utf8.RuneError)))
		if lower := strings.ToLower(name); slices.ContainsFunc(secretNames, func(s string) bool { return strings.Contains(lower, s) }) {
			value = "***"
		}
		b.WriteString(clip(name) + "=" + value)
	}
	b.WriteByte('}')
	return b.String()
}
