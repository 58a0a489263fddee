package result

import (
	"io"
	"unicode/utf8"
)

// JSON is a Sink that writes JSON; the package comment says which.
type JSON struct {
	out
	stack []level
	ended bool
}

// level is an open object.
type level struct {
	any  bool   // a member was written
	list string // name of the array that is open within; valid if in
	in   bool
	item bool // the array has an element
	// awaited names the array that the next element of that name begins.
	awaited string
}

// NewJSON writes to w at most limit bytes; zero means that there is no limit. Call
// Flush after the last event.
func NewJSON(w io.Writer, limit int64) *JSON {
	return &JSON{out: newOut(w, limit)}
}

// Open implements Sink.
func (j *JSON) Open(name Name, repeated bool) error {
	if err := j.place(name.Local, repeated); err != nil {
		return err
	}
	j.buf = append(j.buf, '{')
	j.stack = append(j.stack, level{})
	return j.check()
}

// List implements Lister.
func (j *JSON) List(name Name) error {
	l := j.top()
	if l == nil {
		return errNoElement
	}
	l.awaited = name.Local
	return nil
}

// Attribute implements Sink.
func (j *JSON) Attribute(name Name, v Value) error {
	l := j.top()
	if l == nil {
		return errNoElement
	}
	if !v.Valid {
		return nil
	}
	j.key(l, "@", name.Local)
	j.value(v)
	return j.check()
}

// Leaf implements Sink.
func (j *JSON) Leaf(name Name, v Value) error {
	if err := j.place(name.Local, false); err != nil {
		return err
	}
	j.value(v)
	if len(j.stack) == 0 {
		j.buf = append(j.buf, '}')
		j.ended = true
	}
	return j.check()
}

// Close implements Sink.
func (j *JSON) Close() error {
	l := j.top()
	if l == nil {
		return errNoElement
	}
	j.closeList(l)
	j.buf = append(j.buf, '}')
	j.stack = j.stack[:len(j.stack)-1]
	if len(j.stack) == 0 {
		j.buf = append(j.buf, '}')
		j.ended = true
	}
	return j.check()
}

func (j *JSON) top() *level {
	if len(j.stack) == 0 {
		return nil
	}
	return &j.stack[len(j.stack)-1]
}

// place writes what stands before a value: a comma, a key, the start of an array.
func (j *JSON) place(name string, repeated bool) error {
	l := j.top()
	switch {
	case l == nil && j.ended:
		return errTwoRoots
	case l == nil:
		j.buf = append(j.buf, '{')
		j.buf = appendString(j.buf, name)
		j.buf = append(j.buf, ':')
		return nil
	case l.in && l.list == name:
	case repeated || l.awaited == name:
		j.openList(l, name)
	default:
		l.awaited = ""
		j.key(l, "", name)
		return nil
	}
	if l.item {
		j.buf = append(j.buf, ',')
	}
	l.item = true
	return nil
}

func (j *JSON) openList(l *level, name string) {
	j.key(l, "", name)
	j.buf = append(j.buf, '[')
	l.in, l.list, l.item = true, name, false
}

func (j *JSON) closeList(l *level) {
	if l.in {
		j.buf = append(j.buf, ']')
		l.in = false
	}
}

func (j *JSON) key(l *level, prefix, name string) {
	j.closeList(l)
	if l.any {
		j.buf = append(j.buf, ',')
	}
	l.any = true
	if prefix != "" {
		name = prefix + name
	}
	j.buf = appendString(j.buf, name)
	j.buf = append(j.buf, ':')
}

func (j *JSON) value(v Value) {
	switch {
	case !v.Valid:
		j.buf = append(j.buf, "null"...)
	case plain(v):
		j.buf = append(j.buf, v.Text...)
	default:
		j.buf = appendString(j.buf, v.Text)
	}
}

// plain tells whether the value is written without quotes.
func plain(v Value) bool {
	switch Family(v.Type) {
	case Integer, Real:
		return jsonNumber(v.Text)
	case Boolean:
		return v.Text == "true" || v.Text == "false"
	}
	return false
}

// jsonNumber follows the grammar of RFC 8259, section 6.
func jsonNumber(s string) bool {
	i := 1
	switch s = trimSign(s); {
	case s == "":
		return false
	case s[0] == '0':
	default:
		i = digits(s, 0)
	}
	if i == 0 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		n := digits(s, i+1)
		if n == i+1 {
			return false
		}
		i = n
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		n := digits(s, i)
		if n == i {
			return false
		}
		i = n
	}
	return i == len(s)
}

func trimSign(s string) string {
	if s != "" && s[0] == '-' {
		return s[1:]
	}
	return s
}

// digits gives the index after the digits that begin at i.
func digits(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. What is not UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	last := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[last:i]...)
				dst = append(dst, "\uFFFD"...)
				last = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[last:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		last = i
	}
	dst = append(dst, s[last:]...)
	return append(dst, '"')
}
