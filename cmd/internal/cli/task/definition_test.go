package task

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/plugin/task"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func applied(t *testing.T, before task.Info, args ...string) (task.Info, error) {
	t.Helper()
	var d definition
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	d.flags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	err := d.apply(f, &before, now)
	return before, err
}

// A change names what it changes; all else stays.
func TestApplyPatches(t *testing.T) {
	t.Parallel()
	before := task.Info{
		Service: "Stock", Operation: "getLowStock", Retry: task.Retry{Max: 3},
		Trigger: task.TriggerInfo{Cron: "0 0 12 * * ?", TZ: "Europe/Berlin"},
	}
	after, err := applied(t, before, "--interval", "30s")
	if err != nil {
		t.Fatal(err)
	}
	want := task.TriggerInfo{Interval: task.Duration(30 * time.Second), Count: -1, TZ: "Europe/Berlin"}
	if after.Trigger != want || after.Retry.Max != 3 || after.Service != "Stock" {
		t.Errorf("got %+v", after)
	}
	after, err = applied(t, before, "--start", "+20s", "--end", "2027-01-31T06:00:00+01:00")
	if err != nil || !after.Trigger.Start.Equal(now.Add(20*time.Second)) || !after.Trigger.End.Equal(time.Date(2027, 1, 31, 5, 0, 0, 0, time.UTC)) {
		t.Errorf("%v: %+v", err, after.Trigger)
	}
	if after, err = applied(t, after, "--start", ""); err != nil || !after.Trigger.Start.IsZero() {
		t.Errorf("an empty start clears it: %v: %+v", err, after.Trigger)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--misfire", "never"}, "fire-once, fire-all, skip"},
		{[]string{"--overlap", "x"}, "allow, queue, skip"},
		{[]string{"--delivery", "once"}, "at-most-once"},
		{[]string{"--at", "tomorrow"}, "2027-01-31T06:00:00Z"},
		{[]string{"--start", "+soon"}, "+20s"},
		{[]string{"--alert", "failed"}, "failed=mailto:"},
		{[]string{"--alert", "broken=mailto:a@example.org"}, "failed, late, missed, silent"},
		{[]string{"--alert", "late=mailto:a@example.org"}, "take a time"},
		{[]string{"--alert", "failed:3s=mailto:a@example.org"}, "take a time"},
		{[]string{"--alert", "silent:soon=mailto:a@example.org"}, "duration"},
	} {
		_, err := applied(t, task.Info{}, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), c.args[0]) {
			t.Errorf("%v: %v, want %q", c.args, err, c.says)
		}
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	got, err := applied(t, task.Info{}, "--alert", "failed=mailto:a@example.org", "--alert", "silent:1h=https://example.org/x?a=b")
	if err != nil || len(got.Alerts) != 2 {
		t.Fatalf("%v: %+v", err, got.Alerts)
	}
	if a := got.Alerts[1]; a.On != task.AlertSilent || a.After != task.Duration(time.Hour) || a.To[0] != "https://example.org/x?a=b" {
		t.Errorf("got %+v", a)
	}
}
