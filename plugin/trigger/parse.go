package trigger

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// field is one field of an expression: its name for people and its values.
type field struct {
	name     string
	min, max int
	names    string // three letters each, the first standing for min
	day      byte   // 'm': day of month, 'w': day of week
	alias    bool   // max is another name of min: Sunday, in a crontab
	// stepMax bounds a step after a single value or "*", as Quartz does.
	stepMax int
}

// top is the last value that is not another name of the first.
func (f *field) top() int {
	if f.alias {
		return f.max - 1
	}
	return f.max
}

const (
	monthNames = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"
	weekNames  = "SUNMONTUEWEDTHUFRISAT"
)

var quartzFields = [...]field{
	{name: "seconds", max: 59, stepMax: 59},
	{name: "minutes", max: 59, stepMax: 59},
	{name: "hours", max: 23, stepMax: 23},
	{name: "day of month", min: 1, max: 31, stepMax: 31, day: 'm'},
	{name: "month", min: 1, max: 12, stepMax: 12, names: monthNames},
	{name: "day of week", min: 1, max: 7, stepMax: 7, names: weekNames, day: 'w'},
	{name: "year", min: MinYear, max: MaxYear, stepMax: MaxYear},
}

// In a crontab Sunday is 0, and 7 as well.
var crontabFields = [...]field{
	quartzFields[1], quartzFields[2],
	{name: "day of month", min: 1, max: 31, stepMax: 31},
	quartzFields[4],
	{name: "day of week", max: 7, stepMax: 7, names: weekNames, alias: true},
}

// token is a word of an expression and its offset in it.
type token struct {
	text string // in upper case
	at   int
}

// split cuts an expression at white space.
func split(expr string) []token {
	var out []token
	for i := 0; i < len(expr); {
		if space(expr[i]) {
			i++
			continue
		}
		j := i
		for j < len(expr) && !space(expr[j]) {
			j++
		}
		out = append(out, token{upper(expr[i:j]), i})
		i = j
	}
	return out
}

func space(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// upper changes ASCII alone: no other letter may turn into one of a name, and
// offsets stay what they are.
func upper(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

func parseQuartz(expr string, tokens []token) (*Cron, error) {
	fields := make([]fieldSet, len(quartzFields))
	for i := range quartzFields {
		if i == len(tokens) { // no year
			fields[i].addRange(MinYear, MaxYear, 1, &quartzFields[i])
			break
		}
		f, err := parseField(expr, tokens[i], &quartzFields[i])
		if err != nil {
			return nil, withQuartzHint(err, tokens)
		}
		fields[i] = f
	}
	date, week := &fields[3], &fields[5]
	if date.none == week.none {
		e := &SyntaxError{Expr: expr, Field: quartzFields[5].name, Column: column(expr, tokens[5].at)}
		if date.none {
			e.Found, e.Want = "a second '?'", "'?' in one of day of month and day of week"
			e.Hint = "write * in one of them for every day"
		} else {
			e.Found, e.Want = quoted(tokens[5].text), "'?' in one of day of month and day of week"
			e.Hint = "Quartz takes one of them: put ? into the other"
		}
		return nil, e
	}
	c := &Cron{expr: expr, extra: len(tokens) > len(quartzFields)}
	c.setTime(&fields[0], &fields[1], &fields[2])
	c.setDays(date, &fields[4], week, 1)
	copy(c.years[:], fields[6].bits[:])
	return c, nil
}

func parseCrontab(expr string, tokens []token) (*Cron, error) {
	fields := make([]fieldSet, len(crontabFields))
	for i := range crontabFields {
		f, err := parseField(expr, tokens[i], &crontabFields[i])
		if err != nil {
			return nil, withCrontabHint(err, tokens)
		}
		fields[i] = f
	}
	second := fieldSet{}
	second.add(0)
	c := &Cron{expr: expr, form: codeCrontab}
	c.setTime(&second, &fields[0], &fields[1])
	c.setDays(&fields[2], &fields[3], &fields[4], 0)
	c.either = !fields[2].star && !fields[4].star
	all := fieldSet{}
	all.addRange(MinYear, MaxYear, 1, &quartzFields[6])
	copy(c.years[:], all.bits[:])
	return c, nil
}

// setTime fills in the time of day.
func (c *Cron) setTime(secs, mins, hours *fieldSet) {
	c.secs, c.mins, c.hours = secs.bits[0], mins.bits[0], uint32(hours.bits[0])
	c.elapsed = hours.open || c.hours == 1<<24-1
	c.first = int32(bits.TrailingZeros32(c.hours)*3600 + bits.TrailingZeros64(c.mins)*60 + bits.TrailingZeros64(c.secs))
}

// setDays fills in the days, sunday being the number of that day.
func (c *Cron) setDays(date, month, week *fieldSet, sunday int) {
	c.dates, c.dateRule, c.dateN = uint32(date.bits[0]), date.date, date.n
	c.months = uint16(month.bits[0])
	c.week, c.weekRule, c.weekN = uint8(week.bits[0]>>sunday), week.week, week.n
	if date.none {
		c.dates = 1<<32 - 2
	}
	if week.none {
		c.week = 1<<7 - 1
	}
}

var macros = map[string]string{
	"@YEARLY":   "0 0 0 1 1 ?",
	"@ANNUALLY": "0 0 0 1 1 ?",
	"@MONTHLY":  "0 0 0 1 * ?",
	"@WEEKLY":   "0 0 0 ? * SUN",
	"@DAILY":    "0 0 0 * * ?",
	"@MIDNIGHT": "0 0 0 * * ?",
	"@HOURLY":   "0 0 * * * ?",
}

func parseMacro(expr string, tokens []token) (*Cron, error) {
	word := tokens[0].text
	if word == "@EVERY" {
		return parseEvery(expr, tokens)
	}
	full, ok := macros[word]
	if !ok {
		e := &SyntaxError{
			Expr: expr, Column: column(expr, tokens[0].at), Found: quoted(word),
			Want: "@yearly, @monthly, @weekly, @daily, @hourly or @every 5m",
		}
		if word == "@REBOOT" {
			e.Hint = "nothing fires at a restart: tasks go on where they were"
		}
		return nil, e
	}
	if len(tokens) > 1 {
		return nil, &SyntaxError{
			Expr: expr, Column: column(expr, tokens[1].at), Found: quoted(tokens[1].text),
			Want: "nothing after " + strings.ToLower(word),
		}
	}
	c, err := parseQuartz(full, split(full))
	if err != nil {
		return nil, err
	}
	c.expr, c.form = expr, codeMacro
	return c, nil
}

func parseEvery(expr string, tokens []token) (*Cron, error) {
	e := &SyntaxError{Expr: expr, Column: column(expr, len(expr)), Found: "nothing after @every", Want: "a duration as in @every 1h30m"}
	if len(tokens) < 2 {
		return nil, e
	}
	e.Column, e.Found = column(expr, tokens[1].at), quoted(tokens[1].text)
	if len(tokens) > 2 {
		e.Column, e.Found = column(expr, tokens[2].at), quoted(tokens[2].text)
		return nil, e
	}
	d, err := time.ParseDuration(expr[tokens[1].at : tokens[1].at+len(tokens[1].text)])
	switch {
	case err != nil:
		e.Hint = "units are ms, s, m and h: a day is 24h"
		return nil, e
	case d < time.Millisecond || d%time.Millisecond != 0:
		e.Want = "a duration of whole milliseconds above 0"
		return nil, e
	}
	return &Cron{expr: expr, form: codeEvery, every: d, elapsed: true}, nil
}

func quoted(s string) string {
	if len(s) > 24 {
		s = s[:24] + "…"
	}
	return fmt.Sprintf("%q", s)
}
