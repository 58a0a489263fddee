package coordclient

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// configDecoder walks an XML file of a fixed schema and says where a fault is.
// Offsets are bytes into src.
type configDecoder struct {
	name string
	src  []byte
	xml  *xml.Decoder
	at   int // where the token last read begins
}

// element is a start tag.
type element struct {
	name string
	at   int
	raw  []xml.Attr
	tag  []byte // as it is written, to find its attributes in
}

// attr is an attribute with the white space around its value gone. One that is
// absent is the zero value.
type attr struct {
	value string
	at    int
}

func newConfigDecoder(name string, text []byte) (*configDecoder, error) {
	d := &configDecoder{name: name, src: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))}
	switch {
	case bytes.HasPrefix(text, []byte("\xfe\xff")), bytes.HasPrefix(text, []byte("\xff\xfe")):
		return nil, d.fault(0, "it is UTF-16: save it as UTF-8")
	case !utf8.Valid(d.src):
		return nil, d.fault(firstInvalid(d.src), "it is not valid UTF-8: save it as UTF-8")
	case len(bytes.TrimSpace(d.src)) == 0:
		return nil, d.fault(0, "the file is empty: remove it, or write <%s enabled=\"false\">", rootElement)
	}
	d.xml = xml.NewDecoder(bytes.NewReader(d.src))
	d.xml.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		// What is valid UTF-8 is read as such when it calls itself ASCII.
		if strings.EqualFold(charset, "us-ascii") || strings.EqualFold(charset, "ascii") {
			return r, nil
		}
		return nil, fmt.Errorf("encoding %s is not supported: save it as UTF-8", charset)
	}
	return d, nil
}

func firstInvalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

// fault makes the error for a place.
func (d *configDecoder) fault(at int, format string, args ...any) error {
	before := d.src[:min(at, len(d.src))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return &ConfigError{File: d.name, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// next gives the next token that counts: a start tag, an end tag or text that
// is not white space. After the root element it is nil at the end of the file;
// an end before that is a fault of its own.
func (d *configDecoder) next() (xml.Token, error) {
	for {
		d.at = int(d.xml.InputOffset())
		token, err := d.xml.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, d.syntax(err)
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, d.fault(d.at, "a document type declaration is not allowed")
		case xml.Comment, xml.ProcInst:
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return token.Copy(), nil
			}
		default:
			return token, nil
		}
	}
}

// syntax puts the place to a fault that the XML decoder found: where it had
// read to.
func (d *configDecoder) syntax(err error) error {
	var syntax *xml.SyntaxError
	message := strings.TrimPrefix(err.Error(), "xml: ")
	if errors.As(err, &syntax) {
		message = syntax.Msg
	}
	if message == "unexpected EOF" {
		message = "the file ends before its last element is closed"
	}
	if _, encoding, ok := strings.Cut(message, ": encoding "); ok {
		message = "encoding " + encoding
	}
	return d.fault(int(d.xml.InputOffset()), "%s", message)
}

// root gives the first element.
func (d *configDecoder) root(name string) (element, error) {
	token, err := d.next()
	if err != nil {
		return element{}, err
	}
	start, ok := token.(xml.StartElement)
	if !ok {
		return element{}, d.fault(d.textAt(), "the file must begin with <%s>", name)
	}
	e := d.element(start)
	if e.name != name {
		return element{}, d.fault(e.at, "the root element is <%s>, want <%s>", e.name, name)
	}
	return e, nil
}

// rest refuses what comes after the root element.
func (d *configDecoder) rest() error {
	token, err := d.next()
	if err == nil && token != nil {
		err = d.fault(d.textAt(), "nothing may follow </%s>", rootElement)
	}
	return err
}

// element gives a start tag with its name as it is written, prefix and all.
func (d *configDecoder) element(start xml.StartElement) element {
	tag := d.src[d.at:d.xml.InputOffset()]
	name := start.Name.Local
	if !bytes.HasPrefix(tag, []byte("<"+name)) {
		end := bytes.IndexAny(tag, " \t\r\n/>")
		name = string(tag[1:max(end, 1)])
	}
	return element{name: name, at: d.at, raw: start.Attr, tag: tag}
}

// textAt is where the text in the token last read begins, without the white
// space before it.
func (d *configDecoder) textAt() int {
	rest := d.src[d.at:]
	return d.at + len(rest) - len(bytes.TrimLeft(rest, " \t\r\n"))
}

// child is an element that may stand in another.
type child struct {
	name string
	once bool
}

func once(name string) child { return child{name, true} }
func many(name string) child { return child{name, false} }

// children gives each child of e to read, which reads it to its end, and
// refuses any other than those allowed, and text.
func (d *configDecoder) children(e element, read func(element) error, allowed ...child) error {
	seen := make(map[string]bool)
	for {
		token, err := d.next()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			kid := d.element(token)
			i := slices.IndexFunc(allowed, func(c child) bool { return c.name == kid.name })
			switch {
			case i < 0:
				return d.fault(kid.at, "unknown element <%s> in <%s>: %s", kid.name, e.name, wanted(allowed))
			case allowed[i].once && seen[kid.name]:
				return d.fault(kid.at, "a second <%s>", kid.name)
			}
			seen[kid.name] = true
			if err := read(kid); err != nil {
				return err
			}
		case xml.CharData:
			return d.fault(d.textAt(), "text in <%s>, where none belongs", e.name)
		}
	}
}

func wanted(allowed []child) string {
	if len(allowed) == 0 {
		return "it has no elements"
	}
	var names []string
	for _, c := range allowed {
		names = append(names, "<"+c.name+">")
	}
	return "want " + strings.Join(names, " or ")
}

// text reads an element that has only text, and tells where that is.
func (d *configDecoder) text(e element) (string, int, error) {
	var text strings.Builder
	at := int(d.xml.InputOffset())
	for {
		token, err := d.next()
		if err != nil {
			return "", 0, err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return strings.TrimSpace(text.String()), at, nil
		case xml.CharData:
			if text.Len() == 0 {
				at = d.textAt()
			}
			text.Write(token)
		case xml.StartElement:
			kid := d.element(token)
			return "", 0, d.fault(kid.at, "unknown element <%s> in <%s>: %s", kid.name, e.name, wanted(nil))
		}
	}
}

// attrs gives the attributes by name, and refuses any other than those allowed.
// Declarations of namespaces do not count.
func (e element) attrs(d *configDecoder, allowed ...string) (map[string]attr, error) {
	found := make(map[string]attr)
	for _, a := range e.raw {
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		name := a.Name.Local
		places := e.places(name)
		at := e.at
		if len(places) > 0 {
			at += places[0]
		}
		if a.Name.Space != "" || !slices.Contains(allowed, name) {
			want := "it has none"
			if len(allowed) > 0 {
				want = "want " + strings.Join(allowed, " or ")
			}
			return nil, d.fault(at, "unknown attribute %s of <%s>: %s", name, e.name, want)
		}
		if _, twice := found[name]; twice {
			return nil, d.fault(e.at+places[len(places)-1], "attribute %s of <%s> is there twice", name, e.name)
		}
		found[name] = attr{strings.TrimSpace(a.Value), at}
	}
	return found, nil
}

// places finds an attribute's name in the tag as it is written: outside the
// values of others, and after a prefix.
func (e element) places(name string) []int {
	var found []int
	quote := byte(0)
	for i, c := range e.tag {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case bytes.HasPrefix(e.tag[i:], []byte(name)) && i > 0 && strings.IndexByte(" \t\r\n:", e.tag[i-1]) >= 0:
			if rest := bytes.TrimLeft(e.tag[i+len(name):], " \t\r\n"); len(rest) > 0 && rest[0] == '=' {
				found = append(found, i)
			}
		}
	}
	return found
}
