package trigger

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says why an expression was refused, and where.
type SyntaxError struct {
	Expr   string
	Field  string // "hours", "day of week"; empty when no one field is at fault
	Column int    // of the offending text, in characters from 1
	Found  string // what stands there
	Want   string // what may stand there
	Hint   string // what the writer may have meant; may be empty
}

// Error gives one line: where, what, what is allowed, and the hint.
func (e *SyntaxError) Error() string {
	var b strings.Builder
	if e.Field != "" {
		fmt.Fprintf(&b, "%s, ", e.Field)
	}
	fmt.Fprintf(&b, "column %d: found %s, want %s", e.Column, e.Found, e.Want)
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// column turns a byte offset into a column.
func column(expr string, offset int) int { return utf8.RuneCountInString(expr[:offset]) + 1 }

// tooFew refuses an expression that has fewer fields than any form.
func tooFew(expr string, tokens []token) error {
	e := &SyntaxError{
		Expr:   expr,
		Column: column(expr, len(expr)),
		Found:  fmt.Sprintf("%d fields", len(tokens)),
		Want:   "6 or 7 fields (seconds minutes hours day-of-month month day-of-week [year]), 5 as in a crontab, or @daily",
	}
	switch len(tokens) {
	case 0:
		e.Found = "nothing"
	case 1:
		e.Found = "1 field"
	}
	return e
}

// withQuartzHint adds what the writer of a Quartz expression most often meant.
func withQuartzHint(err error, tokens []token) error {
	var e *SyntaxError
	if !errors.As(err, &e) || e.Hint != "" {
		return err
	}
	switch text := tokens[0].text; {
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		e.Hint = "the time zone has a setting of its own"
	case e.Field == "year" && strings.Trim(e.Found, `"0123456789`) == "":
		e.Hint = "years have four digits"
	case e.Field == "day of week" && e.Found == `"0"`:
		e.Hint = "in six or seven fields Sunday is 1, or SUN"
	case strings.Contains(e.Found, "?"):
		e.Hint = "'?' stands alone, in day of month or day of week"
	}
	return e
}

// withCrontabHint points at the missing seconds when five fields hold what
// only Quartz knows.
func withCrontabHint(err error, tokens []token) error {
	var e *SyntaxError
	if !errors.As(err, &e) {
		return err
	}
	for _, t := range tokens {
		if strings.ContainsAny(t.text, "?#") || strings.HasSuffix(t.text, "L") || strings.HasSuffix(t.text, "W") {
			e.Hint = fmt.Sprintf("5 fields are read as a crontab's; for Quartz put the seconds first: %.80q", "0 "+e.Expr)
			return e
		}
	}
	e.Hint = "5 fields are read as a crontab's: minutes hours day-of-month month day-of-week"
	return e
}
