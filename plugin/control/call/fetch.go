package call

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/invoke/web"
	"github.com/seed42aab489/belfry/plugin/task"
)

// verbFetch is the verb of Fetch.
const verbFetch = "control.fetch-wsdl"

// ServeFetches installs a host's side of Fetch: it calls where the host may
// call, and hands out nothing but WSDL documents and XML schemas.
func ServeFetches(handler coordclient.Handler, calls *web.HTTP) {
	handler.Handle(verbFetch, func(ctx context.Context, address []byte) ([]byte, error) {
		if err := check.URL("wsdl", string(address)); err != nil {
			return nil, failure.Sent(failure.Of(err))
		}
		a, err := calls.Do(ctx, web.Request{Method: http.MethodGet, URL: string(address)})
		switch {
		case task.Refused(err):
			return nil, failure.Sent(&failure.Error{Code: failure.CodeInvalid, Message: err.Error(), Err: err})
		case err != nil:
			return nil, failure.Sent(&failure.Error{Code: failure.CodeUnavailable, Message: err.Error(), Err: err})
		case a.Status != http.StatusOK:
			return nil, failure.Sent(&failure.Error{Code: failure.CodeUnavailable, Message: fmt.Sprintf("it answered %d %s", a.Status, http.StatusText(a.Status))})
		case !a.Whole || len(a.Body) > MaxTryBody:
			return nil, failure.Sent(failure.Invalid("it has more than %d bytes", min(len(a.Body), MaxTryBody)))
		case !describes(a.Body):
			return nil, failure.Sent(failure.Invalid("what was answered is neither WSDL 1.1 nor an XML schema"))
		}
		return a.Body, nil
	})
}

// describes tells whether a document is one that may be handed out.
func describes(text []byte) bool {
	if web.WellFormed(text) != nil {
		return false
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		if start, ok := t.(xml.StartElement); ok {
			return start.Name == xml.Name{Space: "http://schemas.xmlsoap.org/wsdl/", Local: "definitions"} ||
				start.Name == xml.Name{Space: "http://www.w3.org/2001/XMLSchema", Local: "schema"}
		}
	}
}

// Fetch has a host read a WSDL document or a schema. Codes: invalid, unavailable,
// timeout.
func Fetch(ctx context.Context, s Sender, to coordclient.MemberID, address string) ([]byte, error) {
	answer, err := s.SendReceive(ctx, to, verbFetch, []byte(address))
	if err != nil {
		e := failure.Of(failure.Received(err))
		return nil, &failure.Error{Code: e.Code, Message: task.Shown(address) + ": " + e.Message, Hint: e.Hint, Err: err}
	}
	return answer, nil
}
