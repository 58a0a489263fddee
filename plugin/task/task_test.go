package task

import (
	"encoding/json"
	"testing"
	"time"
)

func TestFireIDs(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_795_414_296_120)
	for _, c := range []struct {
		id     FireID
		text   string
		manual bool
	}{
		{ScheduledID("34-a", at), "34-a:1795414296120", false},
		{ManualID("34-a", "r-1"), "34-a:m:r-1", true},
	} {
		if string(c.id) != c.text || c.id.UID() != "34-a" || c.id.Manual() != c.manual {
			t.Errorf("%s: uid %q, manual %v", c.id, c.id.UID(), c.id.Manual())
		}
	}
}

// A bare number is milliseconds, as in the original.
func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		`"5s"`: 5 * time.Second, `"1500"`: 1500 * time.Millisecond, `"0"`: 0, `" 1m30s "`: 90 * time.Second,
	} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
		again, err := json.Marshal(d)
		var back Duration
		if err != nil || json.Unmarshal(again, &back) != nil || back != d {
			t.Errorf("%s is written as %s", text, again)
		}
	}
	for _, text := range []string{`""`, `"5"s`, `"soon"`, `"-"`, `"1 000"`} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s is read as %s", text, d)
		}
	}
}

func TestShortDurations(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m",
	} {
		if got := Duration(d).Short(); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestRetryDelays(t *testing.T) {
	t.Parallel()
	r := Retry{Backoff: Duration(100 * time.Millisecond)}
	for attempt, want := range map[int]time.Duration{
		0: 0, 1: 0, 2: 100 * time.Millisecond, 3: 200 * time.Millisecond, 5: 800 * time.Millisecond, 100: MaxBackoff,
	} {
		if got := r.Delay(attempt); got != want {
			t.Errorf("attempt %d: %s, want %s", attempt, got, want)
		}
	}
	if got := (Retry{}).Delay(2); got != DefaultBackoff {
		t.Errorf("default: %s", got)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	if k := (Key{Name: "x"}).Normal(); k != (Key{DefaultTenant, DefaultType, "x"}) || k.String() != "default/DATA_SERVICE_TASK/x" {
		t.Errorf("got %v", k)
	}
	if d := (Info{}).RunTimeout(); d != DefaultTimeout {
		t.Errorf("time-out %s", d)
	}
}
