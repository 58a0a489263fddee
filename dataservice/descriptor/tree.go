package descriptor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// MaxBytes bounds a descriptor. Ordinary ones stay far below it, and below the
// bounds of package strictxml, which hold as well.
const MaxBytes = 1 << 20

type attr struct {
	xml.Name
	value string
	pos   dataservice.Position
}

// node is an element as written.
type node struct {
	xml.Name
	pos      dataservice.Position
	attrs    []attr
	children []*node
	text     string // all character data, untrimmed
	data     []byte // the text, until the element is closed
	runs     []run  // where the text stands in the file
	last     place  // of the text, asked for last
}

// run is a stretch of character data: text[at:] begins at offset raw.
type run struct{ at, raw, end int }

// place is an offset in an element's text and the one in the file.
type place struct{ run, text, raw int }

// attr finds an attribute without namespace; nil if it is absent.
func (n *node) attr(name string) *attr { return n.attrNS("", name) }

func (n *node) attrNS(space, name string) *attr {
	for i := range n.attrs {
		if n.attrs[i].Space == space && n.attrs[i].Local == name {
			return &n.attrs[i]
		}
	}
	return nil
}

// get gives an attribute's value; empty if it is absent.
// own gives an attribute in Belfry's namespace; empty if it is absent.
func (n *node) own(name string) string {
	if a := n.attrNS(dataservice.BelfryNamespace, name); a != nil {
		return a.value
	}
	return ""
}

func (n *node) get(name string) string {
	if a := n.attr(name); a != nil {
		return a.value
	}
	return ""
}

// at gives the place of an attribute, or of the element if it is absent.
func (n *node) at(name string) dataservice.Position {
	if a := n.attr(name); a != nil {
		return a.pos
	}
	return n.pos
}

// all gives the children of a name without namespace.
func (n *node) all(name string) []*node {
	var list []*node
	for _, c := range n.children {
		if c.Space == "" && c.Local == name {
			list = append(list, c)
		}
	}
	return list
}

// equal tells whether two elements say the same, wherever they stand. The order
// of attributes does not matter.
func (n *node) equal(other *node) bool {
	if n.Name != other.Name || len(n.attrs) != len(other.attrs) || len(n.children) != len(other.children) ||
		strings.TrimSpace(n.text) != strings.TrimSpace(other.text) {
		return false
	}
	for _, a := range n.attrs {
		if b := other.attrNS(a.Space, a.Local); b == nil || b.value != a.value {
			return false
		}
	}
	for i, c := range n.children {
		if !c.equal(other.children[i]) {
			return false
		}
	}
	return true
}

// first gives the first child of a name without namespace; nil if there is none.
func (n *node) first(name string) *node { return n.firstNS("", name) }

func (n *node) firstNS(space, name string) *node {
	for _, c := range n.children {
		if c.Space == space && c.Local == name {
			return c
		}
	}
	return nil
}

// tree reads the elements of a file, hardened: one root, no document type, no
// undeclared prefix, no attribute twice, everything bounded. It stops at the
// first fault, since what follows it is guesswork.
type tree struct {
	doc   *document
	dec   *xml.Decoder
	stack []*node
	scope strictxml.Scope
	root  *node
}

// syntaxError is a fault of the XML itself.
type syntaxError struct {
	at  dataservice.Position
	msg string
}

func (e *syntaxError) Error() string { return e.at.String() + ": " + e.msg }

func parseTree(doc *document) (*node, error) {
	t := &tree{doc: doc, dec: xml.NewDecoder(bytes.NewReader(doc.data))}
	// The text is UTF-8 already, whatever its declaration says.
	t.dec.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		start := int(t.dec.InputOffset())
		token, err := t.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t.syntax(err, start)
		}
		if err := t.token(token, start, int(t.dec.InputOffset())); err != nil {
			return nil, err
		}
	}
	if t.root == nil {
		return nil, &syntaxError{doc.pos(len(doc.data)), "there is no element <data>"}
	}
	return t.root, nil
}

// syntax places what the decoder says: at the tag that closes another element,
// else at the last character that was read.
func (t *tree) syntax(err error, start int) error {
	message := strings.TrimPrefix(err.Error(), "xml: ")
	at := int(t.dec.InputOffset())
	var se *xml.SyntaxError
	if errors.As(err, &se) {
		message = se.Msg
	}
	switch {
	case message == "unexpected EOF" && len(t.stack) > 0:
		open := t.stack[len(t.stack)-1]
		message = fmt.Sprintf("the file ends inside <%s>, which begins at %s", open.Local, open.pos)
	case strings.HasPrefix(message, "element <"):
		at = start
	case at < len(t.doc.data) && at > start:
		at--
	}
	return t.failf(at, "not well-formed XML: %s", message)
}

func (t *tree) token(token xml.Token, start, end int) error {
	switch token := token.(type) {
	case xml.Directive:
		return t.failf(start, "a document type or other <! directive is not allowed")
	case xml.ProcInst:
		if token.Target == "xml" && start > 0 {
			return t.failf(start, "an XML declaration that is not at the very start")
		}
	case xml.StartElement:
		return t.open(token, start, end)
	case xml.EndElement:
		t.close()
	case xml.CharData:
		return t.chars(token, start, end)
	}
	return nil
}

func (t *tree) open(e xml.StartElement, start, end int) error {
	if t.root != nil && len(t.stack) == 0 {
		return t.failf(start, "a second root element <%s>", e.Name.Local)
	}
	places := attributeOffsets(t.doc.data[start:end])
	at := func(attr int) int {
		if attr >= 0 && attr < len(places) {
			return start + places[attr]
		}
		return start
	}
	if err := t.scope.Open(e); err != nil {
		return t.failf(at(err.Attr), "%s", err.What)
	}
	n := &node{Name: e.Name, pos: t.doc.pos(start)}
	for i, a := range e.Attr {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		n.attrs = append(n.attrs, attr{a.Name, a.Value, t.doc.pos(at(i))})
	}
	if len(t.stack) == 0 {
		t.root = n
	} else {
		parent := t.stack[len(t.stack)-1]
		parent.children = append(parent.children, n)
	}
	t.stack = append(t.stack, n)
	return nil
}

func (t *tree) close() {
	last := len(t.stack) - 1
	n := t.stack[last]
	n.text, n.data = string(n.data), nil
	t.stack = t.stack[:last]
	t.scope.Close()
}

func (t *tree) chars(text xml.CharData, start, end int) error {
	if len(t.stack) == 0 {
		if blank := len(text) - len(bytes.TrimLeft(text, " \t\r\n")); blank < len(text) {
			return t.failf(start+blank, "text outside the root element")
		}
		return nil
	}
	n := t.stack[len(t.stack)-1]
	n.runs = append(n.runs, run{at: len(n.data), raw: start, end: end})
	n.data = append(n.data, text...)
	return nil
}

func (t *tree) failf(offset int, format string, args ...any) error {
	return &syntaxError{t.doc.pos(offset), fmt.Sprintf(format, args...)}
}

// attributeOffsets finds where the attributes of a well-formed start tag begin.
func attributeOffsets(tag []byte) []int {
	const space = " \t\r\n"
	var places []int
	i := bytes.IndexAny(tag, space+"/>")
	for i >= 0 && i < len(tag) {
		for i < len(tag) && strings.IndexByte(space, tag[i]) >= 0 {
			i++
		}
		if i >= len(tag) || tag[i] == '/' || tag[i] == '>' {
			break
		}
		places = append(places, i)
		quote := bytes.IndexAny(tag[i:], `"'`)
		if quote < 0 {
			break
		}
		i += quote
		end := bytes.IndexByte(tag[i+1:], tag[i])
		if end < 0 {
			break
		}
		i += end + 2
	}
	return places
}

// textPos gives the place in the file of an offset in the element's text.
func (n *node) textPos(doc *document, offset int) dataservice.Position {
	i := sort.Search(len(n.runs), func(i int) bool { return n.runs[i].at > offset }) - 1
	if i < 0 {
		return n.pos
	}
	// Places are mostly asked for in order, and texts may be long.
	from := place{run: i, text: n.runs[i].at, raw: n.runs[i].raw}
	if n.last.run == i && n.last.raw > from.raw && n.last.text <= offset {
		from = n.last
	}
	from.raw = rawOffset(doc.data, n.runs[i], from.raw, offset-from.text)
	from.text = offset
	n.last = from
	return doc.pos(from.raw)
}

// textStart gives the place of the first character that is not blank.
func (n *node) textStart(doc *document) dataservice.Position {
	return n.textPos(doc, len(n.text)-len(strings.TrimLeft(n.text, " \t\r\n")))
}

// rawOffset walks a run from i, where references and line ends are longer in the
// file than in the text, until it has passed so many bytes of text.
func rawOffset(data []byte, r run, i, bytesOfText int) int {
	const cdata = "<![CDATA["
	inCDATA := bytes.HasPrefix(data[r.raw:r.end], []byte(cdata))
	if inCDATA && i == r.raw {
		i += len(cdata)
	}
	for bytesOfText > 0 && i < r.end {
		switch {
		case data[i] == '&' && !inCDATA:
			semicolon := bytes.IndexByte(data[i:r.end], ';')
			if semicolon < 0 {
				return i
			}
			bytesOfText -= referenceLen(string(data[i+1 : i+semicolon]))
			i += semicolon + 1
			continue
		case data[i] == '\r' && i+1 < r.end && data[i+1] == '\n':
			i++
		}
		i++
		bytesOfText--
	}
	return i
}

// referenceLen is how many bytes of text a character reference stands for.
func referenceLen(name string) int {
	var c rune
	if _, err := fmt.Sscanf(strings.ToLower(name), "#x%x", &c); err == nil {
		return max(utf8.RuneLen(c), 1)
	}
	if _, err := fmt.Sscanf(name, "#%d", &c); err == nil {
		return max(utf8.RuneLen(c), 1)
	}
	return 1 // lt, gt, amp, quot, apos
}
