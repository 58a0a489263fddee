package trigger

import (
	"math/bits"
	"strings"
)

// Explanation is an expression taken apart, for programs and for screens.
type Explanation struct {
	Expression  string `json:"expression"`
	Form        Form   `json:"form"`
	Description string `json:"description"`
	// Fields are those of the expression, or of what a macro stands for; empty
	// for "@every".
	Fields []Field `json:"fields"`
	// ClockChange names the rule for gaps and overlaps: "once" or "elapsed".
	ClockChange string   `json:"clock_change"`
	Warnings    []string `json:"warnings"`
}

// Field is one field of an expression.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Column is where it begins, in characters from 1; 0 for a macro, which
	// does not show it.
	Column int `json:"column"`
	// Values are the values it names, weekdays counting from Sunday, 0. Empty
	// where they depend on the month, for "?" and for every year.
	Values []int `json:"values"`
}

// Explain takes the expression apart.
func (c *Cron) Explain() Explanation {
	e := Explanation{
		Expression: c.expr, Form: c.Form(), Description: c.Describe(),
		Fields: []Field{}, ClockChange: "once", Warnings: append([]string{}, c.Warnings()...),
	}
	if c.elapsed {
		e.ClockChange = "elapsed"
	}
	text, fields := c.expr, quartzFields[:]
	switch c.form {
	case codeEvery:
		return e
	case codeMacro:
		text = macros[upper(strings.TrimSpace(c.expr))]
	case codeCrontab:
		fields = crontabFields[:]
	}
	for i, t := range split(text) {
		if i == len(fields) {
			break
		}
		f := Field{Name: fields[i].name, Text: t.text, Column: column(text, t.at), Values: c.fieldValues(fields[i].name, t.text)}
		if c.form == codeMacro {
			f.Column = 0
		}
		e.Fields = append(e.Fields, f)
	}
	return e
}

func (c *Cron) fieldValues(name, text string) []int {
	switch {
	case text == "?":
	case name == "seconds":
		return values(c.secs)
	case name == "minutes":
		return values(c.mins)
	case name == "hours":
		return values(uint64(c.hours))
	case name == "day of month" && c.dateRule == dateSet:
		return values(uint64(c.dates))
	case name == "month":
		return values(uint64(c.months))
	case name == "day of week" && c.weekRule == weekSet:
		return values(uint64(c.week))
	case name == "year" && c.yearCount() <= MaxYear-MinYear:
		return c.yearValues()
	}
	return []int{}
}

func (c *Cron) yearCount() int {
	n := 0
	for _, word := range c.years {
		n += bits.OnesCount64(word)
	}
	return n
}
