package descriptor

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxTemplate bounds how deep a JSON template nests.
const maxTemplate = 64

// jsonValue is a JSON value with its place in the text.
type jsonValue struct {
	at      int
	kind    byte   // '{', '[' or '"'; a bare word is a string too
	text    string // of a string
	members []member
	items   []jsonValue
}

type member struct {
	name string
	at   int
	jsonValue
}

// jsonReader reads JSON as the original's reader does, which also takes names
// and strings in single quotes or in none (org.json).
type jsonReader struct {
	text string
	at   int
}

// jsonError is a fault at an offset of the text.
type jsonError struct {
	at  int
	msg string
}

func (e *jsonError) Error() string { return e.msg }

func (j *jsonReader) failf(at int, format string, args ...any) error {
	return &jsonError{at, fmt.Sprintf(format, args...)}
}

// peek skips blanks and gives the next byte, 0 at the end.
func (j *jsonReader) peek() byte {
	for j.at < len(j.text) && strings.IndexByte(" \t\r\n", j.text[j.at]) >= 0 {
		j.at++
	}
	if j.at == len(j.text) {
		return 0
	}
	return j.text[j.at]
}

// document reads a value and nothing after it.
func (j *jsonReader) document() (jsonValue, error) {
	v, err := j.value(0)
	if err == nil && j.peek() != 0 {
		err = j.failf(j.at, "text after the end of the template")
	}
	return v, err
}

func (j *jsonReader) value(depth int) (jsonValue, error) {
	c := j.peek()
	v := jsonValue{at: j.at, kind: c}
	if depth > maxTemplate {
		return v, j.failf(j.at, "nested more than %d deep", maxTemplate)
	}
	var err error
	switch c {
	case '{':
		err = j.list('}', func() error {
			m := member{at: j.at}
			if m.name, err = j.word(); err != nil {
				return err
			}
			if j.peek() != ':' {
				return j.failf(j.at, "expected a : after %q", m.name)
			}
			j.at++
			m.jsonValue, err = j.value(depth + 1)
			v.members = append(v.members, m)
			return err
		})
	case '[':
		err = j.list(']', func() error {
			item, err := j.value(depth + 1)
			v.items = append(v.items, item)
			return err
		})
	default:
		v.kind = '"'
		v.text, err = j.word()
	}
	return v, err
}

// list reads items with commas between them, up to its end.
func (j *jsonReader) list(end byte, item func() error) error {
	start := j.at
	j.at++
	for first := true; ; first = false {
		switch c := j.peek(); {
		case c == 0:
			return j.failf(start, "%q is never closed", j.text[start])
		case c == end:
			j.at++
			return nil
		case first:
		case c == ',':
			j.at++
			if j.peek() == end { // a comma too many, which the original takes
				continue
			}
		default:
			return j.failf(j.at, "expected a , or %q", end)
		}
		if err := item(); err != nil {
			return err
		}
	}
}

// word reads a string, in quotes or not.
func (j *jsonReader) word() (string, error) {
	start := j.at
	switch c := j.peek(); c {
	case 0:
		return "", j.failf(j.at, "it ends too early")
	case '"', '\'':
		return j.quoted(c)
	}
	for j.at < len(j.text) && !strings.ContainsRune(",:{}[]\"'/\\;=# \t\r\n", rune(j.text[j.at])) {
		j.at++
	}
	if j.at == start {
		c, _ := utf8.DecodeRuneInString(j.text[j.at:])
		return "", j.failf(j.at, "unexpected %q", c)
	}
	return j.text[start:j.at], nil
}

func (j *jsonReader) quoted(quote byte) (string, error) {
	start := j.at
	for i := start + 1; i < len(j.text); i++ {
		switch j.text[i] {
		case '\\':
			i++
		case '\r', '\n':
			return "", j.failf(start, "a string is not closed before the end of the line")
		case quote:
			j.at = i + 1
			text, ok := unescape(j.text[start+1 : i])
			if !ok {
				return "", j.failf(start, "a string has an unknown \\ escape")
			}
			return text, nil
		}
	}
	return "", j.failf(start, "a string is never closed")
}

var escapes = map[byte]byte{'"': '"', '\'': '\'', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape resolves \n, \u0041 and the like; false if there is another escape.
func unescape(body string) (string, bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(body, `\`)
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		if after == "" {
			return "", false
		}
		if c, ok := escapes[after[0]]; ok {
			b.WriteByte(c)
			body = after[1:]
			continue
		}
		if after[0] != 'u' || len(after) < 5 {
			return "", false
		}
		code, err := strconv.ParseUint(after[1:5], 16, 16)
		if err != nil {
			return "", false
		}
		b.WriteRune(rune(code))
		body = after[5:]
	}
}
