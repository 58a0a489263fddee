package send

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Folder writes mail as .eml files, one a message, for hosts without a mail
// server. Files are named by the time the message was raised, and its id; they
// appear whole or not at all, and are nobody's but the reader's to remove.
type Folder struct{ dir, from string }

// NewFolder makes the folder if need be. An empty from means DefaultFrom.
func NewFolder(dir, from string) (*Folder, error) {
	if from == "" {
		from = DefaultFrom
	}
	if _, err := address(from); err != nil {
		return nil, fmt.Errorf("mail: from: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return &Folder{dir: dir, from: from}, nil
}

// Check refuses what is not one plain mail address.
func (f *Folder) Check(to string) error {
	_, err := recipient(to)
	return err
}

// Send writes the file, durably. A message that has one is accepted already.
func (f *Folder) Send(_ context.Context, m task.Message) error {
	msg, err := compose(m, f.from)
	if err != nil {
		return err
	}
	name := m.Raised.UTC().Format("20060102T150405.000Z") + "-" + safeID(m.ID) + ".eml"
	path := filepath.Join(f.dir, name)
	if _, err := os.Stat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return event.Temporary(0, "mail folder: %w", err)
	}
	if err := f.write(path, func(w *os.File) error { _, err := msg.WriteTo(w); return err }); err != nil {
		return event.Temporary(0, "mail folder: %w", err)
	}
	return nil
}

// write makes a file that is on disk, whole, when it has its name.
func (f *Folder) write(path string, fill func(*os.File) error) error {
	tmp, err := os.CreateTemp(f.dir, ".new-*")
	if err != nil {
		return err
	}
	err = errors.Join(fill(tmp), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	dir, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
