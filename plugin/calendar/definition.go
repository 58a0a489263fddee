package calendar

import (
	"fmt"
	"time"
)

// Definition is a calendar as a person writes it, and as it is stored.
type Definition struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Zone is an IANA name. Empty: UTC.
	Zone string `json:"zone,omitempty"`

	Dates  []string `json:"dates,omitempty"`
	Weekly []string `json:"weekly,omitempty"`
	Cron   []string `json:"cron,omitempty"`
	Events []Event  `json:"events,omitempty"`

	// From and Through are dates, both included, between which the rules of
	// events are followed. Empty: from DefaultFrom, through DefaultThrough.
	From    string `json:"from,omitempty"`
	Through string `json:"through,omitempty"`
}

// Event is one stretch of time, or one that recurs.
type Event struct {
	// Start is a date, "2026-12-25", of an event that lasts whole days; or a
	// local time "2026-12-25T09:00:00"; or an instant, which ends in Z.
	Start string `json:"start"`
	// Days that it lasts, of a date; zero: one.
	Days int `json:"days,omitempty"`
	// For is how long it lasts otherwise, as Go writes a duration.
	For string `json:"for,omitempty"`
	// Zone of a local time. Empty: the calendar's.
	Zone string `json:"zone,omitempty"`
	// Rule is a recurrence rule of RFC 5545, without "RRULE:".
	Rule string `json:"rule,omitempty"`
	// Except are the starts of occurrences that do not happen, Also those of
	// further ones, both written like Start.
	Except []string `json:"except,omitempty"`
	Also   []string `json:"also,omitempty"`
	Note   string   `json:"note,omitempty"`
}

// Bounds of a calendar.
const (
	MaxEntries     = 500     // of dates, of weekly times, of cron ranges
	MaxEvents      = 2_000   // with their rules, exceptions and additions
	MaxMoved       = 1_000   // exceptions and additions of one event
	MaxOccurrences = 20_000  // of all events of a calendar
	MaxFile        = 1 << 20 // of an iCalendar file, in bytes
	// MaxLength is the longest that a cron range or an event stays open.
	MaxLength = 366 * 24 * time.Hour
	// DefaultFrom and DefaultThrough bound the rules of events.
	DefaultFrom    = "2020-01-01"
	DefaultThrough = "2049-12-31"
	minYear        = 1970
	maxYear        = 2299
)

// FieldError says which entry of a definition is wrong, and why.
type FieldError struct {
	Field string // "weekly[0]"
	Err   error
}

// Error gives "field: reason".
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *FieldError) Unwrap() error { return e.Err }

func wrong(field string, err error) error { return &FieldError{field, err} }

func entry(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
