// Package strictxml reads the XML that clients send, and refuses what such a
// message has no use for: document types and with them entities, processing
// instructions, deep nesting, many or repeated attributes, long names, undeclared
// prefixes, a second root, text outside the root, long texts, and encodings other than
// UTF-8, US-ASCII and ISO-8859-1.
package strictxml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The bounds of a document, beside that of its bytes.
const (
	// MaxDepth bounds how deep elements nest.
	MaxDepth = 64
	// MaxAttributes bounds the attributes of one element.
	MaxAttributes = 128
	// MaxName bounds the bytes of the name of an element or an attribute.
	MaxName = 1 << 10
	// MaxToken bounds the bytes of one text.
	MaxToken = 1 << 20
)

// Namespaces that mean something everywhere: of xsi:nil, and of the prefix xml.
const (
	Instance   = "http://www.w3.org/2001/XMLSchema-instance"
	Namespace  = "http://www.w3.org/XML/1998/namespace"
	xmlnsSpace = "http://www.w3.org/2000/xmlns/"
)

// ErrCharset is what a Reader ends with when it does not know the document's
// encoding.
var ErrCharset = errors.New("the XML's encoding must be UTF-8, US-ASCII or ISO-8859-1")

// Error says what is wrong with a document, and where. It is safe to be shown.
type Error struct {
	Line, Column int // from 1
	What         string
}

// Error gives the place and what is wrong there.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.What) }

// Reader reads one document, which is there in full, token by token.
type Reader struct {
	decoder *xml.Decoder
	scope   Scope
	begun   bool // something was read
	rooted  bool // an element was read
}

// NewReader makes a reader of a document. Decoded tells that the text is UTF-8
// already, whatever its declaration says.
func NewReader(data []byte, decoded bool) *Reader {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if decoded {
			return in, nil
		}
		raw, err := io.ReadAll(in) // bounded: data is there in full
		if err != nil {
			return nil, err
		}
		text, ok := Decode(strings.ToLower(label), raw)
		if !ok {
			return nil, ErrCharset
		}
		return bytes.NewReader(text), nil
	}
	return &Reader{decoder: d}
}

// Decode turns data of a charset, in lower case, into UTF-8; false: it is none
// that is known. Whether what claims to be UTF-8 is so, is for the reader of the
// format to say.
func Decode(charset string, data []byte) ([]byte, bool) {
	switch charset {
	case "", "utf-8", "utf8", "us-ascii":
		return data, true
	case "iso-8859-1", "latin1":
		out := make([]byte, 0, len(data)+len(data)/8)
		for _, b := range data {
			out = utf8.AppendRune(out, rune(b))
		}
		return out, true
	}
	return nil, false
}

// Fault makes an error of the place that the reader has come to.
func (r *Reader) Fault(what string) error {
	line, column := r.decoder.InputPos()
	return &Error{line, column, what}
}

// Next gives the next xml.StartElement, xml.EndElement or xml.CharData; nil at
// the end of a whole document. Text is good until the next call. Errors are an
// *Error or ErrCharset.
func (r *Reader) Next() (xml.Token, error) {
	for {
		t, err := r.decoder.Token()
		switch {
		case errors.Is(err, io.EOF):
			if !r.rooted {
				return nil, r.Fault("it holds no element")
			}
			return nil, nil
		case errors.Is(err, ErrCharset):
			return nil, ErrCharset
		case err != nil:
			return nil, r.Fault("it is not well-formed")
		}
		first := !r.begun
		r.begun = true
		switch t := t.(type) {
		case xml.Directive:
			return nil, r.Fault("a DTD is not allowed")
		case xml.ProcInst:
			if t.Target != "xml" || !first {
				return nil, r.Fault("a processing instruction is not allowed")
			}
		case xml.StartElement:
			return t, r.open(t)
		case xml.EndElement:
			r.scope.Close()
			return t, nil
		case xml.CharData:
			switch {
			case r.scope.Depth() > 0:
				return t, r.text(t)
			case len(bytes.TrimSpace(t)) > 0:
				return nil, r.Fault("text stands outside the element")
			}
		}
	}
}

func (r *Reader) text(t xml.CharData) error {
	switch {
	case len(t) > MaxToken:
		return r.Fault(fmt.Sprintf("a text is longer than %d bytes", MaxToken))
	case !utf8.Valid(t):
		return r.Fault("it is not UTF-8")
	}
	return nil
}

// open checks an element, its place and its attributes.
func (r *Reader) open(start xml.StartElement) error {
	if r.rooted && r.scope.Depth() == 0 {
		return r.Fault("it holds more than one element")
	}
	r.rooted = true
	if err := r.scope.Open(start); err != nil {
		return r.Fault(err.What)
	}
	return nil
}

// IsNil tells whether an element says that it is null (xsi:nil).
func IsNil(start xml.StartElement) bool {
	for _, a := range start.Attr {
		if a.Name.Space == Instance && a.Name.Local == "nil" {
			v := strings.TrimSpace(a.Value)
			return v == "true" || v == "1"
		}
	}
	return false
}
