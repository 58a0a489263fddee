package source

import (
	"errors"
	"fmt"
	"strings"
)

// Statement is an SQL statement, parsed as far as is needed to bind parameters:
// its placeholders, found outside literals, quoted names and comments.
type Statement struct {
	Dialect Dialect
	// Params names the placeholders in order of appearance; a positional one's
	// name is empty.
	Params []string
	// Named tells that some placeholder has a name.
	Named bool
	// Writes tells that the statement may change something: it is not a plain
	// query. A query with FOR UPDATE, or with a word like INSERT in it, counts.
	Writes bool
	// Returns tells that it is a query, or has a RETURNING clause (SQL Server: OUTPUT).
	Returns bool
	// Verb is the first word, lower case; Words are all the bare and quoted
	// names in it, lower case.
	Verb  string
	Words map[string]bool

	parts []string // the text around the placeholders: one more than Params
	set   []cut    // the bounds of an UPDATE's assignments; nil: it has none
}

// Errors of Parse.
var (
	ErrUnterminated = errors.New("a literal, quoted name or comment does not end")
	ErrMultiple     = errors.New("more than one statement")
	ErrNoStatement  = errors.New("no statement")
)

// maxStatement bounds the length of a statement in bytes.
const maxStatement = 1 << 20

// Parse reads a statement. declared tells which names are parameters; another
// word behind a colon is left as it is if it follows a name or a bracket (an array
// slice), else it is an error.
func Parse(sql string, d Dialect, declared func(name string) bool) (*Statement, error) {
	if len(sql) > maxStatement {
		return nil, fmt.Errorf("longer than %d bytes", maxStatement)
	}
	p := parser{s: sql, d: d, declared: declared, st: &Statement{Dialect: d, Words: map[string]bool{}}}
	if err := p.run(); err != nil {
		return nil, err
	}
	st := p.st
	p.endSet()
	st.parts = append(st.parts, p.part.String())
	if st.Verb == "" {
		return nil, ErrNoStatement
	}
	st.classify()
	return st, nil
}

// classify decides whether the statement writes and returns rows.
func (s *Statement) classify() {
	switch s.Verb {
	case "select", "with", "values", "table", "show", "explain", "describe", "desc":
		s.Returns = true
		for _, w := range []string{"insert", "update", "delete", "merge", "into"} {
			if s.Words[w] {
				s.Writes = true
			}
		}
	default:
		s.Writes = true
		s.Returns = s.Words["returning"]
		if s.Dialect == SQLServer {
			s.Returns = s.Words["output"] && (s.Words["inserted"] || s.Words["deleted"])
		}
	}
}

// SQL gives the statement for the driver. A parameter that is an array stands
// for counts[i] placeholders; nil counts mean one each. casts are the types that
// PostgreSQL is told, by placeholder; nil means none.
func (s *Statement) SQL(counts []int, casts []string) string {
	dst := make([]byte, 0, s.size(counts))
	dst = append(dst, s.parts[0]...)
	n := 0
	for i := range s.Params {
		count, cast := 1, ""
		if counts != nil {
			count = counts[i]
		}
		if casts != nil {
			cast = casts[i]
		}
		if count == 0 {
			dst = append(dst, "NULL"...)
		}
		for k := range count {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			n++
			dst = s.Dialect.appendPlaceholder(dst, n, cast)
		}
		dst = append(dst, s.parts[i+1]...)
	}
	return string(dst)
}

func (s *Statement) size(counts []int) int {
	size := 0
	for _, p := range s.parts {
		size += len(p)
	}
	for _, c := range counts {
		size += 16 * c
	}
	return size + 16*len(s.Params)
}

// WithSuffix gives the same statement with text behind it.
func (s *Statement) WithSuffix(text string) *Statement {
	c := *s
	c.parts = append([]string(nil), s.parts...)
	c.parts[len(c.parts)-1] += text
	return &c
}

// parser walks the text once.
type parser struct {
	s        string
	i        int
	d        Dialect
	declared func(string) bool
	st       *Statement
	part     strings.Builder
	ended    bool // a semicolon was seen
	depth    int  // of parentheses
	setEnded bool // an UPDATE's assignments are behind
}

func (p *parser) run() error {
	for p.i < len(p.s) {
		n, err := p.skip()
		if err != nil {
			return err
		}
		if n > 0 {
			p.part.WriteString(p.s[p.i : p.i+n])
			p.i += n
			continue
		}
		if err := p.token(); err != nil {
			return err
		}
	}
	return nil
}

// skip gives the length of a space or comment at the current place.
func (p *parser) skip() (int, error) {
	rest := p.s[p.i:]
	switch {
	case isSpace(rest[0]):
		return 1, nil
	case strings.HasPrefix(rest, "--") && (p.d != MySQL || len(rest) == 2 || isSpace(rest[2])),
		rest[0] == '#' && p.d == MySQL:
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return n + 1, nil
		}
		// A comment at the very end would swallow what is put behind it.
		p.s += "\n"
		return len(rest) + 1, nil
	case strings.HasPrefix(rest, "/*"):
		return p.blockComment(rest)
	}
	return 0, nil
}

// blockComment gives the length of a comment; PostgreSQL's and SQL Server's nest.
func (p *parser) blockComment(rest string) (int, error) {
	depth := 0
	for i := 0; i+1 < len(rest); {
		switch {
		case rest[i] == '/' && rest[i+1] == '*' && (depth == 0 || p.d == Postgres || p.d == SQLServer):
			depth++
			i += 2
		case rest[i] == '*' && rest[i+1] == '/':
			depth--
			i += 2
			if depth == 0 {
				return i, nil
			}
		default:
			i++
		}
	}
	return 0, ErrUnterminated
}

// token takes one token, which is not space.
func (p *parser) token() error {
	c := p.s[p.i]
	if c == ';' {
		p.endSet()
		p.ended = true
		p.i++
		return nil
	}
	if p.ended {
		return ErrMultiple
	}
	n := 1
	var err error
	switch {
	case c == '\'' || c == '"' || c == '`':
		n, err = p.quoted(c, p.backslash(c))
	case c == '[' && p.d == SQLServer:
		n, err = p.quoted(']', false)
	case c == '[' && p.d == SQLite:
		n = strings.IndexByte(p.s[p.i:], ']') + 1
		if n == 0 {
			err = ErrUnterminated
		}
	case c == '$' && p.d == Postgres && !isWord(p.before()):
		n, err = p.dollar()
	case isWordStart(c):
		return p.word()
	case c == '?':
		return p.positional()
	case c == ':':
		return p.colon()
	case c == '(':
		p.depth++
	case c == ')':
		p.depth--
	case c == ',':
		p.comma()
	}
	if err != nil {
		return err
	}
	p.keep(n)
	return nil
}

// before is the byte before the current one; 0 at the start.
func (p *parser) before() byte {
	if p.i == 0 {
		return 0
	}
	return p.s[p.i-1]
}

// keep copies n bytes.
func (p *parser) keep(n int) {
	text := p.s[p.i : p.i+n]
	if q := text[0]; n > 2 && (q == '"' || q == '`' || q == '[') {
		p.st.Words[strings.ToLower(text[1:n-1])] = true
	}
	p.part.WriteString(text)
	p.i += n
}

// backslash tells whether a backslash escapes within this quote.
func (p *parser) backslash(quote byte) bool {
	switch p.d {
	case MySQL:
		return quote != '`'
	case Postgres:
		return quote == '\'' && (p.before() == 'E' || p.before() == 'e') && (p.i < 2 || !isWord(p.s[p.i-2]))
	}
	return false
}

// quoted gives the length of a literal or quoted name; a doubled quote stays in.
func (p *parser) quoted(quote byte, backslash bool) (int, error) {
	rest := p.s[p.i:]
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && backslash:
			i++
		case rest[i] != quote:
		case i+1 < len(rest) && rest[i+1] == quote:
			i++
		default:
			return i + 1, nil
		}
	}
	return 0, ErrUnterminated
}

// dollar gives the length of a dollar-quoted literal, or 1.
func (p *parser) dollar() (int, error) {
	rest := p.s[p.i:]
	end := 1
	for end < len(rest) && isWord(rest[end]) && rest[end] != '$' {
		end++
	}
	if end >= len(rest) || rest[end] != '$' || end > 1 && rest[1] >= '0' && rest[1] <= '9' {
		return 1, nil
	}
	tag := rest[:end+1]
	if n := strings.Index(rest[len(tag):], tag); n >= 0 {
		return n + 2*len(tag), nil
	}
	return 0, ErrUnterminated
}

func (p *parser) word() error {
	end := p.i
	for end < len(p.s) && isWord(p.s[end]) {
		end++
	}
	w := strings.ToLower(p.s[p.i:end])
	p.st.Words[w] = true
	if p.st.Verb == "" {
		p.st.Verb = w
	}
	p.bound(w, end-p.i)
	return nil
}

// positional takes "?"; "??" is the operator "?", as in JDBC.
func (p *parser) positional() error {
	if strings.HasPrefix(p.s[p.i:], "??") {
		p.part.WriteByte('?')
		p.i += 2
		return nil
	}
	p.placeholder("")
	p.i++
	return nil
}

func (p *parser) placeholder(name string) {
	p.st.Params = append(p.st.Params, name)
	p.st.parts = append(p.st.parts, p.part.String())
	p.part.Reset()
}

// colon takes ":name"; "::" and ":=" are operators.
func (p *parser) colon() error {
	rest := p.s[p.i:]
	if len(rest) > 1 && (rest[1] == ':' || rest[1] == '=') {
		p.keep(2)
		return nil
	}
	end := 1
	for end < len(rest) && isWord(rest[end]) && rest[end] != '$' {
		end++
	}
	name := rest[1:end]
	switch {
	case name == "" || !isWordStart(name[0]):
		p.keep(1)
		return nil
	case p.declared == nil || p.declared(name):
	case isWord(p.before()) || p.before() == ']' || p.before() == ')':
		p.keep(1)
		return nil
	default:
		return fmt.Errorf("placeholder :%s has no <param>", name)
	}
	p.st.Named = true
	p.placeholder(name)
	p.i += end
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isWordStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func isWord(c byte) bool { return isWordStart(c) || c >= '0' && c <= '9' || c == '$' }
