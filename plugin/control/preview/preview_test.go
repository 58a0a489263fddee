package preview

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday
	book := &calendar.Book{Calendars: make(map[string]*calendar.Calendar), Faults: map[string]error{"torn": errors.New("it is torn")}}
	for _, d := range []calendar.Definition{
		{Name: "office", Weekly: []string{"mon-fri 08:00-18:00"}}, {Name: "nights", Weekly: []string{"mon-sun 22:00-04:00"}}, {Name: "busy", Cron: []string{"0 * * * * ? for 1s"}},
	} {
		c, err := calendar.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		book.Calendars[d.Name] = c
	}
	for name, c := range map[string]struct {
		change func(*task.Info)
		field  string // of the fault; empty: none
		says   string // in the fault, or else in what it would do
		next   string
	}{
		"an interval":         {change: func(*task.Info) {}, says: "every 1m", next: "2026-11-23T09:00:00Z"},
		"cron":                {change: cron("0 30 2 * * ?", ""), says: "02:30", next: "2026-11-24T02:30:00Z"},
		"no name":             {change: func(i *task.Info) { i.Name = "" }, field: "name", says: "empty"},
		"a taken name":        {change: func(i *task.Info) { i.Name = "taken" }, field: "name", says: "exists"},
		"half an expression":  {change: cron("0 30 2 *", ""), field: "cron", says: "4 fields"},
		"a bad hour":          {change: cron("0 30 25 * * ?", ""), field: "cron", says: "hours"},
		"no such zone":        {change: cron("0 30 2 * * ?", "Mars/Base"), field: "tz", says: "Mars"},
		"no service":          {change: func(i *task.Info) { i.Service = "" }, field: "service", says: "no service"},
		"with parameters":     {change: func(i *task.Info) { i.Operation = "setStock" }, field: "operation", says: "parameters"},
		"too many attempts":   {change: func(i *task.Info) { i.Retry.Max = 1000 }, field: "policy", says: "retry"},
		"only in the past":    {change: func(i *task.Info) { i.Trigger = task.TriggerInfo{At: now.Add(-time.Hour)} }, field: "at", says: ""},
		"clocks that change":  {change: cron("0 30 2 * * ?", "Europe/Berlin"), says: "02:30 does not exist", next: "2026-11-24T01:30:00Z"},
		"clocks that go back": {change: cron("0 30 * * * ?", "America/New_York"), says: "happens twice", next: "2026-11-23T09:30:00Z"},
		"no such calendar":    {change: in(hourly, "ofice", ""), field: "allow", says: "there is no calendar ofice"},
		"a torn calendar":     {change: out(hourly, "torn"), field: "forbid", says: "it is torn"},
		"in a calendar":       {change: in(hourly, "office", ""), says: "2610 a year", next: "2026-11-23T09:30:00Z"},
		"not in a calendar":   {change: out(hourly, "office"), says: "6150 a year; CALENDAR_EXCLUDED: calendar office forbids it: skipped", next: "2026-11-23T09:30:00Z"},
		"deferred":            {change: in(hourly, "nights", task.OutsideDefer), says: "8760 a year; CALENDAR_EXCLUDED: outside calendar nights: deferred", next: "2026-11-23T09:30:00Z"},
		"once for others":     {change: in(hourly, "nights", task.OutsideOnce), says: "2556 a year; CALENDAR_EXCLUDED: outside calendar nights: deferred", next: "2026-11-23T09:30:00Z"},
		"never in it":         {change: in("0 0 12 * * ?", "nights", ""), says: "0 a year; CALENDAR_EXCLUDED: outside calendar nights: skipped; its calendars let none", next: "2026-11-23T12:00:00Z"},
		"too often to count":  {change: in(hourly, "busy", ""), says: "8760 a year", next: "2026-11-23T09:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := minutely("new")
			c.change(&info)
			beside := Beside{Services: catalogue(), Calendars: book, Taken: func(k task.Key) bool { return k.Name == "taken" }}
			p := Of(info, beside, now, 3)
			if c.field != "" {
				f, ok := p.Fault(c.field)
				if !ok || !strings.Contains(f.Text, c.says) {
					t.Errorf("faults %+v, want one of %s that says %q", p.Faults, c.field, c.says)
				}
				return
			}
			told := fmt.Sprintf("%s %d a year", p.Text, p.Year)
			if len(p.Next) > 0 && p.Next[0].Why != "" {
				told += "; " + p.Next[0].Why
			}
			told += "; " + strings.Join(p.Warnings, "; ")
			for _, n := range p.Clock {
				told += "; " + n.Note
			}
			if len(p.Faults) > 0 || !strings.Contains(told, c.says) || len(p.Next) != 3 || p.Next[0].At.UTC().Format(time.RFC3339) != c.next {
				t.Errorf("%s: %+v", told, p)
			}
		})
	}
}

func minutely(name string) task.Info {
	return task.Info{
		Key: task.Key{Name: name}, Service: "Stock", Operation: "getLowStock",
		Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
	}
}

func catalogue() []contract.ServiceView {
	return []contract.ServiceView{{Name: "Stock", Status: contract.StatusActive, Operations: []contract.OperationView{
		{Service: "Stock", Name: "getLowStock", Schedulable: true, Delivery: task.EffectivelyOnce, Reads: true},
		{Service: "Stock", Name: "setStock", Why: "it has parameters: code, quantity", Parameters: []string{"code", "quantity"}, Delivery: task.EffectivelyOnce},
	}}}
}

func cron(expr, zone string) func(*task.Info) {
	return func(i *task.Info) { i.Trigger = task.TriggerInfo{Cron: expr, TZ: zone} }
}

// hourly is a cron expression.
const hourly = "0 30 * * * ?"

func in(expr, allow string, outside task.Outside) func(*task.Info) {
	return func(i *task.Info) {
		i.Trigger, i.Windows = task.TriggerInfo{Cron: expr}, &task.Windows{Allow: []string{allow}, Outside: outside}
	}
}

func out(expr, forbid string) func(*task.Info) {
	return func(i *task.Info) {
		i.Trigger, i.Windows = task.TriggerInfo{Cron: expr}, &task.Windows{Forbid: []string{forbid}}
	}
}
