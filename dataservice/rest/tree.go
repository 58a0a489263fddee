package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// maxTree is how deep the body of a box goes: box, batch, request, parameter.
const maxTree = 4

// deep tells whether the children of an element hold elements.
func deep(e exchange.Element) bool { return len(e.Children) > 0 && len(e.Children[0].Children) > 0 }

// parseTree reads a body of XML or JSON. In JSON an element is a member, and a
// member that is an array is as many elements.
func parseTree(contentType string, data []byte) (exchange.Element, error) {
	b, err := openBody(contentType, data)
	if err != nil {
		return exchange.Element{}, err
	}
	switch b.kind {
	case "json":
		return jsonTree(b.text)
	case "xml":
		root, err := xmlTree(strictxml.NewReader(b.text, b.decoded))
		return root, xmlProblem(err)
	}
	return exchange.Element{}, &exchange.Problem{
		Status: http.StatusUnsupportedMediaType, Text: "many requests at once must come as application/json or application/xml",
		Header: http.Header{"Accept": {"application/json, application/xml, text/xml"}},
	}
}

// xmlTree reads a document.
func xmlTree(r *strictxml.Reader) (exchange.Element, error) {
	t, err := r.Next()
	if err != nil {
		return exchange.Element{}, err
	}
	root, err := exchange.ReadElement(r, t.(xml.StartElement), maxTree) // nothing else can come first
	if err != nil {
		return exchange.Element{}, err
	}
	_, err = r.Next() // the end, or what follows it
	return root, err
}

// jsonTree reads an object with one member, the envelope.
func jsonTree(data []byte) (exchange.Element, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return exchange.Element{}, badRequest("the JSON body is not UTF-8")
	}
	p := &jsonParser{decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	var list []exchange.Element
	t, err := p.token()
	if err == nil && t != json.Delim('{') {
		err = p.fault("it must be an object")
	}
	if err == nil {
		list, err = p.nodes(1)
	}
	if err != nil {
		return exchange.Element{}, err
	}
	if _, more := p.decoder.Token(); !errors.Is(more, io.EOF) {
		return exchange.Element{}, p.fault("something follows its end")
	}
	if len(list) != 1 {
		return exchange.Element{}, p.fault("it must be an object with one member, the name of what is called")
	}
	return list[0], nil
}

// nodes reads the rest of an object whose opening brace has been read.
func (p *jsonParser) nodes(depth int) ([]exchange.Element, error) {
	if depth > maxTree {
		return nil, p.fault("it is nested too deep")
	}
	var list []exchange.Element
	for p.decoder.More() {
		t, err := p.token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, p.fault("a name is missing")
		}
		if t, err = p.token(); err != nil {
			return nil, err
		}
		if t != json.Delim('[') {
			one, err := p.node(name, t, depth)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
			continue
		}
		for p.decoder.More() {
			if t, err = p.token(); err != nil {
				return nil, err
			}
			one, err := p.node(name, t, depth)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		if _, err = p.token(); err != nil {
			return nil, err
		}
	}
	_, err := p.token() // the closing brace
	return list, err
}

// node reads a value whose first token is t.
func (p *jsonParser) node(name string, t json.Token, depth int) (exchange.Element, error) {
	n := exchange.Element{Name: name}
	var err error
	if t == json.Delim('{') {
		if p.count++; p.count > exchange.MaxValues {
			return n, badRequest("more than %d values", exchange.MaxValues)
		}
		n.Children, err = p.nodes(depth + 1)
		return n, err
	}
	n.Text, n.Null, err = p.scalar(name, t)
	return n, err
}
