package cond

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ParseJSON reads a JSON value as a document, so that the languages of this
// package say of it what they say of XML: the root element is "json"; each
// member of an object is an element of its name, each item of an array such an
// element again (an array at the top, or within an array, has items named
// "item"); true, false, numbers and strings are text; null is an element with
// xsi:nil. Numbers keep their digits. The bounds are those of Parse.
func ParseJSON(data []byte) (*Document, error) {
	if len(data) > MaxDocument {
		return nil, fmt.Errorf("the document has %d bytes, at most %d are evaluated", len(data), MaxDocument)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	d := &Document{}
	d.root = &node{kind: rootNode}
	d.count = 1
	p := jsonParser{dec, d}
	err := p.value(d.root, "json", 1)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return d, nil
		}
		err = errors.New("more than one value")
	}
	return nil, fmt.Errorf("document at byte %d: %w", dec.InputOffset(), err)
}

type jsonParser struct {
	dec *json.Decoder
	doc *Document
}

func (p jsonParser) add(parent, n *node) (*node, error) {
	if p.doc.count >= MaxNodes {
		return nil, fmt.Errorf("more than %d nodes", MaxNodes)
	}
	n.parent, n.order = parent, p.doc.count
	p.doc.count++
	return n, nil
}

func (p jsonParser) element(parent *node, name string) (*node, error) {
	n, err := p.add(parent, &node{kind: elementNode, local: name})
	if err == nil {
		parent.children = append(parent.children, n)
	}
	return n, err
}

// value reads the next value into an element of the name; an array into one
// for each item, unless it is the root.
func (p jsonParser) value(parent *node, name string, depth int) error {
	t, err := p.dec.Token()
	if err != nil {
		return ended(err)
	}
	if t == json.Delim('[') && parent.kind != rootNode {
		return p.items(parent, name, depth)
	}
	n, err := p.element(parent, name)
	if err != nil {
		return err
	}
	return p.fill(n, t, depth)
}

// item names the elements of arrays that have no name of their own.
const item = "item"

// items reads an array, a name for each of its values, up to its end.
func (p jsonParser) items(parent *node, name string, depth int) error {
	for p.dec.More() {
		t, err := p.dec.Token()
		if err != nil {
			return ended(err)
		}
		n, err := p.element(parent, name)
		if err != nil {
			return err
		}
		if err := p.fill(n, t, depth); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return ended(err)
}

// fill gives an element what the value that begins with t holds.
func (p jsonParser) fill(n *node, t json.Token, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("more than %d values deep", MaxDepth)
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return p.items(n, item, depth+1)
		}
		return p.members(n, depth+1)
	case nil:
		a, err := p.add(n, &node{kind: attributeNode, local: "nil", prefix: "xsi", space: schemaInstance, text: "true"})
		if err == nil {
			n.attrs = append(n.attrs, a)
		}
		return err
	case string:
		return p.text(n, t)
	default:
		return p.text(n, fmt.Sprint(t)) // json.Number and bool
	}
}

func (p jsonParser) members(n *node, depth int) error {
	for p.dec.More() {
		key, err := p.dec.Token()
		if err != nil {
			return ended(err)
		}
		if err := p.value(n, fmt.Sprint(key), depth); err != nil {
			return err
		}
	}
	_, err := p.dec.Token()
	return ended(err)
}

func (p jsonParser) text(n *node, s string) error {
	if s == "" {
		return nil
	}
	c, err := p.add(n, &node{kind: textNode, text: s})
	if err == nil {
		n.children = append(n.children, c)
	}
	return err
}

// ended names an end that came too early.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
