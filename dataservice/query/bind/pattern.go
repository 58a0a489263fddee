package bind

import (
	"fmt"
	"regexp"
	"strings"
)

// compilePattern compiles a regular expression of Java that must match the whole
// value. Belfry's engine (RE2) matches in linear time, so that no value can make
// it slow; what Java has and it has not is refused: look-around, references back,
// possessive and atomic groups, intersections and unions of classes.
func compilePattern(java string) (*regexp.Regexp, error) {
	t := translator{s: java}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	// Alone first: an unbalanced pattern could be balanced by what surrounds it.
	_, err := regexp.Compile(t.b.String())
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile(`\A(?:` + t.b.String() + `)\z`)
	}
	if err != nil {
		return nil, fmt.Errorf("pattern: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// translator turns Java's syntax into RE2's.
type translator struct {
	s     string
	i     int
	class bool // within [ ]
	b     strings.Builder
}

// classes are Java's names of classes that RE2 calls otherwise, as they stand
// within brackets.
var classes = map[string]string{
	"Lower": "[:lower:]", "Upper": "[:upper:]", "Alpha": "[:alpha:]", "Digit": "[:digit:]", "Alnum": "[:alnum:]",
	"Punct": "[:punct:]", "Graph": "[:graph:]", "Print": "[:print:]", "Blank": "[:blank:]", "Cntrl": "[:cntrl:]",
	"XDigit": "[:xdigit:]", "Space": `\t\n\x0B\f\r `, "ASCII": `\x00-\x7F`,
	"javaLowerCase": `\p{Ll}`, "javaUpperCase": `\p{Lu}`, "javaWhitespace": `\s\x1c-\x1f`,
	"IsAlphabetic": `\p{L}\p{Nl}`, "IsLetter": `\p{L}`, "IsDigit": `\p{Nd}`, "IsLatin": `\p{Latin}`, "IsUppercase": `\p{Lu}`, "IsLowercase": `\p{Ll}`,
}

func (t *translator) run() error {
	for t.i < len(t.s) {
		if err := t.next(); err != nil {
			return err
		}
	}
	return nil
}

func (t *translator) next() error {
	c, rest := t.s[t.i], t.s[t.i:]
	switch {
	case c == '\\':
		return t.escape()
	case t.class:
		return t.inClass(c, rest)
	case c == '[':
		t.class = true
		t.keep(1)
		if strings.HasPrefix(t.s[t.i:], "^") {
			t.keep(1)
		}
		if strings.HasPrefix(t.s[t.i:], "]") {
			return fmt.Errorf("an unescaped ] begins a class")
		}
		return nil
	case strings.HasPrefix(rest, "(?=") || strings.HasPrefix(rest, "(?!") ||
		strings.HasPrefix(rest, "(?<=") || strings.HasPrefix(rest, "(?<!"):
		return fmt.Errorf("look-around %q is not supported", rest[:3])
	case strings.HasPrefix(rest, "(?>"):
		return fmt.Errorf("atomic groups (?>…) are not supported")
	case (c == '*' || c == '+' || c == '?' || c == '}') && strings.HasPrefix(rest[1:], "+"):
		return fmt.Errorf("possessive quantifiers (%s) are not supported", rest[:2])
	}
	t.keep(1)
	return nil
}

func (t *translator) inClass(c byte, rest string) error {
	switch {
	case c == ']':
		t.class = false
	case c == '[':
		return fmt.Errorf("a class within a class is not supported (write \\[ for the character)")
	case strings.HasPrefix(rest, "&&"):
		return fmt.Errorf("intersections of classes (&&) are not supported")
	}
	t.keep(1)
	return nil
}

func (t *translator) keep(n int) {
	t.b.WriteString(t.s[t.i : t.i+n])
	t.i += n
}

// put replaces n bytes.
func (t *translator) put(n int, s string) {
	t.b.WriteString(s)
	t.i += n
}

// set replaces n bytes by a set of characters.
func (t *translator) set(n int, s string) {
	if !t.class {
		s = "[" + s + "]"
	}
	t.put(n, s)
}

func (t *translator) escape() error {
	rest := t.s[t.i:]
	if len(rest) < 2 {
		return fmt.Errorf("it ends with a backslash")
	}
	switch c := rest[1]; {
	case c == 's':
		t.set(2, `\t\n\x0B\f\r `)
	case c == 'h':
		t.set(2, `\t \x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`)
	case c == 'e':
		t.put(2, `\x1b`)
	case c == 'u' && len(rest) >= 6:
		t.put(6, `\x{`+rest[2:6]+`}`)
	case c == 'Z':
		t.put(2, `(?:\r?\n)?\z`)
	case c == 'Q':
		return t.literal(rest)
	case (c == 'p' || c == 'P') && strings.HasPrefix(rest[2:], "{"):
		return t.property(rest)
	case c == 'k' || c >= '1' && c <= '9':
		return fmt.Errorf("references back (\\%c) are not supported", c)
	case strings.IndexByte("GRXcNVH", c) >= 0:
		return fmt.Errorf("\\%c is not supported", c)
	case c == '0':
		return fmt.Errorf("octal characters (\\0) are not supported: write \\x")
	case c >= 0x80:
		t.i++ // an escaped sign stands for itself
	default:
		t.keep(2)
	}
	return nil
}

// literal takes \Q…\E.
func (t *translator) literal(rest string) error {
	text, _, ended := strings.Cut(rest[2:], `\E`)
	n := 2 + len(text)
	if ended {
		n += 2
	}
	t.put(n, regexp.QuoteMeta(text))
	return nil
}

// property takes \p{Name}.
func (t *translator) property(rest string) error {
	end := strings.IndexByte(rest, '}')
	if end < 0 {
		return fmt.Errorf("\\%c{ does not end", rest[1])
	}
	set, ok := classes[rest[3:end]]
	switch {
	case !ok:
		t.keep(end + 1)
	case rest[1] == 'p':
		t.set(end+1, set)
	case t.class:
		return fmt.Errorf("%s within a class is not supported", rest[:end+1])
	default:
		t.put(end+1, "[^"+set+"]")
	}
	return nil
}
