package exchange

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/strictxml"
)

// Element is what stands in the body of a request: text or elements.
type Element struct {
	Name     string
	Text     string
	Null     bool
	Children []Element
}

// ReadElement reads an element, whose start has been read, to its end. It goes at
// most as deep as deepest, itself being 1, and holds at most MaxValues elements.
// Errors are a *Problem, a *strictxml.Error or strictxml.ErrCharset.
func ReadElement(r *strictxml.Reader, start xml.StartElement, deepest int) (Element, error) {
	count := 0
	return readElement(r, start, deepest, &count)
}

func readElement(r *strictxml.Reader, start xml.StartElement, deepest int, count *int) (Element, error) {
	e := Element{Name: start.Name.Local, Null: strictxml.IsNil(start)}
	if *count++; *count > MaxValues {
		return e, refused("more than %d values", MaxValues)
	}
	if deepest < 1 {
		return e, r.Fault("it is nested too deep")
	}
	var text []byte
	for {
		t, err := r.Next()
		if err != nil {
			return e, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			child, err := readElement(r, t, deepest-1, count)
			if err != nil {
				return e, err
			}
			e.Children = append(e.Children, child)
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			if len(e.Children) > 0 && len(bytes.TrimSpace(text)) > 0 {
				return e, r.Fault("text stands between elements")
			}
			e.Text = string(text)
			return e, nil
		}
	}
}

// Values reads an element whose children are parameters. The error is a *Problem.
func (e Element) Values() (dataservice.Values, error) {
	values := make(dataservice.Values, len(e.Children))
	for _, p := range e.Children {
		list, again := values[p.Name]
		switch {
		case len(p.Children) > 0:
			return nil, refused("parameter %q must hold text, not elements", Clip(p.Name))
		case again && (p.Null || len(list) == 0):
			return nil, refused("parameter %q: an array holds no null", Clip(p.Name))
		case p.Null:
			values[p.Name] = []string{}
		default:
			values[p.Name] = append(list, p.Text)
		}
	}
	return values, nil
}

func refused(format string, args ...any) *Problem {
	return &Problem{Status: http.StatusBadRequest, Text: fmt.Sprintf(format, args...)}
}
