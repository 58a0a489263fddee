package soap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// code is a fault code of SOAP itself.
type code int

// The codes. The zero value stands for one that follows from the fault.
const (
	byFault code = iota
	client
	versionMismatch
	mustUnderstand
)

// head tells whether a code concerns what stands before the body.
func (c code) head() bool { return c == versionMismatch || c == mustUnderstand }

// name is how a version calls a code.
func (v *version) name(c code, theirs bool) string {
	switch {
	case c == versionMismatch:
		return "VersionMismatch"
	case c == mustUnderstand:
		return "MustUnderstand"
	case v == soap11 && theirs:
		return "Client"
	case v == soap11:
		return "Server"
	case theirs:
		return "Sender"
	}
	return "Receiver"
}

// WriteFault answers a request that reached no endpoint with a fault, in the
// version that its Content-Type says. The service may be nil.
func WriteFault(w http.ResponseWriter, r *http.Request, s *dataservice.Service, f *dataservice.Fault) {
	v, _, _ := negotiate(r.Header)
	exchange.RetryAfter(w.Header(), f.Kind)
	status := exchange.Status(f.Kind) // HTTP's own: there is nothing of SOAP at that place
	_, body := v.fault(byFault, s, f, status)
	exchange.Secure(w.Header())
	w.Header().Set("Content-Type", v.contentType())
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: nobody to tell
}

// contentType is the media type of an answer.
func (v *version) contentType() string { return v.media + "; charset=utf-8" }

// status is what HTTP says with a fault that would have the given status
// elsewhere.
func (v *version) status(status int, theirs bool) int {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusTooManyRequests:
		return status
	}
	if v == soap12 && theirs {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// fault writes an envelope with a fault, and gives its status.
func (v *version) fault(c code, s *dataservice.Service, f *dataservice.Fault, status int) (int, []byte) {
	theirs := status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests && !c.head()
	d := exchange.DetailOf(s, f)
	var b bytes.Buffer
	b.WriteString(v.head())
	if v == soap11 {
		b.WriteString("<soapenv:Fault><faultcode")
		if c == byFault {
			fmt.Fprintf(&b, ` xmlns:ds="%s">ds:%s`, dataservice.DefaultNamespace, d.Code)
		} else {
			b.WriteString(">soapenv:" + v.name(c, theirs))
		}
		b.WriteString("</faultcode><faultstring>")
		escape(&b, explain(&d))
		b.WriteString("</faultstring>")
		v.detail(&b, c, "detail", &d)
	} else {
		b.WriteString("<soapenv:Fault><soapenv:Code><soapenv:Value>soapenv:" + v.name(c, theirs) + "</soapenv:Value>")
		if c == byFault {
			fmt.Fprintf(&b, `<soapenv:Subcode><soapenv:Value xmlns:ds="%s">ds:%s</soapenv:Value></soapenv:Subcode>`, dataservice.DefaultNamespace, d.Code)
		}
		b.WriteString(`</soapenv:Code><soapenv:Reason><soapenv:Text xml:lang="en">`)
		escape(&b, explain(&d))
		b.WriteString("</soapenv:Text></soapenv:Reason>")
		v.detail(&b, c, "soapenv:Detail", &d)
	}
	b.WriteString("</soapenv:Fault>")
	b.WriteString(tail)
	return v.status(status, theirs), b.Bytes()
}

// detail writes the DataServiceFault. What is wrong with a header or with the
// version has none: SOAP keeps it for what concerns the body.
func (v *version) detail(b *bytes.Buffer, c code, name string, d *exchange.Detail) {
	if c.head() {
		return
	}
	b.WriteString("<" + name + ">")
	// Marshalling strings fails only if the writer does, and this one does not.
	_ = xml.NewEncoder(b).Encode(d)
	b.WriteString("</" + name + ">")
}

// explain is the text of a fault, in the original's form (WSO2:
// DataServiceFault.getFullMessage), which its users search for.
func explain(d *exchange.Detail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "DS Fault Message: %s\nDS Code: %s\n", d.Nested, d.Code)
	if d.Source.Name != "" {
		fmt.Fprintf(&b, "Source Data Service:-\nName: %s\nLocation: %s\nDescription: %s\nDefault Namespace: %s\n",
			d.Source.Name, d.Source.Location, d.Source.Description, d.Source.Namespace)
	}
	if d.Request != "" {
		fmt.Fprintf(&b, "Current Request Name: %s\nCurrent Params: %s\n", d.Request, d.Params)
	}
	return b.String()
}

// escape writes text. Escaping fails only if the writer does, and this one does
// not.
func escape(b *bytes.Buffer, text string) {
	var quoted bytes.Buffer
	_ = xml.EscapeText(&quoted, []byte(text))
	b.Write(bytes.ReplaceAll(quoted.Bytes(), []byte("&#xA;"), []byte("\n")))
}
