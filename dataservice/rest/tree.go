package rest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/exchange"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// maxTree is how deep the body of a box goes: box, batch, request, parameter.
const maxTree = 4

// node is an element of the body of a batch or a box. In JSON it is a member, and
// a member that is an array is as many nodes.
type node struct {
	name string
	text string
	null bool
	kids []node
}

// deep tells whether the node's children hold elements.
func (n node) deep() bool { return len(n.kids) > 0 && len(n.kids[0].kids) > 0 }

// values reads a node whose children are parameters.
func (n node) values() (dataservice.Values, error) {
	v := make(dataservice.Values, len(n.kids))
	for _, k := range n.kids {
		list, again := v[k.name]
		switch {
		case len(k.kids) > 0:
			return nil, badRequest("parameter %q must hold text, not elements", exchange.Clip(k.name))
		case again && (k.null || len(list) == 0):
			return nil, badRequest("parameter %q: an array holds no null", exchange.Clip(k.name))
		case k.null:
			v[k.name] = []string{}
		default:
			v[k.name] = append(list, k.text)
		}
	}
	return v, nil
}

// parseTree reads a body of XML or JSON.
func parseTree(contentType string, data []byte) (node, error) {
	b, err := openBody(contentType, data)
	if err != nil {
		return node{}, err
	}
	switch b.kind {
	case "json":
		return jsonTree(b.text)
	case "xml":
		root, err := xmlTree(strictxml.NewReader(b.text, b.decoded))
		return root, xmlProblem(err)
	}
	return node{}, &exchange.Problem{
		Status: http.StatusUnsupportedMediaType, Text: "many requests at once must come as application/json or application/xml",
		Header: http.Header{"Accept": {"application/json, application/xml, text/xml"}},
	}
}

// xmlTree reads a document.
func xmlTree(r *strictxml.Reader) (node, error) {
	t, err := r.Next()
	if err != nil {
		return node{}, err
	}
	count := 0
	root, err := xmlNode(r, t.(xml.StartElement), 1, &count) // nothing else can come first
	if err != nil {
		return node{}, err
	}
	_, err = r.Next() // the end, or what follows it
	return root, err
}

// xmlNode reads an element to its end.
func xmlNode(r *strictxml.Reader, start xml.StartElement, depth int, count *int) (node, error) {
	n := node{name: start.Name.Local, null: strictxml.IsNil(start)}
	if *count++; *count > exchange.MaxValues {
		return n, badRequest("more than %d values", exchange.MaxValues)
	}
	if depth > maxTree {
		return n, r.Fault("it is nested too deep")
	}
	var text []byte
	for {
		t, err := r.Next()
		if err != nil {
			return n, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			kid, err := xmlNode(r, t, depth+1, count)
			if err != nil {
				return n, err
			}
			n.kids = append(n.kids, kid)
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			if len(n.kids) > 0 && len(bytes.TrimSpace(text)) > 0 {
				return n, r.Fault("text stands between elements")
			}
			n.text = string(text)
			return n, nil
		}
	}
}

// jsonTree reads an object with one member, the envelope.
func jsonTree(data []byte) (node, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return node{}, badRequest("the JSON body is not UTF-8")
	}
	p := &jsonParser{decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	var list []node
	t, err := p.token()
	if err == nil && t != json.Delim('{') {
		err = p.fault("it must be an object")
	}
	if err == nil {
		list, err = p.nodes(1)
	}
	if err != nil {
		return node{}, err
	}
	if _, more := p.decoder.Token(); !errors.Is(more, io.EOF) {
		return node{}, p.fault("something follows its end")
	}
	if len(list) != 1 {
		return node{}, p.fault("it must be an object with one member, the name of what is called")
	}
	return list[0], nil
}

// nodes reads the rest of an object whose opening brace has been read.
func (p *jsonParser) nodes(depth int) ([]node, error) {
	if depth > maxTree {
		return nil, p.fault("it is nested too deep")
	}
	var list []node
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
func (p *jsonParser) node(name string, t json.Token, depth int) (node, error) {
	n := node{name: name}
	var err error
	if t == json.Delim('{') {
		if p.count++; p.count > exchange.MaxValues {
			return n, badRequest("more than %d values", exchange.MaxValues)
		}
		n.kids, err = p.nodes(depth + 1)
		return n, err
	}
	n.text, n.null, err = p.scalar(name, t)
	return n, err
}
