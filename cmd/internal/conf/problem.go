package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a configuration.
type Problem struct {
	// File, or where else the value comes from: "--listen", "BELFRY_LISTEN".
	File string
	// Line and Column count from 1; zero: not in a file.
	Line, Column int
	Message      string
}

// String gives "file:line:column: message".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Error lists what is wrong with a configuration, in the order of the file.
type Error struct{ Problems []Problem }

// Error gives a line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxProblems bounds how many are listed.
const maxProblems = 20

// problems gathers faults; err gives nil when there are none.
type problems []Problem

func (p *problems) addf(o Origin, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if len(message) > 400 {
		message = strings.ToValidUTF8(message[:400], "") + "…"
	}
	*p = append(*p, Problem{File: o.Where, Line: o.Line, Column: o.Column, Message: message})
}

func (p *problems) err() error {
	list := *p
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if len(list) > maxProblems {
		more := Problem{File: list[maxProblems].File, Message: fmt.Sprintf("and %d more", len(list)-maxProblems)}
		list = append(list[:maxProblems:maxProblems], more)
	}
	return &Error{Problems: list}
}
