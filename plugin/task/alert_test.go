package task

import (
	"strings"
	"testing"
	"time"
)

func TestParseAlert(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Alert{
		"failed=mailto:ops@example.org":      {On: AlertFailed, To: []string{"mailto:ops@example.org"}},
		"late:30s=https://example.org/a?b=c": {On: AlertLate, After: Duration(30 * time.Second), To: []string{"https://example.org/a?b=c"}},
		"silent:1h0m0s=mailto:a@b":           {On: AlertSilent, After: Duration(time.Hour), To: []string{"mailto:a@b"}},
		"missed=http://example.org":          {On: AlertMissed, To: []string{"http://example.org"}},
	} {
		a, err := ParseAlert(text)
		if err != nil || a.On != want.On || a.After != want.After || a.To[0] != want.To[0] {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
		if again := a.Texts(); len(again) != 1 || again[0] != text {
			t.Errorf("%s is written as %q", text, again)
		}
	}
	for text, hint := range map[string]string{
		"failed": "write it like", "failed=": "write it like", "broken=mailto:a@b": "unknown", "late=mailto:a@b": "take a time",
		"failed:3s=mailto:a@b": "failed and missed none", "late:soon=mailto:a@b": "duration",
	} {
		if _, err := ParseAlert(text); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
