package contract

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/calendar"
)

// CalendarView is a named calendar as it stands.
type CalendarView struct {
	calendar.Definition
	Revision int64     `json:"revision"`
	By       string    `json:"by"` // who edited it last
	Edited   time.Time `json:"edited"`
	Open     bool      `json:"open"`
	// Changes is when it opens or closes next; null: never, as far as was looked.
	Changes *time.Time `json:"changes"`
	// Fault is why it does not compile, so that no task that names it fires.
	Fault string `json:"fault"`
	// Tasks that name it; of one calendar alone, in a list null.
	Tasks []string `json:"tasks"`
}

// OpeningView is a time at which a calendar is open.
type OpeningView struct {
	Opens  time.Time  `json:"opens"`
	Closes *time.Time `json:"closes"` // null: never
}
