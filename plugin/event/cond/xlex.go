package cond

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEOF      tokenKind = iota
	tokOperator           // and or div mod * / // | + - = != < <= > >=
	tokPunct              // ( ) [ ] . .. @ , ::
	tokName               // a name test: NCName, *, NCName:*, QName
	tokFunction           // a name before (
	tokType               // node, text, comment, processing-instruction before (
	tokAxis               // a name before ::
	tokLiteral
	tokNumber
)

type token struct {
	kind     tokenKind
	text     string
	number   float64
	pos, end int // bytes of the expression
}

// lex splits an expression by the rules of XPath 1.0, section 3.7.
func lex(text string) ([]token, error) {
	l := &lexer{text: text}
	for {
		l.space()
		if l.pos == len(text) {
			return append(l.tokens, token{kind: tokEOF, pos: l.pos, end: l.pos}), nil
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.pos = t.end
		l.tokens = append(l.tokens, t)
	}
}

type lexer struct {
	text   string
	pos    int
	tokens []token
}

func (l *lexer) space() {
	for l.pos < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.pos]) >= 0 {
		l.pos++
	}
}

// operand tells whether the token before ends an operand, so that * and names
// are operators here.
func (l *lexer) operand() bool {
	if len(l.tokens) == 0 {
		return false
	}
	switch t := l.tokens[len(l.tokens)-1]; t.kind {
	case tokOperator, tokFunction, tokType, tokAxis:
		return false
	case tokPunct:
		return t.text == ")" || t.text == "]" || t.text == "." || t.text == ".."
	default:
		return true
	}
}

func (l *lexer) next() (token, error) {
	rest := l.text[l.pos:]
	tok := func(k tokenKind, s string) (token, error) {
		return token{kind: k, text: s, pos: l.pos, end: l.pos + len(s)}, nil
	}
	digit := func(i int) bool { return i < len(rest) && rest[i] >= '0' && rest[i] <= '9' }
	switch c := rest[0]; {
	case digit(0) || c == '.' && digit(1):
		return l.number()
	case c == '"' || c == '\'':
		end := strings.IndexByte(rest[1:], c)
		if end < 0 {
			return token{}, at(l.text, l.pos, "the string is not closed")
		}
		return token{kind: tokLiteral, text: rest[1 : 1+end], pos: l.pos, end: l.pos + end + 2}, nil
	case c == '*' && !l.operand():
		return tok(tokName, "*")
	}
	for _, s := range []string{"//", "!=", "<=", ">=", "/", "|", "+", "-", "=", "<", ">", "*"} {
		if strings.HasPrefix(rest, s) {
			return tok(tokOperator, s)
		}
	}
	for _, s := range []string{"..", "::", "(", ")", "[", "]", ".", "@", ","} {
		if strings.HasPrefix(rest, s) {
			return tok(tokPunct, s)
		}
	}
	if rest[0] == '$' {
		return token{}, at(l.text, l.pos, "variables are not available here")
	}
	return l.name()
}

func (l *lexer) number() (token, error) {
	end, dot := l.pos, false
	for end < len(l.text) && (l.text[end] >= '0' && l.text[end] <= '9' || l.text[end] == '.' && !dot) {
		dot = dot || l.text[end] == '.'
		end++
	}
	s := l.text[l.pos:end]
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return token{}, at(l.text, l.pos, "number %s is out of range", s)
	}
	return token{kind: tokNumber, text: s, number: f, pos: l.pos, end: end}, nil
}

// ncname gives the length of the name that s begins with.
func ncname(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		start := r == '_' || unicode.IsLetter(r)
		if !start && (n == 0 || r != '-' && r != '.' && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && r != 0xB7) {
			break
		}
		n += size
	}
	return n
}

func (l *lexer) name() (token, error) {
	rest := l.text[l.pos:]
	n := ncname(rest)
	if n == 0 {
		r, _ := utf8.DecodeRuneInString(rest)
		return token{}, at(l.text, l.pos, "unexpected character %q", r)
	}
	t := token{kind: tokName, text: rest[:n], pos: l.pos, end: l.pos + n}
	if l.operand() {
		switch t.text {
		case "and", "or", "div", "mod":
			t.kind = tokOperator
			return t, nil
		}
		return t, at(l.text, l.pos, "expected an operator before %s", t.text)
	}
	if strings.HasPrefix(rest[n:], ":") && !strings.HasPrefix(rest[n:], "::") {
		if strings.HasPrefix(rest[n+1:], "*") {
			n += 2
		} else if m := ncname(rest[n+1:]); m > 0 {
			n += 1 + m
		} else {
			return t, at(l.text, l.pos+n, "expected a name after the prefix %s", t.text)
		}
		t.text, t.end = rest[:n], l.pos+n
	}
	switch after := strings.TrimLeft(rest[n:], " \t\r\n"); {
	case strings.HasPrefix(after, "::"):
		t.kind = tokAxis
	case strings.HasPrefix(after, "("):
		t.kind = tokFunction
		switch t.text {
		case "node", "text", "comment", "processing-instruction":
			t.kind = tokType
		}
	}
	return t, nil
}
