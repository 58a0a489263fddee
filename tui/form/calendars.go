package form

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/tui/screen"
	"github.com/seed42aab489/belfry/tui/widget"
)

// calendars tells whether names of calendars are written in the field.
func (f field) calendars() bool { return f.name == fieldAllow || f.name == fieldForbid }

// outsides are the choices of fieldOutside.
func outsides(info task.Info) []string {
	choices := []string{string(task.OutsideSkip), string(task.OutsideDefer), string(task.OutsideOnce)}
	if info.Reply != nil || info.Windows != nil && info.Windows.Outside == task.OutsideAgent {
		choices = append(choices, string(task.OutsideAgent))
	}
	return choices
}

// names reads names that are apart by commas or spaces.
func names(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// windows makes what the fields say of calendars. What is not changed stays as it
// was written.
func (f Form) windows() *task.Windows {
	w := &task.Windows{Allow: names(f.of(fieldAllow)), Forbid: names(f.of(fieldForbid)), Outside: task.Outside(f.of(fieldOutside))}
	if len(w.Allow)+len(w.Forbid) == 0 {
		return nil
	}
	was := cmp.Or(f.was.Windows, &task.Windows{})
	w.Outside = unless(w.Outside, task.OutsideSkip, was.Outside)
	if f.was.Windows != nil && w.Outside == was.Outside && slices.Equal(w.Allow, was.Allow) && slices.Equal(w.Forbid, was.Forbid) {
		return f.was.Windows
	}
	return w
}

// offered are the calendars that the last name of a field may become: those that
// begin with it, or all once it is one of them; without those that are named
// before it.
func offered(s *screen.Scene, text string) (before string, found []string) {
	last := text[strings.LastIndexAny(text, ", ")+1:]
	before = strings.TrimSuffix(text, last)
	taken := names(before)
	var all []string
	for _, c := range s.Picture.Calendars {
		if !slices.Contains(taken, c.Name) {
			all = append(all, c.Name)
		}
	}
	if slices.Contains(all, last) {
		return before, all
	}
	for _, name := range all {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(last)) {
			found = append(found, name)
		}
	}
	return before, found
}

// complete makes the last name of a field the next calendar, or the one before,
// that it may be.
func (f Form) complete(s *screen.Scene, x *field, on bool) {
	before, found := offered(s, x.line.Text())
	if len(found) > 0 {
		x.line = widget.NewLine(before + turn(found, strings.TrimPrefix(x.line.Text(), before), on))
	}
}

// hint is the help of a field of calendars: which there are.
func hint(s *screen.Scene, x field) string {
	_, found := offered(s, x.line.Text())
	switch {
	case len(s.Picture.Calendars) == 0:
		return "no calendar is made yet: belfry calendar set makes one"
	case len(found) == 0:
		return x.help
	}
	return "ctrl-n: " + strings.Join(found, ", ")
}
