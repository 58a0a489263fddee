package cond

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a document. Parse refuses what exceeds them.
const (
	MaxDocument = 4 << 20 // bytes
	MaxNodes    = 200_000 // elements, attributes, texts, comments and instructions
	MaxDepth    = 128     // of elements
	maxAttrs    = 128     // of one element
)

type kind uint8

const (
	rootNode kind = iota
	elementNode
	attributeNode
	textNode
	commentNode
	instructionNode
)

// node is a node of XPath's data model. order is its place in the document.
type node struct {
	kind                 kind
	local, prefix, space string
	text                 string // of all but root and elements
	parent               *node
	children, attrs      []*node
	order                int
}

// Document is a parsed XML document. It is immutable and safe for concurrent
// use.
type Document struct {
	root  *node
	count int
}

// Parse reads an XML document in UTF-8: one root element, no document type
// declaration, within the bounds above. Adjoining text is one node; white space
// is kept.
func Parse(data []byte) (*Document, error) {
	if len(data) > MaxDocument {
		return nil, fmt.Errorf("the document has %d bytes, at most %d are evaluated", len(data), MaxDocument)
	}
	p := &docParser{dec: xml.NewDecoder(bytes.NewReader(data)), doc: &Document{}}
	p.cur = p.add(nil, &node{kind: rootNode})
	p.doc.root = p.cur
	p.scopes = []map[string]string{{"": "", "xml": "http://www.w3.org/XML/1998/namespace"}}
	for {
		t, err := p.dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.token(t)
		}
		if err != nil {
			line, column := p.dec.InputPos()
			return nil, fmt.Errorf("document %d:%d: %w", line, column, err)
		}
	}
	if p.cur.kind != rootNode {
		return nil, fmt.Errorf("document: element %s is not closed", p.cur.name())
	}
	if p.doc.element() == nil {
		return nil, errors.New("document: no root element")
	}
	return p.doc, nil
}

type docParser struct {
	dec    *xml.Decoder
	doc    *Document
	cur    *node
	depth  int
	scopes []map[string]string // prefixes to namespaces, one per open element
}

func (p *docParser) add(parent, n *node) *node {
	n.parent, n.order = parent, p.doc.count
	p.doc.count++
	return n
}

func (p *docParser) token(t xml.Token) error {
	if p.doc.count >= MaxNodes {
		return fmt.Errorf("more than %d nodes", MaxNodes)
	}
	switch t := t.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		if p.cur.kind == rootNode || t.Name.Local != p.cur.local || t.Name.Space != p.cur.prefix {
			return fmt.Errorf("unexpected end of element %s", t.Name.Local)
		}
		p.cur, p.depth, p.scopes = p.cur.parent, p.depth-1, p.scopes[:len(p.scopes)-1]
	case xml.CharData:
		return p.chars(string(t))
	case xml.Comment:
		p.child(&node{kind: commentNode, text: string(t)})
	case xml.ProcInst:
		if t.Target != "xml" {
			p.child(&node{kind: instructionNode, local: t.Target, text: string(t.Inst)})
		}
	case xml.Directive:
		return errors.New("a document type declaration is not allowed")
	}
	return nil
}

func (p *docParser) child(n *node) {
	p.cur.children = append(p.cur.children, p.add(p.cur, n))
}

func (p *docParser) chars(s string) error {
	if p.cur.kind == rootNode {
		if strings.TrimSpace(s) != "" {
			return errors.New("text outside the root element")
		}
		return nil
	}
	if n := len(p.cur.children); n > 0 && p.cur.children[n-1].kind == textNode {
		p.cur.children[n-1].text += s
	} else if s != "" {
		p.child(&node{kind: textNode, text: s})
	}
	return nil
}

func (p *docParser) start(t xml.StartElement) error {
	if p.cur.kind == rootNode && p.doc.element() != nil {
		return errors.New("more than one root element")
	}
	if p.depth++; p.depth > MaxDepth {
		return fmt.Errorf("more than %d elements deep", MaxDepth)
	}
	if len(t.Attr) > maxAttrs {
		return fmt.Errorf("more than %d attributes", maxAttrs)
	}
	scope := p.scopes[len(p.scopes)-1]
	if declares(t.Attr) {
		inner := make(map[string]string, len(scope)+1)
		for k, v := range scope {
			inner[k] = v
		}
		for _, a := range t.Attr {
			switch {
			case a.Name.Space == "xmlns":
				inner[a.Name.Local] = a.Value
			case a.Name.Space == "" && a.Name.Local == "xmlns":
				inner[""] = a.Value
			}
		}
		scope = inner
	}
	p.scopes = append(p.scopes, scope)
	space, ok := scope[t.Name.Space]
	if !ok {
		return fmt.Errorf("prefix %s is not declared", t.Name.Space)
	}
	n := &node{kind: elementNode, local: t.Name.Local, prefix: t.Name.Space, space: space}
	p.child(n)
	p.cur = n
	return p.attributes(n, t.Attr, scope)
}

func declares(attrs []xml.Attr) bool {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			return true
		}
	}
	return false
}

func (p *docParser) attributes(n *node, attrs []xml.Attr, scope map[string]string) error {
	for _, a := range attrs {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		space := ""
		if a.Name.Space != "" {
			var ok bool
			if space, ok = scope[a.Name.Space]; !ok {
				return fmt.Errorf("prefix %s is not declared", a.Name.Space)
			}
		}
		for _, have := range n.attrs {
			if have.local == a.Name.Local && have.space == space {
				return fmt.Errorf("attribute %s is there twice", a.Name.Local)
			}
		}
		n.attrs = append(n.attrs, p.add(n, &node{
			kind: attributeNode, local: a.Name.Local, prefix: a.Name.Space, space: space, text: a.Value,
		}))
	}
	return nil
}

// element is the root element, nil if there is none.
func (d *Document) element() *node {
	for _, n := range d.root.children {
		if n.kind == elementNode {
			return n
		}
	}
	return nil
}

// name is the node's name as written.
func (n *node) name() string {
	if n.prefix == "" {
		return n.local
	}
	return n.prefix + ":" + n.local
}

// value is XPath's string-value.
func (n *node) value() string {
	s, _ := n.read()
	return s
}

// read gives the string-value and how many nodes it took to put it together.
func (n *node) read() (s string, nodes int) {
	if n.kind != rootNode && n.kind != elementNode {
		return n.text, 1
	}
	if len(n.children) == 1 && n.children[0].kind == textNode {
		return n.children[0].text, 1
	}
	var b strings.Builder
	descendants(n, func(c *node) {
		nodes++
		if c.kind == textNode {
			b.WriteString(c.text)
		}
	})
	return b.String(), nodes
}

// leaf tells whether an element holds nothing but text.
func (n *node) leaf() bool {
	for _, c := range n.children {
		if c.kind == elementNode {
			return false
		}
	}
	return true
}
