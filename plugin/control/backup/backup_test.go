package backup

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// text is a backup of two tasks, and of calendars.
func text(t *testing.T, calendars ...calendar.Definition) (string, Summary) {
	t.Helper()
	var b bytes.Buffer
	w, err := Begin(&b, "c1", "ann", time.Date(2026, 11, 23, 9, 0, 0, 5, time.UTC), calendars)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"a", "b"} {
		n, err := w.Task(&task.Info{Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock"})
		if err != nil || n != i+1 {
			t.Fatalf("%d, %v", n, err)
		}
	}
	s, err := w.End()
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), s
}

// What was written is read again, calendars first, and described alike.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, calendars := range map[string][]calendar.Definition{
		"plain":          nil,
		"with calendars": {{Name: "office", Weekly: []string{"mon-fri 09:00-17:00"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, written := text(t, calendars...)
			var names []string
			s, err := Read(strings.NewReader(whole), func(item Item) error {
				if item.Calendar != nil {
					names = append(names, item.Calendar.Name)
				} else {
					names = append(names, item.Task.Name)
				}
				return nil
			})
			if err != nil || s != written || s.Format != 1+len(calendars) || s.By != "ann" || s.Tasks != 2 || s.Made.Nanosecond() != 0 {
				t.Errorf("%+v, %v; written %+v", s, err, written)
			}
			if got := strings.Join(names, " "); got != map[int]string{0: "a b", 1: "office a b"}[len(calendars)] {
				t.Errorf("read %s", got)
			}
		})
	}
}

// One that is not whole, or not ours, is refused, whatever is wrong with it.
func TestDamaged(t *testing.T) {
	t.Parallel()
	whole, _ := text(t)
	lines := strings.SplitAfter(whole, "\n")
	for name, damaged := range map[string]string{
		"empty":       "",
		"no backup":   "{}\n",
		"newer":       strings.Replace(whole, `"belfry_backup":1`, `"belfry_backup":3`, 1),
		"cut":         lines[0] + lines[1],
		"a line gone": lines[0] + lines[2] + lines[3],
		"a bit":       strings.Replace(whole, "getLowStock", "getLowStocK", 1),
		"a tail":      whole + "x\n",
		"no task":     lines[0] + "{}\n" + lines[3],
		"too long":    lines[0] + strings.Repeat("x", maxLine+1),
	} {
		_, err := Read(strings.NewReader(damaged), func(Item) error { return nil })
		if e := failure.Of(err); e == nil || e.Code != failure.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errFull = errors.New("full")

// Whatever each says ends the reading.
func TestReadEnds(t *testing.T) {
	t.Parallel()
	whole, _ := text(t)
	if _, err := Read(strings.NewReader(whole), func(Item) error { return errFull }); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}
