package wsdl

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// tree is an element as a test reads it.
type tree struct {
	name  xml.Name
	attrs map[string]string
	space map[string]string // prefixes in force
	kids  []*tree
}

// read parses a document.
func read(t *testing.T, data []byte) *tree {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(data)))
	root := &tree{space: map[string]string{}}
	open := []*tree{root}
	for {
		token, err := d.Token()
		if err != nil {
			if len(open) != 1 || len(root.kids) != 1 {
				t.Fatalf("not a document: %v", err)
			}
			return root.kids[0]
		}
		switch e := token.(type) {
		case xml.StartElement:
			top := open[len(open)-1]
			n := &tree{name: e.Name, attrs: map[string]string{}, space: maps.Clone(top.space)}
			for _, a := range e.Attr {
				if a.Name.Space == "xmlns" {
					n.space[a.Name.Local] = a.Value
					continue
				}
				n.attrs[a.Name.Local] = a.Value
			}
			top.kids = append(top.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
}

// qname resolves an attribute that is a name with a prefix.
func (n *tree) qname(attr string) string {
	value, ok := n.attrs[attr]
	if !ok {
		return ""
	}
	prefix, local, found := strings.Cut(value, ":")
	if !found {
		return value
	}
	return "{" + n.space[prefix] + "}" + local
}

// all gives the elements of a local name at any depth.
func (n *tree) all(local string) (list []*tree) {
	for _, k := range n.kids {
		if k.name.Local == local {
			list = append(list, k)
		}
		list = append(list, k.all(local)...)
	}
	return list
}

// of gives the children of a local name.
func (n *tree) of(local string) (list []*tree) {
	for _, k := range n.kids {
		if k.name.Local == local {
			list = append(list, k)
		}
	}
	return list
}

// facts lists what a WSDL 1.1 says, each fact by a key, so that two documents
// that say the same in other words have the same facts.
func facts(root *tree) map[string]string {
	f := map[string]string{}
	space := "{" + root.attrs["targetNamespace"] + "}"
	elements := map[string]string{}
	for _, m := range root.of("message") {
		for _, p := range m.of("part") {
			elements[space+m.attrs["name"]] = p.attrs["name"] + " " + p.qname("element")
		}
	}
	for _, p := range root.of("portType") {
		for _, o := range p.of("operation") {
			key := "operation " + p.attrs["name"] + " " + o.attrs["name"]
			for _, m := range o.kids {
				if m.name.Local != "documentation" {
					f[key+" "+m.name.Local] = fmt.Sprint(m.qname("message"), " ", elements[m.qname("message")], " ", m.attrs["Action"], " ", m.attrs["name"])
				}
			}
		}
	}
	for _, b := range root.of("binding") {
		f["binding "+b.attrs["name"]] = b.qname("type") + " " + outline(b.kids[0])
		for _, o := range b.of("operation") {
			key := "binding " + b.attrs["name"] + " " + o.attrs["name"]
			for _, k := range o.kids {
				f[key+" "+k.name.Local+" "+k.attrs["name"]] = outline(k)
			}
		}
	}
	for _, s := range root.of("service") {
		for _, p := range s.of("port") {
			_, path, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(p.kids[0].attrs["location"], "http://"), "https://"), "/")
			f["port "+s.attrs["name"]+" "+p.attrs["name"]] = p.qname("binding") + " " + p.kids[0].name.Space + " /" + path
		}
	}
	for _, s := range root.of("types")[0].of("schema") {
		for _, k := range s.kids {
			if k.name.Local != "import" {
				f[k.name.Local+" {"+s.attrs["targetNamespace"]+"}"+k.attrs["name"]] = s.attrs["elementFormDefault"] + " " + shape(k)
			}
		}
	}
	return f
}

// outline tells an element with its attributes, in any order, and its children.
func outline(n *tree) string {
	var b strings.Builder
	b.WriteString(n.name.Space + " " + n.name.Local)
	for _, a := range slices.Sorted(maps.Keys(n.attrs)) {
		fmt.Fprintf(&b, " %s=%s", a, n.attrs[a])
	}
	for _, k := range n.kids {
		b.WriteString(" (" + outline(k) + ")")
	}
	return b.String()
}

// shape tells what an element or a type of a schema holds. An xs:all is told as a
// sequence, which is one of its orders; so is an any whatever it checks.
func shape(n *tree) string {
	local := n.name.Local
	if local == "all" {
		local = "sequence"
	}
	var b strings.Builder
	b.WriteString(local)
	for _, a := range slices.Sorted(maps.Keys(n.attrs)) {
		switch v := n.attrs[a]; {
		case a == "type" || a == "ref":
			b.WriteString(" " + a + "=" + n.qname(a))
		case (a == "minOccurs" || a == "maxOccurs") && v == "1", a == "processContents":
		default:
			b.WriteString(" " + a + "=" + v)
		}
	}
	for _, k := range n.kids {
		b.WriteString(" (" + shape(k) + ")")
	}
	return b.String()
}

// differences lists the facts that differ, by their keys.
func differences(ours, theirs map[string]string) []string {
	keys := map[string]bool{}
	for k := range ours {
		keys[k] = true
	}
	for k := range theirs {
		keys[k] = true
	}
	var list []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if ours[k] != theirs[k] {
			list = append(list, fmt.Sprintf("%s:\n  ours   %s\n  theirs %s", k, ours[k], theirs[k]))
		}
	}
	return list
}
