package taskfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Format is the number of the format that is written, and the highest that is
// read.
const Format = definition.FileFormat

// MaxFile bounds a file in bytes.
const MaxFile = 64 << 20

// maxProblems bounds those that are told of at once.
const maxProblems = 20

// Task is a task with where it was found.
type Task struct {
	control.Desired
	File string
	Line int
}

// Problem is a fault with its place.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// String gives "file:line:column: message".
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Error is all that is wrong with files, as far as they could be read.
type Error struct {
	Problems []Problem
	More     int // that are not listed
}

// Error lists the problems, a line each.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems)+1)
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// Read reads the tasks of files, of the .yaml and .yml files below folders, of
// patterns such as tasks/*.yaml, and, for "-", of stdin. Errors: *Error; those
// of the file system.
func Read(paths []string, stdin io.Reader) ([]Task, error) {
	var (
		tasks  []Task
		faults Error
	)
	for _, path := range paths {
		files, err := expand(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := slurp(file, stdin)
			if err != nil {
				return nil, err
			}
			tasks = append(tasks, parse(file, text, &faults)...)
		}
	}
	seen := make(map[task.Key]Task, len(tasks))
	for _, t := range tasks {
		if first, ok := seen[t.Key]; ok {
			faults.add(Problem{t.File, t.Line, 1, fmt.Sprintf("task %s is in %s:%d too", t.Name, first.File, first.Line)})
		}
		seen[t.Key] = t
	}
	if len(faults.Problems) > 0 {
		return nil, &faults
	}
	return tasks, nil
}

func (e *Error) add(p Problem) {
	if len(e.Problems) >= maxProblems {
		e.More++
		return
	}
	e.Problems = append(e.Problems, p)
}

// expand lists the files that a path names.
func expand(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?["):
		files, err := filepath.Glob(path)
		if err == nil && len(files) == 0 {
			err = fmt.Errorf("no file matches %s", path)
		}
		return files, err
	case err != nil:
		return nil, err
	case !info.IsDir():
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)) {
			files = append(files, file)
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no .yaml or .yml file below %s", path)
	}
	return files, err
}

func slurp(file string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxFile+1))
	if err == nil && len(text) > MaxFile {
		err = fmt.Errorf("%s has more than %d bytes", file, MaxFile)
	}
	return text, err
}

// parse reads the documents of one file.
func parse(file string, text []byte, faults *Error) []Task {
	if file == "-" {
		file = "stdin"
	}
	var tasks []Task
	documents := yaml.NewDecoder(strings.NewReader(string(text)))
	for {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return tasks
		}
		if err != nil {
			faults.add(syntax(file, err))
			return tasks
		}
		if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
			continue // an empty document
		}
		node := document.Content[0]
		d := decoder{file: file, faults: faults}
		t := Task{File: file, Line: node.Line}
		d.task(node, &t)
		tasks = append(tasks, t)
	}
}

// syntax takes the line out of what package yaml says.
func syntax(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Column: 1, Message: strings.TrimPrefix(err.Error(), "yaml: ")}
	if _, scanErr := fmt.Sscanf(p.Message, "line %d:", &p.Line); scanErr == nil {
		_, p.Message, _ = strings.Cut(p.Message, ": ")
	}
	return p
}
