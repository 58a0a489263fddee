package timeline

import (
	"errors"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// A calendar that cannot be consulted lets nothing fire, and one that opens and
// closes all the time does not keep the timeline busy.
func TestOddCalendars(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	busy, err := calendar.Compile(calendar.Definition{Name: "busy", Cron: []string{"30 * * * * ? for 1s"}})
	if err != nil {
		t.Fatal(err)
	}
	book := &calendar.Book{Calendars: map[string]*calendar.Calendar{"busy": busy}}
	for name, want := range map[string]Cell{"gone": {Closed: true}, "busy": {Closed: true}} {
		info := task.Info{Key: task.Key{Name: "x"}, Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1}}
		info.From, info.Windows = now, &task.Windows{Allow: []string{name}}
		v := View{From: now, To: now.Add(360 * 24 * time.Hour), Now: now, CellMS: (24 * time.Hour).Milliseconds()}
		s := v.Strip(&info, contract.Waiting, standing.Bucket{Book: book, Fault: errors.New("not read")}, new(trigger.Compiler))
		for i, c := range s.Cells {
			if c != want {
				t.Fatalf("%s: day %d is %+v, want %+v", name, i, c, want)
			}
		}
	}
}
