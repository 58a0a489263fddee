package result

import (
	"errors"
	"io"
	"unicode/utf8"
)

// xsi is the namespace of nil.
const xsi = "http://www.w3.org/2001/XMLSchema-instance"

var (
	errNoElement = errors.New("no element is open")
	errTwoRoots  = errors.New("a second root element")
	errLate      = errors.New("an attribute after content")
)

// XML is a Sink that writes XML, without a declaration. Names are written as
// they are: they come from a descriptor, where ValidName was asked.
type XML struct {
	out
	stack []Name
	open  bool // the start tag of the innermost element still lacks its ">"
	ended bool // the root was closed
	// prefixes counts the namespaces that the open tag's attributes declared.
	prefixes int
}

// NewXML writes to w at most limit bytes; zero means that there is no limit. Call
// Flush after the last event.
func NewXML(w io.Writer, limit int64) *XML {
	return &XML{out: newOut(w, limit)}
}

// Open implements Sink.
func (x *XML) Open(name Name, _ bool) error {
	if err := x.start(name); err != nil {
		return err
	}
	x.stack = append(x.stack, name)
	x.open, x.prefixes = true, 0
	return x.check()
}

// start writes a start tag without its end.
func (x *XML) start(name Name) error {
	if len(x.stack) == 0 && x.ended {
		return errTwoRoots
	}
	space := ""
	if n := len(x.stack); n > 0 {
		space = x.stack[n-1].Space
	}
	x.finishTag()
	x.buf = append(x.buf, '<')
	x.buf = append(x.buf, name.Local...)
	if name.Space != space {
		x.buf = append(x.buf, ` xmlns="`...)
		x.buf = appendEscaped(x.buf, name.Space, true)
		x.buf = append(x.buf, '"')
	}
	return nil
}

func (x *XML) finishTag() {
	if x.open {
		x.buf = append(x.buf, '>')
		x.open = false
	}
}

// Attribute implements Sink.
func (x *XML) Attribute(name Name, v Value) error {
	switch {
	case len(x.stack) == 0:
		return errNoElement
	case !x.open:
		return errLate
	case !v.Valid:
		return nil
	}
	x.buf = append(x.buf, ' ')
	if name.Space != "" {
		p := []byte{'n', 's', byte('0' + x.prefixes%10)}
		for n := x.prefixes / 10; n > 0; n /= 10 {
			p = append(p, byte('0'+n%10))
		}
		x.prefixes++
		x.buf = append(x.buf, "xmlns:"...)
		x.buf = append(x.buf, p...)
		x.buf = append(x.buf, `="`...)
		x.buf = appendEscaped(x.buf, name.Space, true)
		x.buf = append(x.buf, `" `...)
		x.buf = append(x.buf, p...)
		x.buf = append(x.buf, ':')
	}
	x.buf = append(x.buf, name.Local...)
	x.buf = append(x.buf, `="`...)
	x.buf = appendEscaped(x.buf, v.Text, true)
	x.buf = append(x.buf, '"')
	return x.check()
}

// Leaf implements Sink.
func (x *XML) Leaf(name Name, v Value) error {
	if err := x.start(name); err != nil {
		return err
	}
	if !v.Valid {
		x.buf = append(x.buf, ` xmlns:xsi="`+xsi+`" xsi:nil="true"/>`...)
	} else {
		x.buf = append(x.buf, '>')
		x.buf = appendEscaped(x.buf, v.Text, false)
		x.endTag(name)
	}
	x.ended = len(x.stack) == 0
	return x.check()
}

// Close implements Sink.
func (x *XML) Close() error {
	n := len(x.stack) - 1
	if n < 0 {
		return errNoElement
	}
	name := x.stack[n]
	x.stack = x.stack[:n]
	if x.open {
		x.buf = append(x.buf, "/>"...)
		x.open = false
	} else {
		x.endTag(name)
	}
	x.ended = n == 0
	return x.check()
}

func (x *XML) endTag(name Name) {
	x.buf = append(x.buf, "</"...)
	x.buf = append(x.buf, name.Local...)
	x.buf = append(x.buf, '>')
}

// appendEscaped appends character data, or an attribute's value. The common case,
// text without anything to escape, is one copy.
func appendEscaped(dst []byte, s string, attr bool) []byte {
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '<' && c != '>' && c != '&' && c != '"' {
			i++
			continue
		}
		r, size := rune(c), 1
		if c >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		rep := escapeRune(r, size, attr)
		if rep != "" {
			dst = append(dst, s[last:i]...)
			dst = append(dst, rep...)
			last = i + size
		}
		i += size
	}
	return append(dst, s[last:]...)
}

// escapeRune gives what stands for a character; empty: itself.
func escapeRune(r rune, size int, attr bool) string {
	switch {
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '&':
		return "&amp;"
	case r == '"' && attr:
		return "&quot;"
	case r == '\r':
		return "&#xD;"
	case r == '\n' && attr:
		return "&#xA;"
	case r == '\t' && attr:
		return "&#x9;"
	case !validXML(r) || r == utf8.RuneError && size == 1:
		return "\uFFFD"
	}
	return ""
}

// validXML tells whether XML 1.0 can carry the character.
func validXML(r rune) bool {
	return r >= 0x20 && r <= 0xD7FF || r == '\t' || r == '\n' || r == '\r' ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// ValidName tells whether s can be the local name of an element or attribute
// (Namespaces in XML 1.0: NCName).
func ValidName(s string) bool {
	for i, r := range s {
		switch {
		case r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
		case i > 0 && (r == '-' || r == '.' || r == 0xB7 || r >= '0' && r <= '9' ||
			r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040):
		case r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7,
			r >= 0x370 && r <= 0x1FFF && r != 0x37E,
			r == 0x200C || r == 0x200D,
			r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF,
			r >= 0x3001 && r <= 0xD7FF, r >= 0xF900 && r <= 0xFDCF,
			r >= 0xFDF0 && r <= 0xFFFC, r >= 0x10000 && r <= 0xEFFFF:
		default:
			return false
		}
	}
	return s != ""
}
