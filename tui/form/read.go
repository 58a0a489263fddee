package form

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/preview"
	"github.com/seed42aab489/belfry/plugin/task"
)

func triggerField(name string) bool {
	return slices.Contains([]string{"trigger", fieldCron, fieldInterval, fieldAt, fieldZone, fieldStart, fieldEnd, fieldJitter, "count"}, name)
}

// info makes a definition of the fields, and says which cannot be read.
func (f Form) info(now time.Time) (task.Info, []preview.Fault) {
	info := f.was
	var faults []preview.Fault
	fault := func(name string, err error) {
		if err != nil {
			faults = append(faults, preview.Fault{Field: name, Text: err.Error()})
		}
	}
	if !f.edits {
		info.Name = f.of(fieldName)
	}
	info.Service, info.Operation = f.of(fieldService), f.of(fieldOperation)
	f.trigger(&info.Trigger, now, fault)
	info.Misfire = unless(task.Misfire(f.of(fieldMisfire)), task.MisfireFireOnce, f.was.Misfire)
	info.Overlap = unless(task.Overlap(f.of(fieldOverlap)), task.OverlapAllow, f.was.Overlap)
	info.Delivery = task.Delivery(f.of(fieldDelivery))
	if info.Delivery == strongest {
		info.Delivery = ""
	}
	var err error
	if info.Retry.Max, err = strconv.Atoi(cmp.Or(f.of(fieldRetry), "0")); err != nil {
		fault(fieldRetry, fmt.Errorf("%q is no number", f.of(fieldRetry)))
	}
	backoff, err := duration(f.of(fieldBackoff))
	fault(fieldBackoff, err)
	timeout, err := duration(f.of(fieldTimeout))
	fault(fieldTimeout, err)
	info.Retry.Backoff = unless(backoff, task.Duration(task.DefaultBackoff), f.was.Retry.Backoff)
	info.Timeout = unless(timeout, task.Duration(task.DefaultTimeout), f.was.Timeout)
	info.Windows = f.windows()
	info.Description = f.of(fieldDescription)
	info.Output = f.of(fieldOutput) == outputAll
	// What is not changed stays as it was written.
	if text := f.of(fieldAlerts); text != alertLine(f.was.Alerts) {
		info.Alerts, err = alertsOf(text)
		fault(fieldAlerts, err)
	}
	return info, faults
}

// alertsOf reads alerts, apart by spaces or commas.
func alertsOf(text string) ([]task.Alert, error) {
	var alerts []task.Alert
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		a, err := task.ParseAlert(word)
		if err != nil {
			return nil, err
		}
		alerts = append(alerts, a)
	}
	return alerts, nil
}

// unless keeps what was not said unsaid when it is the default.
func unless[T comparable](value, normal, was T) T {
	var unsaid T
	if value == normal && was == unsaid {
		return unsaid
	}
	return value
}

func (f Form) trigger(t *task.TriggerInfo, now time.Time, fault func(string, error)) {
	was := *t
	t.Cron, t.Interval, t.At, t.Start, t.End, t.Jitter = "", 0, time.Time{}, time.Time{}, time.Time{}, 0
	zone := f.of(fieldZone)
	if zone != "UTC" || was.TZ != "" {
		t.TZ = zone
	}
	in, err := time.LoadLocation(zone)
	if err != nil {
		in = time.UTC // PreviewTask says what is wrong with it
	}
	instant := func(name string) time.Time {
		at, err := moment(f.of(name), in, now)
		fault(name, err)
		return at
	}
	if text := f.of(fieldJitter); text != "" && f.of(fieldWhen) != whenOnce {
		var jitter task.Duration
		fault(fieldJitter, jitter.UnmarshalText([]byte(text)))
		t.Jitter = jitter
	}
	switch f.of(fieldWhen) {
	case whenInterval:
		t.Interval, err = duration(f.of(fieldInterval))
		fault(fieldInterval, err)
		if was.Interval == 0 {
			t.Count = -1
		}
		t.Start, t.End = instant(fieldStart), instant(fieldEnd)
	case whenCron:
		t.Cron, t.Count = f.of(fieldCron), 0
		if t.Cron == "" {
			fault(fieldCron, errors.New("it is empty"))
		}
		t.Start, t.End = instant(fieldStart), instant(fieldEnd)
	default:
		t.Count = 0
		if t.At = instant(fieldAt); t.At.IsZero() {
			fault(fieldAt, errors.New("it is empty"))
		}
	}
}

func duration(text string) (task.Duration, error) {
	var d task.Duration
	if err := d.UnmarshalText([]byte(text)); err != nil {
		return 0, err
	}
	if d <= 0 {
		return 0, fmt.Errorf("%q: it must be above 0", text)
	}
	return d, nil
}

// moment reads a time, in a zone where it names none, or a distance from now.
// Empty is the zero time.
func moment(text string, in *time.Location, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ahead, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(ahead)
		if err != nil {
			return time.Time{}, fmt.Errorf("%q: write a distance like +20m", text)
		}
		return now.Add(d).Truncate(time.Second).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, in); err == nil {
			return t.Truncate(time.Millisecond).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: write it like 2027-01-31 06:00 or +20m", text)
}
