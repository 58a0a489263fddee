package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// maxDepth bounds the elements of a payload or an answer that are within each
// other.
const maxDepth = 128

// element is a payload as encoding/xml writes it: the start tag as it was
// written, prefixes included, and all within it untouched.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Inner   []byte     `xml:",innerxml"`
}

// parsePayload reads the one element of a payload; nil if there is none.
func parsePayload(text string) (*element, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil //nolint:nilnil // an empty Body is legal
	}
	if err := WellFormed([]byte(text)); err != nil {
		return nil, err
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		t, err := d.RawToken()
		if err != nil {
			return nil, err
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		e := &element{XMLName: xml.Name{Local: written(start.Name)}}
		for _, a := range start.Attr {
			e.Attrs = append(e.Attrs, xml.Attr{Name: xml.Name{Local: written(a.Name)}, Value: a.Value})
		}
		inner := text[d.InputOffset():]
		if end := strings.LastIndex(inner, "</"); end >= 0 && !strings.HasSuffix(text[:d.InputOffset()], "/>") {
			e.Inner = []byte(inner[:end])
		}
		return e, nil
	}
}

func written(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// WellFormed tells whether a text is one element, without a document type and
// not too deep.
func WellFormed(text []byte) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	depth, roots := 0, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			if depth++; depth > maxDepth {
				return fmt.Errorf("more than %d elements deep", maxDepth)
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return errors.New("a document type declaration is not allowed")
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return errors.New("text outside the element")
			}
		}
	}
	if roots != 1 {
		return fmt.Errorf("%d elements, where one is wanted", roots)
	}
	return nil
}

// openEnvelope gives the first element in the Body of an envelope of either
// version, as a document of its own, and whether that is a Fault. Nil: the Body
// is empty.
func openEnvelope(text []byte) (content []byte, isFault bool, err error) {
	if err := WellFormed(text); err != nil {
		return nil, false, err
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	scope := map[string]string{}
	path := []string{"Envelope", "Body"}
	space := ""
	for {
		before := d.InputOffset()
		t, err := d.Token()
		if err != nil {
			return nil, false, fmt.Errorf("no %s", path[0])
		}
		start, ok := t.(xml.StartElement)
		if _, ended := t.(xml.EndElement); ended && len(path) == 0 {
			return nil, false, nil // an empty Body
		}
		if !ok {
			continue
		}
		if len(path) == 0 {
			if err := d.Skip(); err != nil {
				return nil, false, err
			}
			return standalone(text[before:d.InputOffset()], start, scope), start.Name == xml.Name{Space: space, Local: "Fault"}, nil
		}
		if space == "" && (start.Name.Space == space11 || start.Name.Space == space12) {
			space = start.Name.Space
		}
		if space == "" || start.Name != (xml.Name{Space: space, Local: path[0]}) {
			if len(path) == 2 {
				return nil, false, fmt.Errorf("the root element is %s, not an Envelope of SOAP 1.1 or 1.2", start.Name.Local)
			}
			if err := d.Skip(); err != nil { // a Header
				return nil, false, err
			}
			continue
		}
		path = path[1:]
		declared(scope, start)
	}
}

// declared adds the namespaces that a start tag declares to a scope, by the
// name of the attribute.
func declared(scope map[string]string, start xml.StartElement) {
	for _, a := range start.Attr {
		if a.Name.Space == "xmlns" {
			scope["xmlns:"+a.Name.Local] = a.Value
		} else if a.Name.Space == "" && a.Name.Local == "xmlns" {
			scope["xmlns"] = a.Value
		}
	}
}

// standalone adds to an element the declarations of its surroundings that it
// does not make itself.
func standalone(raw []byte, start xml.StartElement, scope map[string]string) []byte {
	own := map[string]string{}
	declared(own, start)
	var b bytes.Buffer
	name := bytes.IndexAny(raw, " \t\r\n/>")
	b.Write(raw[:name])
	for _, attr := range slices.Sorted(maps.Keys(scope)) {
		if _, ok := own[attr]; !ok {
			b.WriteString(" " + attr + `="`)
			_ = xml.EscapeText(&b, []byte(scope[attr])) // to a buffer
			b.WriteString(`"`)
		}
	}
	b.Write(raw[name:])
	return b.Bytes()
}
