package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// lookAgain is how often a file is asked whether it changed, at most.
const lookAgain = time.Second

// file is what a file holds, read again when it changes. Safe for concurrent use.
type file[T any] struct {
	path    string
	private bool // nobody but the owner may read it; otherwise nobody may write it
	parse   func(data []byte) (T, error)
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex  // guards what follows
	looked  time.Time   // when it was last asked
	seen    fs.FileInfo // what it answered
	readAt  time.Time
	data    []byte
	problem string
	value   T
	version int // counts the values
}

// open reads the file for the first time; then, a fault is an error.
func open[T any](f *file[T]) (*file[T], error) {
	f.looked = f.now()
	if err := f.read(); err != nil {
		return nil, err
	}
	return f, nil
}

// get gives the value and its version.
func (f *file[T]) get() (T, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookAgain || now.Before(f.looked) {
		f.looked = now
		if err := f.read(); err != nil && err.Error() != f.problem {
			f.problem = err.Error()
			f.log.Error("what was read before stays in force", "err", err)
		}
	}
	return f.value, f.version
}

// coarse is the resolution of a file's time that is relied on: what is younger may
// change again without showing it.
const coarse = 2 * time.Second

func (f *file[T]) read() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, reason(err))
	}
	if f.seen != nil && same(info, f.seen) && f.readAt.Sub(info.ModTime()) > coarse {
		return nil
	}
	f.seen, f.readAt = info, f.now()
	forbidden := fs.FileMode(0o022)
	if f.private {
		forbidden = 0o077
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("%s: it is open to others (mode %04o); close it with chmod %04o", f.path, mode, mode&^forbidden)
	}
	data, err := content(f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, reason(err))
	}
	if f.version > 0 && bytes.Equal(data, f.data) {
		return nil
	}
	value, err := f.parse(data)
	if err != nil {
		return located(f.path, err)
	}
	f.value, f.data, f.problem = value, data, ""
	f.version++
	return nil
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && a.Mode() == b.Mode()
}

// content reads a file that is not larger than maxFile.
func content(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	return data, errors.Join(err, in.Close())
}

// reason drops the operation and the path of a file's error.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// located puts the file's name before each line of an error; those that begin with
// a number are about that line of the file.
func located(path string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		gap := " "
		if line != "" && line[0] >= '0' && line[0] <= '9' {
			gap = ""
		}
		lines[i] = path + ":" + gap + line
	}
	return errors.New(strings.Join(lines, "\n"))
}
