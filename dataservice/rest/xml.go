package rest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
)

// Namespaces that mean something in a body.
const (
	nsInstance = "http://www.w3.org/2001/XMLSchema-instance"
	nsXML      = "http://www.w3.org/XML/1998/namespace"
	nsSOAP11   = "http://schemas.xmlsoap.org/soap/envelope/"
	nsSOAP12   = "http://www.w3.org/2003/05/soap-envelope"
)

// parseXML reads <name><param>value</param>…</name>. Decoded tells that the
// text is UTF-8 already, whatever its declaration says. It takes what such a
// body needs and refuses the rest of XML: DTDs, processing instructions, deeper
// nesting, undeclared prefixes, attributes said twice.
func parseXML(data []byte, decoded bool, e envelope) (dataservice.Values, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if decoded {
			return in, nil
		}
		raw, err := io.ReadAll(in) // bounded: data is there in full
		if err != nil {
			return nil, err
		}
		text, ok := decode(strings.ToLower(label), raw)
		if !ok {
			return nil, errCharset
		}
		return bytes.NewReader(text), nil
	}
	p := &xmlParser{decoder: d}
	if err := p.document(e); err != nil {
		return nil, err
	}
	return p.values, nil
}

var errCharset = errors.New("unknown charset")

// xmlParser reads token by token; its depth is fixed by the grammar.
type xmlParser struct {
	decoder *xml.Decoder
	values  dataservice.Values
	nulls   map[string]bool
	spaces  [][]string // declared by each open element
	count   int
}

func (p *xmlParser) fault(what string) error {
	line, column := p.decoder.InputPos()
	return badRequest("the XML body is malformed at %d:%d: %s", line, column, what)
}

// token gives the next token that may stand in a body; nil at its end.
func (p *xmlParser) token() (xml.Token, error) {
	for {
		t, err := p.decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, errCharset):
			return nil, &problem{status: 415, text: "the body's encoding must be UTF-8, US-ASCII or ISO-8859-1"}
		case err != nil:
			return nil, p.fault("it is not well-formed")
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, p.fault("a DTD is not allowed")
		case xml.ProcInst:
			if t.Target != "xml" {
				return nil, p.fault("a processing instruction is not allowed")
			}
		case xml.StartElement:
			return t, p.declare(t)
		case xml.EndElement:
			p.spaces = p.spaces[:len(p.spaces)-1]
			return t, nil
		case xml.CharData:
			if !utf8.Valid(t) {
				return nil, p.fault("it is not UTF-8")
			}
			return t, nil
		}
	}
}

// declare checks an element's attributes and that every prefix is declared: the
// decoder takes an undeclared prefix for a namespace.
func (p *xmlParser) declare(start xml.StartElement) error {
	if len(start.Attr) > MaxAttributes {
		return p.fault("too many attributes")
	}
	var declared []string
	seen := make(map[xml.Name]bool, len(start.Attr))
	for _, a := range start.Attr {
		if seen[a.Name] {
			return p.fault("an attribute is said twice")
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			declared = append(declared, a.Value)
		}
	}
	p.spaces = append(p.spaces, declared)
	if !p.known(start.Name.Space) {
		return p.fault("a prefix is not declared")
	}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && !p.known(a.Name.Space) {
			return p.fault("a prefix is not declared")
		}
	}
	return nil
}

func (p *xmlParser) known(space string) bool {
	return space == "" || space == nsXML || slices.ContainsFunc(p.spaces, func(d []string) bool { return slices.Contains(d, space) })
}

func (p *xmlParser) document(e envelope) error {
	p.values, p.nulls = make(dataservice.Values), make(map[string]bool)
	rooted := false
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			if !rooted {
				return p.fault("it holds no element")
			}
			return nil
		case xml.StartElement:
			if rooted {
				return p.fault("it holds more than one element")
			}
			rooted = true
			if t.Name.Space == nsSOAP11 || t.Name.Space == nsSOAP12 {
				return &problem{status: 501, text: "SOAP is not supported yet: send the operation's element alone"}
			}
			if err := e.check(t.Name.Local); err != nil {
				return err
			}
			if err := p.params(); err != nil {
				return err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return p.fault("text stands outside the element")
			}
		}
	}
}

// params reads the children of the root, to its end.
func (p *xmlParser) params() error {
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			return p.fault("it ends too early")
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := p.param(t); err != nil {
				return err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return p.fault("text stands between the parameters")
			}
		}
	}
}

// param reads one parameter, to its end.
func (p *xmlParser) param(start xml.StartElement) error {
	if p.count++; p.count > MaxValues {
		return badRequest("more than %d values", MaxValues)
	}
	name := start.Name.Local
	var text []byte
	for {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case nil:
			return p.fault("it ends too early")
		case xml.StartElement:
			return badRequest("parameter %q must hold text, not elements", exchange.Clip(name))
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			return p.add(name, string(text), isNil(start))
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

func isNil(start xml.StartElement) bool {
	for _, a := range start.Attr {
		if a.Name.Space == nsInstance && a.Name.Local == "nil" {
			v := strings.TrimSpace(a.Value)
			return v == "true" || v == "1"
		}
	}
	return false
}
