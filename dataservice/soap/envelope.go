package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// version is one of SOAP.
type version struct {
	space string // of the envelope
	media string // without parameters
	// understand are the values of mustUnderstand that mean yes.
	understand []string
	// role is the attribute that says whom a header block is for, mine the roles
	// that this host plays.
	role string
	mine []string
}

var (
	soap11 = &version{
		space: "http://schemas.xmlsoap.org/soap/envelope/", media: "text/xml", understand: []string{"1"},
		role: "actor", mine: []string{"", "http://schemas.xmlsoap.org/soap/actor/next"},
	}
	soap12 = &version{
		space: "http://www.w3.org/2003/05/soap-envelope", media: "application/soap+xml", understand: []string{"1", "true"},
		role: "role", mine: []string{
			"", "http://www.w3.org/2003/05/soap-envelope/role/next", "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
		},
	}
)

// refusal says what is wrong with an envelope, in SOAP's own words. It is
// answered as an exchange.Problem.
type refusal struct {
	code code
	exchange.Problem
}

// Unwrap gives the problem that is answered.
func (r *refusal) Unwrap() error { return &r.Problem }

func refuse(c code, format string, args ...any) error {
	return &refusal{c, exchange.Problem{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...)}}
}

// envelope reads envelopes; see parse.
type envelope struct {
	*strictxml.Reader
	version *version
}

// parse reads an envelope of a version, and gives the element in its body; nil if
// that is empty. Decoded tells that the text is UTF-8 already.
func parse(data []byte, decoded bool, v *version) (*exchange.Element, error) {
	e := &envelope{Reader: strictxml.NewReader(data, decoded), version: v}
	body, err := e.document()
	var fault *strictxml.Error
	switch {
	case errors.As(err, &fault):
		return nil, refuse(client, "the envelope is malformed at %v", fault)
	case errors.Is(err, strictxml.ErrCharset):
		return nil, &exchange.Problem{Status: http.StatusUnsupportedMediaType, Text: err.Error()}
	}
	return body, err
}

func (e *envelope) document() (*exchange.Element, error) {
	t, err := e.Next()
	if err != nil {
		return nil, err
	}
	root := t.(xml.StartElement) // nothing else can come first
	switch {
	case root.Name.Local != "Envelope":
		return nil, refuse(client, "%q is not a SOAP envelope", exchange.Clip(root.Name.Local))
	case root.Name.Space != e.version.space:
		return nil, refuse(versionMismatch, "the envelope is not of the SOAP version that the Content-Type says: it must be in the namespace %s", e.version.space)
	}
	part, err := e.child()
	if err != nil {
		return nil, err
	}
	if part != nil && part.Name == e.name("Header") {
		if err := e.header(); err != nil {
			return nil, err
		}
		if part, err = e.child(); err != nil {
			return nil, err
		}
	}
	if part == nil || part.Name != e.name("Body") {
		return nil, e.Fault("a Body is wanted here")
	}
	body, err := e.body()
	if err != nil {
		return nil, err
	}
	switch more, err := e.child(); {
	case err != nil:
		return nil, err
	case more != nil:
		return nil, e.Fault("nothing may follow the Body")
	}
	_, err = e.Next() // the end, or what follows it
	return body, err
}

func (e *envelope) name(local string) xml.Name { return xml.Name{Space: e.version.space, Local: local} }

// child gives the next element within the one that is open; nil at its end.
func (e *envelope) child() (*xml.StartElement, error) {
	for {
		t, err := e.Next()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, e.Fault("text stands between elements")
			}
		}
	}
}

// header reads header blocks to the end of the Header: none is understood.
func (e *envelope) header() error {
	for {
		block, err := e.child()
		if err != nil || block == nil {
			return err
		}
		if e.version.mustUnderstand(*block) {
			return refuse(mustUnderstand, "the header %s is not understood", exchange.Clip(block.Name.Local))
		}
		for depth := 1; depth > 0; {
			t, err := e.Next()
			if err != nil {
				return err
			}
			switch t.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				depth--
			}
		}
	}
}

// mustUnderstand tells whether a header block is for this host and must be
// understood.
func (v *version) mustUnderstand(block xml.StartElement) bool {
	must, role := "", ""
	for _, a := range block.Attr {
		switch a.Name {
		case xml.Name{Space: v.space, Local: "mustUnderstand"}:
			must = a.Value
		case xml.Name{Space: v.space, Local: v.role}:
			role = a.Value
		}
	}
	return contains(v.understand, must) && contains(v.mine, role)
}

func contains(list []string, padded string) bool {
	for _, s := range list {
		if s == string(bytes.TrimSpace([]byte(padded))) {
			return true
		}
	}
	return false
}

// body reads the Body to its end.
func (e *envelope) body() (*exchange.Element, error) {
	start, err := e.child()
	if err != nil || start == nil {
		return nil, err
	}
	root, err := exchange.ReadElement(e.Reader, *start, strictxml.MaxDepth)
	if err != nil {
		return nil, err
	}
	switch more, err := e.child(); {
	case err != nil:
		return nil, err
	case more != nil:
		return nil, e.Fault("the Body holds more than one element")
	}
	return &root, nil
}

// values gives the parameters that an element holds. An absent one gives none.
func values(e *exchange.Element) (dataservice.Values, error) {
	switch {
	case e == nil:
		return make(dataservice.Values), nil
	case len(e.Children) == 0 && strings.TrimSpace(e.Text) != "":
		return nil, refuse(client, "%q must hold parameters, not text", exchange.Clip(e.Name))
	}
	return e.Values()
}
