package task

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxKept bounds the files of what was deleted; the oldest go.
const maxKept = 50

// copies is a task file of what one command has deleted, made when the first task
// is. Only its owner may read it: definitions may name more than all should read.
type copies struct {
	e      *env.Env
	f      *os.File
	writer *taskfile.Writer
	err    error
}

// add keeps a task. That it cannot be kept is told by file: it is deleted anyway.
func (k *copies) add(info *task.Info) {
	if k.e.DryRun || k.err != nil {
		return
	}
	if k.f == nil {
		if k.f, k.err = k.open(); k.err != nil {
			return
		}
		k.writer = taskfile.NewWriter(k.f)
	}
	k.err = k.writer.Write(info)
}

func (k *copies) open() (*os.File, error) {
	state := k.e.StateFolder()
	if state == "" {
		return nil, errors.New("neither HOME nor XDG_STATE_HOME is set")
	}
	folder := filepath.Join(state, "deleted")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := sweep(folder); err != nil {
		return nil, err
	}
	// Their names are in the order in which they were made.
	return os.CreateTemp(folder, k.e.Now().UTC().Format("20060102T150405.000Z")+"-*"+suffix)
}

const suffix = ".yaml"

// sweep leaves room for one more file.
func sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(f os.DirEntry) bool { return f.IsDir() || !strings.HasSuffix(f.Name(), suffix) })
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, f := range entries[:max(0, len(entries)-maxKept+1)] {
		if err := os.Remove(filepath.Join(folder, f.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// file is where the tasks are kept; empty: none was deleted.
func (k *copies) file() (string, error) {
	if k.f == nil {
		return "", k.err
	}
	return k.f.Name(), errors.Join(k.err, k.f.Sync())
}

func (k *copies) close() {
	if k.f != nil {
		_ = k.f.Close() // what was written is synced
	}
}
