package task

import (
	"fmt"
	"strings"
)

// ParseAlert reads an alert as administrators write it, with one receiver:
// "failed=mailto:ops@example.org", "late:30s=https://example.org/hook". Whether
// the receiver is one is not looked at.
func ParseAlert(text string) (Alert, error) {
	what, to, ok := strings.Cut(text, "=")
	kind, after, timed := strings.Cut(what, ":")
	if !ok || to == "" {
		return Alert{}, fmt.Errorf("%q: write it like failed=mailto:ops@example.org or late:30s=https://example.org/hook", text)
	}
	a := Alert{On: AlertKind(kind), To: []string{to}}
	needs := false
	switch a.On {
	case AlertFailed, AlertMissed:
	case AlertLate, AlertSilent:
		needs = true
	default:
		return Alert{}, fmt.Errorf("%q is unknown: use %s, %s, %s, %s", kind, AlertFailed, AlertLate, AlertMissed, AlertSilent)
	}
	if needs != timed {
		return Alert{}, fmt.Errorf("%q: late and silent take a time (late:30s=…), failed and missed none", text)
	}
	if timed {
		if err := a.After.UnmarshalText([]byte(after)); err != nil {
			return Alert{}, err
		}
	}
	return a, nil
}

// Texts writes the alert so that ParseAlert reads it, once for each receiver.
func (a Alert) Texts() []string {
	what := string(a.On)
	if a.After > 0 {
		what += ":" + a.After.String()
	}
	texts := make([]string, len(a.To))
	for i, to := range a.To {
		texts[i] = what + "=" + to
	}
	return texts
}
