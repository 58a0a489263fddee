package descriptor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// MaxProblems bounds how many faults of a file are listed; the rest are counted.
const MaxProblems = 20

// Problem is one fault of a descriptor, at a place counted from 1.
type Problem struct {
	Line, Column int
	Message      string
}

// Error lists what is wrong with a descriptor, in the order of the file.
type Error struct {
	File     string
	Problems []Problem // 1 to MaxProblems
	More     int       // faults beyond MaxProblems
}

// Error gives a line "file:line:column: message" for each problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", e.File, p.Line, p.Column, p.Message))
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", e.File, e.More))
	}
	return strings.Join(lines, "\n")
}

// longestMessage bounds a message, which may quote the file.
const longestMessage = 400

// faults gathers problems while a file is read.
type faults []Problem

func (f *faults) addf(at dataservice.Position, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if len(message) > longestMessage {
		message = strings.ToValidUTF8(message[:longestMessage], "") + "…"
	}
	*f = append(*f, Problem{Line: max(at.Line, 1), Column: max(at.Column, 1), Message: message})
}

// err gives nil when nothing was found.
func (f *faults) err(file string) error {
	if len(*f) == 0 {
		return nil
	}
	slices.SortStableFunc(*f, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	list := slices.Compact(*f)
	e := &Error{File: file, Problems: list}
	if len(list) > MaxProblems {
		e.Problems, e.More = list[:MaxProblems], len(list)-MaxProblems
	}
	return e
}
