package conf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// The bounds of an XML file.
const (
	maxXMLDepth = 64
	maxXMLAttrs = 128
)

// element is an XML element with its place.
type element struct {
	xml.Name
	attrs    []xml.Attr
	children []*element
	text     string
	at       Origin
	textAt   Origin // of the first character that is not blank
}

// xmlReader reads a tree, hardened: no document type, one root, declared
// prefixes, no attribute twice, everything bounded. It stops at the first fault.
type xmlReader struct {
	file   string
	data   []byte
	dec    *xml.Decoder
	stack  []*element
	spaces []string // namespaces declared anywhere so far
	root   *element
	problems
}

// readXML gives the root; on a fault the error lists it.
func readXML(file string, data []byte) (*element, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	r := &xmlReader{file: file, data: data, dec: xml.NewDecoder(bytes.NewReader(data))}
	switch {
	case len(data) > maxFile:
		r.addf(r.at(0), "the file is larger than %d bytes", maxFile)
	case !utf8.Valid(data):
		r.addf(r.at(0), "not UTF-8; save the file as UTF-8")
	default:
		r.read()
	}
	return r.root, r.err()
}

func (r *xmlReader) at(offset int) Origin {
	before := r.data[:min(offset, len(r.data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return Origin{Source: FromTasks, Where: r.file, Line: line, Column: column}
}

func (r *xmlReader) read() {
	for len(r.problems) == 0 {
		start := int(r.dec.InputOffset())
		token, err := r.dec.Token()
		var syntax *xml.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			if r.root == nil {
				r.addf(r.at(start), "there is no element in the file")
			}
			return
		case errors.As(err, &syntax):
			r.addf(r.at(int(r.dec.InputOffset())), "not well-formed XML: %s", syntax.Msg)
		case err != nil:
			r.addf(r.at(start), "not well-formed XML: %s", strings.TrimPrefix(err.Error(), "xml: "))
		default:
			r.token(token, start)
		}
	}
}

func (r *xmlReader) token(token xml.Token, start int) {
	switch token := token.(type) {
	case xml.Directive:
		r.addf(r.at(start), "a document type or other <! directive is not allowed")
	case xml.StartElement:
		r.open(token, start)
	case xml.EndElement:
		r.stack = r.stack[:len(r.stack)-1]
	case xml.CharData:
		blank := len(token) - len(bytes.TrimLeft(token, " \t\r\n"))
		if len(r.stack) == 0 {
			if blank < len(token) {
				r.addf(r.at(start+blank), "text outside the root element")
			}
			return
		}
		e := r.stack[len(r.stack)-1]
		if blank < len(token) && strings.TrimSpace(e.text) == "" {
			e.textAt = r.at(start + blank)
		}
		e.text += string(token)
	}
}

func (r *xmlReader) open(t xml.StartElement, start int) {
	e := &element{Name: t.Name, at: r.at(start)}
	e.textAt = e.at
	switch {
	case r.root != nil && len(r.stack) == 0:
		r.addf(e.at, "a second root element <%s>", e.Local)
		return
	case len(r.stack) == maxXMLDepth:
		r.addf(e.at, "elements are nested more than %d deep", maxXMLDepth)
		return
	case len(t.Attr) > maxXMLAttrs:
		r.addf(e.at, "<%s> has more than %d attributes", e.Local, maxXMLAttrs)
		return
	}
	seen := map[xml.Name]bool{}
	for _, a := range t.Attr {
		if seen[a.Name] {
			r.addf(e.at, "attribute %q of <%s> is given twice", a.Name.Local, e.Local)
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			r.spaces = append(r.spaces, a.Value)
			continue
		}
		e.attrs = append(e.attrs, a)
	}
	for _, name := range append([]xml.Name{e.Name}, names(e.attrs)...) {
		if !r.declared(name.Space) {
			r.addf(e.at, "prefix %q is not declared", name.Space)
		}
	}
	if len(r.stack) == 0 {
		r.root = e
	} else {
		parent := r.stack[len(r.stack)-1]
		parent.children = append(parent.children, e)
	}
	r.stack = append(r.stack, e)
}

func names(attrs []xml.Attr) []xml.Name {
	out := make([]xml.Name, len(attrs))
	for i, a := range attrs {
		out[i] = a.Name
	}
	return out
}

// declared tells whether the namespace was declared; the decoder leaves an
// undeclared prefix in its place.
func (r *xmlReader) declared(space string) bool {
	if space == "" || space == "http://www.w3.org/XML/1998/namespace" {
		return true
	}
	for _, s := range r.spaces {
		if s == space {
			return true
		}
	}
	return false
}
