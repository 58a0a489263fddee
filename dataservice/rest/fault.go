package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// WriteFault answers a request with a fault and a status, in the format that the
// request accepts, else in preferred. The service may be nil.
func WriteFault(w http.ResponseWriter, r *http.Request, s *dataservice.Service, f *dataservice.Fault, status int, preferred Format) {
	format, _ := negotiate(r.Header["Accept"], preferred)
	body := faultBody(s, f, format)
	exchange.RetryAfter(w.Header(), f.Kind)
	exchange.Secure(w.Header())
	w.Header().Set("Content-Type", format.ContentType())
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody to tell
}

func faultBody(s *dataservice.Service, f *dataservice.Fault, format Format) []byte {
	d := exchange.DetailOf(s, f)
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
			Fault exchange.Detail `json:"DataServiceFault"`
		} `json:"detail"`
	}
	o := outer{Code: d.Code, String: d.Nested}
	o.Detail.Fault = d
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string]outer{"Fault": o})
	return out.Bytes()
}
