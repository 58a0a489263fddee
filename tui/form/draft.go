package form

import (
	"slices"

	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// values are those of all fields, by name.
func (f Form) values() map[string]string {
	values := make(map[string]string, len(f.fields))
	for _, x := range f.fields {
		values[x.name] = x.line.Text()
	}
	return values
}

// Draft is what was typed, to go on with it another time. False: nothing was.
func (f Form) Draft(s *screen.Scene) (screen.Draft, bool) {
	d := screen.Draft{At: s.Now, Fields: f.values()}
	if f.edits {
		d.Task, d.Revision = f.was.Key, f.was.Revision
	}
	return d, !d.Like(screen.Draft{Task: d.Task, Revision: d.Revision, Fields: f.began})
}

// offered is the draft that the form can go on with: of the same task, or of a new
// one, while nothing was typed. Nil: none.
func (f Form) offered(s *screen.Scene) *screen.Draft {
	d := s.Draft
	if _, typed := f.Draft(s); d == nil || typed {
		return nil
	}
	if f.edits && d.Task == f.was.Key || !f.edits && d.Task.Name == "" {
		return d
	}
	return nil
}

// resume goes on with a draft. What does not fit any more is judged as if it was
// typed.
func (f Form) resume(s *screen.Scene, d *screen.Draft) (Form, screen.Effect) {
	f.fields = slices.Clone(f.fields)
	for i := range f.fields {
		x := &f.fields[i]
		if value, ok := d.Fields[x.name]; ok && !x.fixed {
			x.line = widget.NewLine(value)
		}
		if x.name == fieldOperation {
			x.choices = operations(s, f.of(fieldService))
		}
	}
	if f.edits && d.Revision != f.was.Revision {
		return f, screen.Say{Text: "the task was changed since this was typed; ctrl-s shows what would change", Bad: true}
	}
	return f, screen.Say{Text: "this is what was typed " + widget.Ago(s.Now.Sub(d.At))}
}
