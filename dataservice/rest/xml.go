package rest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"net/http"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// Namespaces of what does not belong here.
const (
	nsSOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12 = "http://www.w3.org/2003/05/soap-envelope"
)

// parseXML reads <name><param>value</param>…</name>. Decoded tells that the
// text is UTF-8 already, whatever its declaration says.
func parseXML(data []byte, decoded bool) (dataservice.Values, error) {
	p := &xmlParser{reader: strictxml.NewReader(data, decoded), values: make(dataservice.Values), nulls: make(map[string]bool)}
	if err := p.document(); err != nil {
		return nil, xmlProblem(err)
	}
	return p.values, nil
}

// xmlProblem gives what the client is told of an error of the reader.
func xmlProblem(err error) error {
	var fault *strictxml.Error
	switch {
	case errors.As(err, &fault):
		return badRequest("the XML body is malformed at %v", fault)
	case errors.Is(err, strictxml.ErrCharset):
		return &exchange.Problem{Status: http.StatusUnsupportedMediaType, Text: "the body's encoding must be UTF-8, US-ASCII or ISO-8859-1"}
	}
	return err
}

// xmlParser reads token by token; its depth is fixed by the grammar.
type xmlParser struct {
	reader *strictxml.Reader
	values dataservice.Values
	nulls  map[string]bool
	count  int
}

func (p *xmlParser) document() error {
	t, err := p.reader.Next()
	if err != nil {
		return err
	}
	root := t.(xml.StartElement) // nothing else can come first
	if root.Name.Space == nsSOAP11 || root.Name.Space == nsSOAP12 {
		return badRequest("a SOAP envelope belongs at the service itself, without the operation's name in the path")
	}
	if err := p.params(); err != nil {
		return err
	}
	_, err = p.reader.Next() // the end, or what follows it
	return err
}

// params reads the children of the root, to its end.
func (p *xmlParser) params() error {
	for {
		t, err := p.reader.Next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := p.param(t); err != nil {
				return err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return p.reader.Fault("text stands between the parameters")
			}
		}
	}
}

// param reads one parameter, to its end.
func (p *xmlParser) param(start xml.StartElement) error {
	if p.count++; p.count > exchange.MaxValues {
		return badRequest("more than %d values", exchange.MaxValues)
	}
	name := start.Name.Local
	var text []byte
	for {
		t, err := p.reader.Next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return badRequest("parameter %q must hold text, not elements", exchange.Clip(name))
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			return p.add(name, string(text), strictxml.IsNil(start))
		}
	}
}

// add keeps a value. A null is the only one of its name.
func (p *xmlParser) add(name, text string, null bool) error {
	list, again := p.values[name]
	if again && (null || p.nulls[name]) {
		return badRequest("parameter %q: an array holds no null", exchange.Clip(name))
	}
	if null {
		p.nulls[name] = true
		p.values[name] = []string{}
		return nil
	}
	p.values[name] = append(list, text)
	return nil
}
