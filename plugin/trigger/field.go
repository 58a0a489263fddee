package trigger

import (
	"fmt"
	"strings"
)

// fieldSet is what a field was found to say.
type fieldSet struct {
	bits yearSet // of years: year-MinYear; of all others: the value itself
	none bool    // "?"
	star bool    // begins with "*": a crontab does not count it as a choice
	open bool    // has a "*" or a step
	date dateRule
	week weekRule
	n    uint8
}

func (s *fieldSet) add(v int) {
	if v >= MinYear {
		v -= MinYear
	}
	s.bits[v/64] |= 1 << (v % 64)
}

// addRange adds every step-th value from lo to hi, round the end of the field
// when hi is below lo.
func (s *fieldSet) addRange(lo, hi, step int, f *field) {
	size := f.top() - f.min + 1
	if hi < lo {
		hi += size
	}
	for v := lo; v <= hi; v += step {
		s.add(f.min + (v-f.min)%size)
	}
}

// fieldParser reads one field. i is the place in text.
type fieldParser struct {
	*field
	expr string
	at   int // offset of the field in expr
	text string
	i    int
	set  fieldSet
}

func parseField(expr string, t token, f *field) (fieldSet, error) {
	p := &fieldParser{field: f, expr: expr, at: t.at, text: t.text}
	if t.text == "?" && f.day != 0 {
		p.set.none = true
		return p.set, nil
	}
	for {
		start := p.i
		if err := p.item(); err != nil {
			return fieldSet{}, err
		}
		alone := p.set.date != dateSet || p.set.week != weekSet
		if alone && (start > 0 || p.i < len(p.text)) {
			return fieldSet{}, p.fail(start, "L, W and # stand alone in their field, without a list")
		}
		if p.i == len(p.text) {
			return p.set, nil
		}
		p.i++ // the comma
	}
}

// item reads up to the next comma.
func (p *fieldParser) item() error {
	start := p.i
	switch {
	case p.eat('*'):
		p.set.star = p.set.star || start == 0
		return p.wild(start)
	case p.peek() == '/':
		return p.wild(start)
	case p.day != 0 && p.peek() == 'L':
		return p.last(start)
	}
	lo, named, err := p.value()
	if err != nil {
		return err
	}
	hi := lo
	switch {
	case p.end():
		p.set.addRange(lo, lo, 1, p.field)
		return nil
	case p.day == 'w' && (p.peek() == 'L' || p.peek() == '#'):
		return p.chosenWeekday(start, lo)
	case p.day == 'm' && p.eat('W'):
		p.set.date, p.set.n = dateNearest, uint8(lo)
		return p.finish(start)
	case p.eat('-'):
		if hi, err = p.rangeEnd(lo, named); err != nil {
			return err
		}
	case p.peek() == '/':
		hi = max(lo, p.top())
	}
	return p.stepped(start, lo, hi, named)
}

// wild reads what follows "*", or a step without it.
func (p *fieldParser) wild(start int) error {
	p.set.open = true
	step := 1
	if p.eat('/') {
		var err error
		if step, err = p.step(p.stepMax); err != nil {
			return err
		}
	}
	p.set.addRange(p.min, p.top(), step, p.field)
	return p.finish(start)
}

// stepped reads an optional step, and adds the range.
func (p *fieldParser) stepped(start, lo, hi int, named bool) error {
	step := 1
	if p.eat('/') {
		if named {
			return p.fail(start, "Quartz ignores a step after a name: write numbers, or a list of names")
		}
		limit := p.stepMax
		if strings.Contains(p.text[start:p.i], "-") {
			limit = MaxYear // Quartz sets no limit here
		}
		var err error
		if step, err = p.step(limit); err != nil {
			return err
		}
		p.set.open = true
	}
	if err := p.finish(start); err != nil {
		return err
	}
	p.set.addRange(lo, hi, step, p.field)
	return nil
}

func (p *fieldParser) rangeEnd(lo int, named bool) (int, error) {
	at := p.i
	hi, alsoNamed, err := p.value()
	switch {
	case err != nil:
		return 0, err
	case named != alsoNamed:
		return 0, p.fail(at, "both ends of a range are names, or both are numbers")
	case p.min == MinYear && hi < lo:
		return 0, p.fail(at, "years do not go round: the first comes first")
	}
	return hi, nil
}

// chosenWeekday reads 6L and FRI#2.
func (p *fieldParser) chosenWeekday(start, day int) error {
	p.set.add(day)
	p.set.week = weekLast
	if !p.eat('L') {
		p.i++
		at := p.i
		n, ok := p.number()
		if !ok || n < 1 || n > 5 {
			return p.fail(at, "1 to 5 after '#': which such day of the month")
		}
		p.set.week, p.set.n = weekNth, uint8(n)
	}
	return p.finish(start)
}

// last reads L, and for the day of the month LW, L-3 and L-3W.
func (p *fieldParser) last(start int) error {
	p.i++
	if p.day == 'w' {
		if err := p.finish(start); err != nil {
			return err
		}
		p.set.add(p.max) // Saturday
		return nil
	}
	p.set.date = dateLast
	if p.eat('-') {
		at := p.i
		n, ok := p.number()
		if !ok || n > 30 {
			return p.fail(at, "0 to 30 after 'L-': days before the last")
		}
		p.set.n = uint8(n)
	}
	if p.eat('W') {
		p.set.date = dateLastW
	}
	return p.finish(start)
}

// value reads a number or a name in the bounds of the field.
func (p *fieldParser) value() (v int, named bool, err error) {
	at := p.i
	if v, ok := p.number(); ok {
		if v < p.min || v > p.max {
			return 0, false, p.fail(at, "")
		}
		return v, false, nil
	}
	for p.i < len(p.text) && 'A' <= p.text[p.i] && p.text[p.i] <= 'Z' && p.i < at+3 {
		p.i++
	}
	word := p.text[at:p.i]
	if n := strings.Index(p.names, word); len(word) == 3 && n >= 0 && n%3 == 0 {
		return p.min + n/3, true, nil
	}
	return 0, false, p.fail(at, "")
}

func (p *fieldParser) step(limit int) (int, error) {
	at := p.i
	n, ok := p.number()
	if !ok || n < 1 || n > limit {
		return 0, p.fail(at, fmt.Sprintf("a step of 1 to %d after '/'", limit))
	}
	return n, nil
}

// number reads digits; no number here is longer than four.
func (p *fieldParser) number() (int, bool) {
	n, at := 0, p.i
	for p.i < len(p.text) && '0' <= p.text[p.i] && p.text[p.i] <= '9' {
		n = min(n*10+int(p.text[p.i]-'0'), 99_999)
		p.i++
	}
	return n, p.i > at
}

func (p *fieldParser) peek() byte {
	if p.i < len(p.text) {
		return p.text[p.i]
	}
	return 0
}

func (p *fieldParser) eat(b byte) bool {
	if p.peek() != b {
		return false
	}
	p.i++
	return true
}

func (p *fieldParser) end() bool { return p.i == len(p.text) || p.text[p.i] == ',' }

// finish refuses anything more in this item.
func (p *fieldParser) finish(start int) error {
	if !p.end() {
		return p.fail(start, "")
	}
	return nil
}

// fail refuses the item that holds offset at; want overrides what the field
// allows.
func (p *fieldParser) fail(at int, want string) error {
	found := p.text[at:]
	if i := strings.IndexByte(found, ','); i >= 0 {
		found = found[:i]
	}
	e := &SyntaxError{Expr: p.expr, Field: p.name, Column: column(p.expr, p.at+at), Found: quoted(found), Want: want}
	if found == "" {
		e.Found = "nothing"
	}
	if want == "" {
		e.Want = p.allowed()
	}
	return e
}

// allowed says what the field takes.
func (p *fieldParser) allowed() string {
	s := fmt.Sprintf("%d-%d", p.min, p.max)
	if p.names != "" {
		s += fmt.Sprintf(", %s-%s", p.names[:3], p.names[len(p.names)-3:])
	}
	s += ", * / - ,"
	switch p.day {
	case 'm':
		s += " ? L L-3 LW 15W"
	case 'w':
		s += " ? L 6L FRI#2"
	}
	return s
}
