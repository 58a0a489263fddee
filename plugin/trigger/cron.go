package trigger

import (
	"math/bits"
	"strings"
	"time"
)

// Form says in which syntax an expression was written.
type Form string

// The forms that ParseCron reads.
const (
	FormQuartz  Form = "quartz"  // six or seven fields, seconds first
	FormCrontab Form = "crontab" // five fields, minutes first
	FormMacro   Form = "macro"   // @daily and the like
	FormEvery   Form = "every"   // @every 5m: an interval, not a calendar
)

// The years that an expression can name, and so the horizon of every search:
// after MaxYear nothing fires.
const (
	MinYear = 1970
	MaxYear = 2299
)

// maxExpr bounds the length of an expression in bytes. A list of every year
// that there is takes 1,650.
const maxExpr = 2048

// Cron is a compiled expression. It knows no time zone and no start, so one
// Cron serves every task that has the same text. It is immutable and safe for
// concurrent use. The zero value never fires.
type Cron struct {
	expr  string
	every time.Duration // of FormEvery; the fields below are then unset

	secs, mins uint64 // bit n: the value n
	hours      uint32
	dates      uint32 // bits 1 to 31
	months     uint16 // bits 1 to 12
	week       uint8  // bits 0 (Sunday) to 6
	years      yearSet
	first      int32 // the earliest matching second of a day

	dateRule dateRule
	dateN    uint8 // L-n: n; nW: n
	weekRule weekRule
	weekN    uint8 // FRI#n: n
	either   bool  // crontab: a day matches by its date or by its weekday
	elapsed  bool  // hours are open: see the rule for time zones in doc.go
	form     formCode
	extra    bool // there was text after the year, which Quartz ignores
}

type formCode uint8

const (
	codeQuartz formCode = iota
	codeCrontab
	codeMacro
	codeEvery
)

// dateRule says how the day-of-month field chooses.
type dateRule uint8

const (
	dateSet     dateRule = iota // one of dates
	dateLast                    // n days before the last
	dateLastW                   // the weekday nearest to that
	dateNearest                 // the weekday nearest to day n
)

// weekRule says how the day-of-week field chooses.
type weekRule uint8

const (
	weekSet  weekRule = iota // one of week
	weekNth                  // the nth such day of the month
	weekLast                 // the last such day of the month
)

// yearSet has bit n for the year MinYear+n.
type yearSet [(MaxYear - MinYear + 64) / 64]uint64

// next gives the first year of the set at or after y.
func (s *yearSet) next(y int) (int, bool) {
	n := max(y-MinYear, 0)
	for w := n / 64; w < len(s); w++ {
		word := s[w]
		if w == n/64 {
			word &= ^uint64(0) << (n % 64)
		}
		if word != 0 {
			return MinYear + w*64 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// ParseCron compiles an expression: six or seven fields in the syntax of
// Quartz 2.3.2, five fields as in a crontab, @yearly, @annually, @monthly,
// @weekly, @daily, @midnight, @hourly, or "@every 5m". What each means is said
// in the package documentation. An error is a *SyntaxError.
func ParseCron(expr string) (*Cron, error) {
	if len(expr) > maxExpr {
		return nil, &SyntaxError{
			Expr: expr[:32] + "…", Column: maxExpr + 1, Found: "a longer expression",
			Want: "at most 2048 characters",
		}
	}
	tokens := split(expr)
	if len(tokens) > 0 && strings.HasPrefix(tokens[0].text, "@") {
		return parseMacro(expr, tokens)
	}
	switch n := len(tokens); {
	case n == len(crontabFields):
		return parseCrontab(expr, tokens)
	case n < len(quartzFields)-1:
		return nil, tooFew(expr, tokens)
	}
	return parseQuartz(expr, tokens)
}

// String is the expression as it was written.
func (c *Cron) String() string { return c.expr }

// Form says in which syntax the expression was written.
func (c *Cron) Form() Form {
	return [...]Form{FormQuartz, FormCrontab, FormMacro, FormEvery}[c.form]
}

// Every is the interval of "@every 5m", and zero for every other form.
func (c *Cron) Every() time.Duration { return c.every }

// Next is the first instant strictly after `after` at which the expression
// fires in the zone; false: never again. "@every" has no calendar: its next
// instant is after plus the interval.
func (c *Cron) Next(after time.Time, zone *time.Location) (time.Time, bool) {
	if c.every > 0 {
		next := after.Add(c.every)
		return next, next.Year() <= MaxYear
	}
	next, ok := c.next(after.Unix(), zone)
	if !ok {
		return time.Time{}, false
	}
	return time.Unix(next, 0).In(zone), true
}

// Warnings are remarks on an expression that is accepted, for a person who
// wrote it.
func (c *Cron) Warnings() []string {
	var out []string
	if c.extra {
		out = append(out, "the text after the year is ignored, as Quartz does")
	}
	if c.either {
		out = append(out, "five fields: a day matches when its date or its weekday does, as in a crontab")
	}
	if c.every == 0 {
		if _, ok := c.nextLocal(localUnix(MinYear, 1, 1)); !ok {
			out = append(out, "no such date exists: it never fires")
		}
	}
	return out
}
