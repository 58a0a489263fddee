package timer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxCondition bounds a condition in bytes.
const maxCondition = 1 << 10

// Condition tells whether a handler is for an event:
//
//	/event/_taskName =~ task1
//	/event/resource == testFile && /event/_taskName !~ "nightly.*"
//
// A clause is a path below /event, an operator and a value, or a path alone,
// which asks whether it is there. =~ and !~ match the whole value with a regular
// expression (RE2); == and != compare text. && binds stronger than ||. A value
// may be quoted, by Go's rules. A path that is not there makes =~ and == false,
// and !~ and != true. The zero value always holds.
type Condition struct {
	text string
	any  [][]clause // one of them, all of it
}

type clause struct {
	path  []string
	op    string // empty: it is there
	value string
	match *regexp.Regexp
}

var operators = []string{"=~", "!~", "==", "!="}

// ParseCondition reads a condition.
func ParseCondition(text string) (Condition, error) {
	c := Condition{text: strings.TrimSpace(text)}
	if len(text) > maxCondition {
		return Condition{}, fmt.Errorf("a condition of %d bytes: at most %d", len(text), maxCondition)
	}
	ors, err := split(text, "||")
	if err != nil {
		return Condition{}, err
	}
	for _, or := range ors {
		ands, err := split(or, "&&")
		if err != nil {
			return Condition{}, err
		}
		var all []clause
		for _, and := range ands {
			one, err := parseClause(strings.TrimSpace(and))
			if err != nil {
				return Condition{}, fmt.Errorf("condition %q: %w", c.text, err)
			}
			all = append(all, one)
		}
		c.any = append(c.any, all)
	}
	return c, nil
}

// split parts text at an operator outside of quotes.
func split(text, at string) ([]string, error) {
	var parts []string
	var quote byte
	from := 0
	for i := 0; i < len(text); i++ {
		switch {
		case quote != 0 && text[i] == '\\' && quote == '"':
			i++
		case quote != 0:
			if text[i] == quote {
				quote = 0
			}
		case text[i] == '"' || text[i] == '`':
			quote = text[i]
		case strings.HasPrefix(text[i:], at):
			parts = append(parts, text[from:i])
			i += len(at) - 1
			from = i + 1
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("condition %q: a quote is not closed", text)
	}
	return append(parts, text[from:]), nil
}

func parseClause(text string) (clause, error) {
	end := strings.IndexAny(text, " \t=!")
	if end < 0 {
		end = len(text)
	}
	path, rest := text[:end], strings.TrimSpace(text[end:])
	parts := strings.Split(path, "/")
	if len(parts) < 3 || parts[0] != "" || parts[1] != "event" || slices.Contains(parts[2:], "") {
		return clause{}, fmt.Errorf("%q is no path like /event/_taskName", path)
	}
	c := clause{path: parts[2:]}
	if rest == "" {
		return c, nil
	}
	i := slices.IndexFunc(operators, func(op string) bool { return strings.HasPrefix(rest, op) })
	if i < 0 {
		return clause{}, fmt.Errorf("%q begins with no operator: use %s", rest, strings.Join(operators, ", "))
	}
	c.op, c.value = operators[i], strings.TrimSpace(rest[2:])
	if strings.HasPrefix(c.value, `"`) || strings.HasPrefix(c.value, "`") {
		var err error
		if c.value, err = strconv.Unquote(c.value); err != nil {
			return clause{}, errors.New("the quoted value cannot be read")
		}
	} else if c.value == "" {
		return clause{}, fmt.Errorf("no value after %s", c.op)
	}
	if c.op == "=~" || c.op == "!~" {
		var err error
		if c.match, err = regexp.Compile(`\A(?:` + c.value + `)\z`); err != nil {
			return clause{}, fmt.Errorf("the regular expression %q cannot be read: %w", c.value, err)
		}
	}
	return c, nil
}

// String gives the condition as written.
func (c Condition) String() string { return c.text }

// Holds tells whether it does of the event.
func (c Condition) Holds(e Event) bool {
	return len(c.any) == 0 || slices.ContainsFunc(c.any, func(all []clause) bool {
		return !slices.ContainsFunc(all, func(one clause) bool { return !one.holds(e) })
	})
}

func (c clause) holds(e Event) bool {
	value, there := e.lookup(c.path)
	switch c.op {
	case "=~":
		return there && c.match.MatchString(value)
	case "!~":
		return !there || !c.match.MatchString(value)
	case "==":
		return there && value == c.value
	case "!=":
		return !there || value != c.value
	default:
		return there
	}
}
