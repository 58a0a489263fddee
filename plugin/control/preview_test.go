package control

import (
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

func TestPreview(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info := minutely("new")
			c.change(&info)
			p := PreviewTask(info, catalogue(), func(k task.Key) bool { return k.Name == "taken" }, now, 3)
			if c.field != "" {
				f, ok := p.Fault(c.field)
				if !ok || !strings.Contains(f.Text, c.says) {
					t.Errorf("faults %+v, want one of %s that says %q", p.Faults, c.field, c.says)
				}
				return
			}
			told := p.Text
			for _, n := range p.Clock {
				told += "; " + n.Note
			}
			if len(p.Faults) > 0 || !strings.Contains(told, c.says) || len(p.Next) != 3 || p.Next[0].At.UTC().Format(time.RFC3339) != c.next {
				t.Errorf("%s: %+v", told, p)
			}
		})
	}
}

func cron(expr, zone string) func(*task.Info) {
	return func(i *task.Info) { i.Trigger = task.TriggerInfo{Cron: expr, TZ: zone} }
}
