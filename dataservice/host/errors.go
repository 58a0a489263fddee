package host

import (
	"errors"
	"io/fs"
	"strings"
)

// located puts a file's name before each line of an error, so that a position
// in it can be followed.
type located struct {
	file string
	err  error
}

func (l *located) Error() string {
	lines := strings.Split(l.err.Error(), "\n")
	for i, line := range lines {
		gap := " "
		if line != "" && line[0] >= '0' && line[0] <= '9' {
			gap = ""
		}
		lines[i] = l.file + ":" + gap + line
	}
	return strings.Join(lines, "\n")
}

func (l *located) Unwrap() error { return l.err }

// cause drops the path from a file's error: it is said before it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
