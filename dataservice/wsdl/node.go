package wsdl

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// node is an element of a document that is written.
type node struct {
	name  string   // with its prefix
	attrs []string // names and values in turn
	text  string
	kids  []*node
}

func el(name string, attrs ...string) *node { return &node{name: name, attrs: attrs} }

// with sets an attribute unless its value is empty.
func (n *node) with(name, value string) *node {
	if value != "" {
		n.attrs = append(n.attrs, name, value)
	}
	return n
}

// add appends children and gives the node.
func (n *node) add(kids ...*node) *node {
	n.kids = append(n.kids, kids...)
	return n
}

// document writes the node as a document.
func (n *node) document() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	n.write(&b, 0)
	return b.Bytes()
}

func (n *node) write(b *bytes.Buffer, depth int) {
	indent := strings.Repeat("  ", depth)
	b.WriteString(indent + "<" + n.name)
	for i := 0; i < len(n.attrs); i += 2 {
		b.WriteString(" " + n.attrs[i] + `="`)
		escape(b, n.attrs[i+1])
		b.WriteByte('"')
	}
	switch {
	case n.text != "":
		b.WriteByte('>')
		escape(b, n.text)
		b.WriteString("</" + n.name + ">\n")
	case len(n.kids) == 0:
		b.WriteString("/>\n")
	default:
		b.WriteString(">\n")
		for _, k := range n.kids {
			k.write(b, depth+1)
		}
		b.WriteString(indent + "</" + n.name + ">\n")
	}
}

// escape writes text; it fails only if the writer does, and this one does not.
func escape(b *bytes.Buffer, text string) { _ = xml.EscapeText(b, []byte(text)) }
