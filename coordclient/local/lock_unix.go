package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// lockFile is held as long as the file is open, and no longer than the process
// lives. It is never deleted: a second process could hold the deleted one.
type lockFile struct{ f *os.File }

// holder is what the lock's file says of who has it.
type holder struct {
	PID   int       `json:"pid"`
	Node  string    `json:"node"`
	Since time.Time `json:"since"`
}

func takeLock(path, node string, now time.Time) (*lockFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	for errors.Is(err, syscall.EINTR) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, inUse(f)
		}
		return nil, fmt.Errorf("lock %s: %w (the data directory must be on a local file system)", path, err)
	}
	if err := write(f, holder{os.Getpid(), node, now.UTC().Truncate(time.Second)}); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return &lockFile{f}, nil
}

func write(f *os.File, h holder) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}

// InUseError says that another process has the store open.
type InUseError struct {
	PID  int    // 0 if it is not known
	Node string // "" if it is not known
	// Since when, zero if it is not known.
	Since time.Time
}

// Error names the holder and the next step.
func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d (node %s, since %s)", e.PID, e.Node, e.Since.Format(time.RFC3339))
	}
	return "it is in use by " + who + ": stop that host first, or start this one with another data directory"
}

func inUse(f *os.File) error {
	var h holder
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil || json.Unmarshal(text, &h) != nil {
		return &InUseError{} // its holder is just writing it
	}
	return &InUseError{PID: h.PID, Node: h.Node, Since: h.Since}
}

// release unlocks before it closes: a process that is just being forked has the
// file open too, until it executes its program.
func (l *lockFile) release() error {
	return errors.Join(syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN), l.f.Close())
}
