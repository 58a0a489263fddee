package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-ical"

	"github.com/seed42aab489/belfry/plugin/trigger"
)

// maxLine bounds a line of an iCalendar file, its continuations included.
const maxLine = 16 << 10

// ImportError is what is wrong with an iCalendar file.
type ImportError struct {
	Line int // of the event; 0: the file as a whole
	Err  error
}

// Error gives "line n: reason".
func (e *ImportError) Error() string {
	if e.Line == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("line %d: %v", e.Line, e.Err)
}

// Unwrap gives the reason.
func (e *ImportError) Unwrap() error { return e.Err }

// Import makes a calendar of an iCalendar file (RFC 5545): its events, with their
// rules, exceptions and changed occurrences. What takes no time and what is
// cancelled is left out. Zone is for events that name none, and of whole days;
// empty: that of the file (X-WR-TIMEZONE), else UTC. Error: an *ImportError.
func Import(file []byte, zone string) (Definition, error) {
	cal, err := decode(file)
	if err != nil {
		return Definition{}, &ImportError{Err: err}
	}
	d := Definition{Zone: zone}
	if d.Zone == "" {
		d.Zone, _ = cal.Props.Text("X-WR-TIMEZONE")
	}
	if _, err := trigger.LoadZone(d.Zone); err != nil {
		return Definition{}, &ImportError{Err: fmt.Errorf("zone of the calendar: %w", errors.Unwrap(err))}
	}
	d.Description, _ = cal.Props.Text("X-WR-CALNAME")
	r := reader{d: &d, masters: map[string]int{}, moved: map[string][]string{}, zones: zonesOf(cal)}
	lines := eventLines(file)
	for i, e := range cal.Events() {
		if err := r.event(e); err != nil {
			at := 0
			if i < len(lines) {
				at = lines[i]
			}
			return Definition{}, &ImportError{at, err}
		}
	}
	for uid, except := range r.moved {
		if i, ok := r.masters[uid]; ok {
			d.Events[i].Except = append(d.Events[i].Except, except...)
		}
	}
	if len(d.Events) == 0 {
		return Definition{}, &ImportError{Err: errors.New("the file has no event that takes time")}
	}
	return d, nil
}

// decode reads the file within bounds.
func decode(file []byte) (cal *ical.Calendar, err error) {
	if len(file) > MaxFile {
		return nil, fmt.Errorf("%d bytes: at most %d", len(file), MaxFile)
	}
	long := 0
	for n, line := range bytes.Split(file, []byte("\n")) {
		if len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
			long = 0
		}
		if long += len(line); long > maxLine {
			return nil, fmt.Errorf("line %d: longer than %d bytes", n+1, maxLine)
		}
	}
	defer func() { // the decoder does on some malformed lines
		if p := recover(); p != nil {
			cal, err = nil, fmt.Errorf("it is no iCalendar file: %v", p)
		}
	}()
	cal, err = ical.NewDecoder(bytes.NewReader(file)).Decode()
	if err != nil {
		return nil, fmt.Errorf("it is no iCalendar file: %w", err)
	}
	return cal, nil
}

// eventLines are the numbers of the lines at which events begin.
func eventLines(file []byte) []int {
	var lines []int
	for n, line := range bytes.Split(file, []byte("\n")) {
		if strings.EqualFold(strings.TrimSpace(string(line)), "BEGIN:VEVENT") {
			lines = append(lines, n+1)
		}
	}
	return lines
}

// zonesOf are the IANA names that the file gives for time zones of its own.
func zonesOf(cal *ical.Calendar) map[string]string {
	zones := make(map[string]string)
	for _, c := range cal.Children {
		id, location := c.Props.Get(ical.PropTimezoneID), c.Props.Get("X-LIC-LOCATION")
		if c.Name == ical.CompTimezone && id != nil && location != nil {
			zones[id.Value] = location.Value
		}
	}
	return zones
}

// reader collects the events of a file.
type reader struct {
	d       *Definition
	masters map[string]int      // where the recurring event of a UID is
	moved   map[string][]string // the occurrences of a UID that are events of their own
	zones   map[string]string
}

func (r *reader) event(e ical.Event) error {
	if len(r.d.Events) == MaxEvents {
		return fmt.Errorf("more than %d events", MaxEvents)
	}
	uid, _ := e.Props.Text(ical.PropUID)
	if moved := e.Props.Get(ical.PropRecurrenceID); moved != nil {
		if moved.Params.Get(ical.ParamRange) != "" {
			return errors.New("RECURRENCE-ID with RANGE changes all that follows: write those as an event of their own")
		}
		texts, _, err := r.times(*moved)
		if err != nil {
			return err
		}
		r.moved[uid] = append(r.moved[uid], texts...)
	}
	if status, _ := e.Props.Text(ical.PropStatus); strings.EqualFold(status, string(ical.EventCancelled)) {
		return nil
	}
	made, err := r.stretch(e)
	if err != nil || made.Days == 0 && made.For == "" {
		return err
	}
	made.Note, _ = e.Props.Text(ical.PropSummary)
	if err := r.recurrence(e, &made); err != nil {
		return err
	}
	if made.Rule != "" {
		r.masters[uid] = len(r.d.Events)
	}
	r.d.Events = append(r.d.Events, made)
	return nil
}

// stretch reads start and length; one without length takes no time.
func (r *reader) stretch(e ical.Event) (Event, error) {
	start := e.Props.Get(ical.PropDateTimeStart)
	if start == nil {
		return Event{}, errors.New("the event has no DTSTART")
	}
	texts, zone, err := r.times(*start)
	if err != nil {
		return Event{}, err
	}
	if len(texts) != 1 {
		return Event{}, errors.New("DTSTART is one date or time")
	}
	made := Event{Start: texts[0], Zone: zone}
	whole := len(made.Start) == len(time.DateOnly)
	long := time.Duration(0)
	switch end, duration := e.Props.Get(ical.PropDateTimeEnd), e.Props.Get(ical.PropDuration); {
	case end != nil:
		long, err = r.until(made, *end)
	case duration != nil:
		long, err = duration.Duration()
	case whole:
		long = 24 * time.Hour
	}
	switch {
	case err != nil:
		return Event{}, err
	case long < 0:
		return Event{}, errors.New("the event ends before it begins")
	case whole:
		made.Days = int(long / (24 * time.Hour))
	case long > 0:
		made.For = long.String()
	}
	return made, nil
}

// until is how long an event lasts up to its DTEND.
func (r *reader) until(e Event, end ical.Prop) (time.Duration, error) {
	texts, zone, err := r.times(end)
	if err != nil {
		return 0, err
	}
	if zone == "" && end.Params.Get(ical.ParamTimezoneID) == "" {
		zone = e.Zone
	}
	from, whole, err := r.instant(e.Start, e.Zone)
	if err != nil {
		return 0, err
	}
	to, date, err := r.instant(texts[0], zone)
	if err == nil && date != whole {
		err = errors.New("DTSTART and DTEND are not written alike")
	}
	return to.Sub(from), err
}

func (r *reader) instant(text, zone string) (time.Time, bool, error) {
	if zone == "" {
		zone = r.d.Zone
	}
	location, err := trigger.LoadZone(zone)
	if err != nil {
		return time.Time{}, false, errors.Unwrap(err)
	}
	return parseStart(text, location)
}

func (r *reader) recurrence(e ical.Event, made *Event) error {
	switch rules := e.Props[ical.PropRecurrenceRule]; {
	case len(rules) > 1:
		return errors.New("more than one RRULE: write an event for each")
	case len(rules) == 1:
		made.Rule = rules[0].Value
	}
	for name, to := range map[string]*[]string{ical.PropExceptionDates: &made.Except, ical.PropRecurrenceDates: &made.Also} {
		for _, p := range e.Props[name] {
			texts, _, err := r.times(p)
			if err != nil {
				return err
			}
			*to = append(*to, texts...)
		}
	}
	if len(e.Props["EXRULE"]) > 0 {
		return errors.New("EXRULE is not supported: list the exceptions as EXDATE")
	}
	return nil
}

// times reads the dates or times of a property in the forms of Event.Start, and
// the zone that they are in; empty: the calendar's. Those of exceptions are
// given as instants, since their zone need not be that of their event.
func (r *reader) times(p ical.Prop) (texts []string, zone string, err error) {
	if zone, err = r.zone(p); err != nil {
		return nil, "", err
	}
	for value := range strings.SplitSeq(p.Value, ",") {
		text, err := form(strings.TrimSpace(value))
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", p.Name, err)
		}
		if p.Name != ical.PropDateTimeStart && p.Name != ical.PropDateTimeEnd && len(text) == len(localForm) {
			t, _, err := r.instant(text, zone)
			if err != nil {
				return nil, "", fmt.Errorf("%s: %w", p.Name, err)
			}
			if p.Params.Get(ical.ParamTimezoneID) != "" {
				text = t.UTC().Format(instantForm)
			}
		}
		texts = append(texts, text)
	}
	return texts, zone, nil
}

func (r *reader) zone(p ical.Prop) (string, error) {
	id := p.Params.Get(ical.ParamTimezoneID)
	if id == "" {
		return "", nil
	}
	name := id
	if mapped := r.zones[id]; mapped != "" {
		name = mapped
	}
	if _, err := trigger.LoadZone(name); err != nil {
		return "", fmt.Errorf("%s: TZID %q is no IANA zone: write it as one, like Europe/London", p.Name, id)
	}
	if name == r.d.Zone {
		return "", nil
	}
	return name, nil
}

// form turns 20261225, 20261225T090000 and 20261225T090000Z into the forms of
// Event.Start.
func form(value string) (string, error) {
	for from, to := range map[string]string{
		"20060102": time.DateOnly, "20060102T150405": localForm, "20060102T150405Z": instantForm,
	} {
		if t, err := time.Parse(from, value); err == nil {
			return t.Format(to), nil
		}
	}
	return "", fmt.Errorf("%q is no date or time; a period cannot be read", value)
}
