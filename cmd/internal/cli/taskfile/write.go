package taskfile

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Schema is the JSON schema of a task file, which is generated from task.Info.
//
//go:embed task.schema.json
var Schema []byte

// Writer writes tasks as documents of one file. Make it with NewWriter.
type Writer struct {
	w    io.Writer
	next string // what goes before the next document
}

// NewWriter makes one. Nothing is written before the first task.
func NewWriter(w io.Writer) *Writer { return &Writer{w, definition.FileHeader} }

// Write adds a task, as definition.File writes it.
func (w *Writer) Write(info *task.Info) error {
	text, err := definition.File(info)
	if err != nil {
		return fmt.Errorf("write task %s: %w", info.Name, err)
	}
	_, err = w.w.Write(append([]byte(w.next), text...))
	w.next = "---\n"
	return err
}
