package check

import (
	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Calendar tells what is wrong with a calendar. It needs no connection.
// Code: invalid.
func Calendar(d calendar.Definition) error {
	if err := store.CheckCalendarName(d.Name); err != nil {
		return failure.Invalid("%v", err)
	}
	if len(d.Description) > MaxDescription {
		return failure.Invalid("description of %d bytes: the limit is %d", len(d.Description), MaxDescription)
	}
	if _, err := calendar.Compile(d); err != nil {
		return &failure.Error{Code: failure.CodeInvalid, Message: "calendar " + d.Name + ": " + err.Error(), Err: err}
	}
	return nil
}
