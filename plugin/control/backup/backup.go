package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The formats. A backup without calendars is of the plain one.
const (
	plainFormat     = 1
	calendarsFormat = 2
	// Format is the highest that is written and read.
	Format = calendarsFormat
)

// maxLine bounds a line in bytes.
const maxLine = 2 * max(store.MaxDefinition, store.MaxCalendar)

// Summary describes a backup.
type Summary struct {
	Format    int       `json:"belfry_backup"`
	Cluster   string    `json:"cluster"` // the uuid of the group that it was made of
	Made      time.Time `json:"made"`
	By        string    `json:"by"`
	Calendars int       `json:"calendars"`
	Tasks     int       `json:"tasks"`
	SHA256    string    `json:"sha256"`
}

// Item is what a line between head and end holds: one of them.
type Item struct {
	Task     *task.Info           `json:"task,omitempty"`
	Calendar *calendar.Definition `json:"calendar,omitempty"`
}

type head struct {
	Format  int       `json:"belfry_backup"`
	Cluster string    `json:"cluster"`
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
}

type end struct {
	End struct {
		Calendars int    `json:"calendars,omitempty"`
		Tasks     int    `json:"tasks"`
		SHA256    string `json:"sha256"`
	} `json:"end"`
}

// Writer writes a backup, line by line. Make it with Begin, and end it with End.
type Writer struct {
	w   io.Writer
	sum hash.Hash
	all Summary
}

// Begin writes the head, and the calendars, which go before the tasks that name
// them. Made is written to the second. Errors: those of w.
func Begin(w io.Writer, cluster, by string, made time.Time, calendars []calendar.Definition) (*Writer, error) {
	out := &Writer{w: w, sum: sha256.New(), all: Summary{
		Format: plainFormat, Cluster: cluster, By: by, Made: made.UTC().Truncate(time.Second), Calendars: len(calendars),
	}}
	if len(calendars) > 0 {
		out.all.Format = calendarsFormat
	}
	if err := out.line(head{out.all.Format, out.all.Cluster, out.all.Made, out.all.By}); err != nil {
		return nil, err
	}
	for i := range calendars {
		if err := out.line(Item{Calendar: &calendars[i]}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Task writes a task, and tells how many there are so far. Errors: those of the
// io.Writer.
func (w *Writer) Task(info *task.Info) (int, error) {
	if err := w.line(Item{Task: info}); err != nil {
		return w.all.Tasks, err
	}
	w.all.Tasks++
	return w.all.Tasks, nil
}

// End writes the end. Errors: those of the io.Writer.
func (w *Writer) End() (Summary, error) {
	w.all.SHA256 = hex.EncodeToString(w.sum.Sum(nil))
	var last end
	last.End.Calendars, last.End.Tasks, last.End.SHA256 = w.all.Calendars, w.all.Tasks, w.all.SHA256
	return w.all, w.line(last)
}

func (w *Writer) line(record any) error {
	text, err := json.Marshal(record)
	if err == nil {
		text = append(text, '\n')
		w.sum.Write(text)
		_, err = w.w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("write backup: %w", err)
	}
	return nil
}

// Read reads a backup and gives each item to each as it comes, calendars
// first, before it is known whether all is there. Code: invalid; and what each returns.
func Read(r io.Reader, each func(Item) error) (Summary, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	sum := sha256.New()
	var s Summary
	for n := 1; lines.Scan(); n++ {
		line := lines.Bytes()
		switch {
		case n == 1:
			if json.Unmarshal(line, &s) != nil || s.Format < 1 {
				return s, failure.Invalid("it is no backup of Belfry")
			}
			if s.Format > Format {
				return s, failure.Invalid("backup format %d is of a newer Belfry; this one reads up to %d", s.Format, Format)
			}
		case bytes.HasPrefix(line, []byte(`{"end":`)):
			return s, s.ended(line, sum, lines)
		default:
			if err := s.item(line, each); err != nil {
				if _, ok := errors.AsType[*failure.Error](err); ok {
					return s, err
				}
				return s, fmt.Errorf("line %d: %w", n, err)
			}
		}
		sum.Write(line)
		sum.Write([]byte{'\n'})
	}
	if err := lines.Err(); err != nil {
		return s, failure.Invalid("backup: %v", err)
	}
	return s, failure.Invalid("the backup was cut: it has no end")
}

func (s *Summary) item(line []byte, each func(Item) error) error {
	var item Item
	err := json.Unmarshal(line, &item)
	switch {
	case err == nil && item.Task != nil && item.Task.Name != "":
		s.Tasks++
	case err == nil && item.Calendar != nil && item.Calendar.Name != "":
		s.Calendars++
	default:
		return failure.Invalid("the backup is damaged: a line is neither task nor calendar")
	}
	return each(item)
}

func (s *Summary) ended(line []byte, sum hash.Hash, lines *bufio.Scanner) error {
	var last end
	if err := json.Unmarshal(line, &last); err != nil {
		return failure.Invalid("the backup is damaged: its end cannot be read")
	}
	s.SHA256 = hex.EncodeToString(sum.Sum(nil))
	switch {
	case last.End.SHA256 != s.SHA256:
		return failure.Invalid("the backup is damaged: its checksum is %s, and should be %s", s.SHA256, last.End.SHA256)
	case last.End.Tasks != s.Tasks:
		return failure.Invalid("the backup is damaged: it has %d tasks, and should have %d", s.Tasks, last.End.Tasks)
	case last.End.Calendars != s.Calendars:
		return failure.Invalid("the backup is damaged: it has %d calendars, and should have %d", s.Calendars, last.End.Calendars)
	case lines.Scan():
		return failure.Invalid("the backup is damaged: something follows its end")
	}
	return nil
}
