package adminapi

import (
	"net/http"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Calendar is a named calendar, as programs write it.
type Calendar struct{ calendar.Definition }

func (a *API) calendarRoutes() []route {
	const one = "/calendars/{name}"
	return []route{
		{
			method: "GET", path: "/calendars", scope: ScopeRead, id: "listCalendars", summary: "List calendars by name",
			status: http.StatusOK, result: []contract.CalendarView{}, serve: a.listCalendars,
		},
		{
			method: "GET", path: one, scope: ScopeRead, id: "getCalendar", summary: "Read a calendar, and the names of the tasks that name it",
			status: http.StatusOK, result: contract.CalendarView{}, serve: a.getCalendar,
		},
		{
			method: "PUT", path: one, scope: ScopeWrite, id: "putCalendar", summary: "Make a calendar, or replace it; it holds for all tasks that name it from the answer on",
			headers: []parameter{
				{"If-Match", "the ETag (revision) that the calendar must be at"}, {"If-None-Match", "*: make it, and replace none"},
			},
			body: Calendar{}, status: http.StatusOK, result: contract.CalendarView{}, serve: a.putCalendar,
		},
		{
			method: "DELETE", path: one, scope: ScopeWrite, id: "deleteCalendar", summary: "Delete a calendar that no task names",
			headers: []parameter{{"If-Match", "the ETag (revision) that the calendar must be at"}},
			status:  http.StatusNoContent, serve: a.deleteCalendar,
		},
		{
			method: "GET", path: one + "/next", scope: ScopeRead, id: "nextOpenings", summary: "The next times at which a calendar is open",
			query:  []parameter{{"n", "how many, 1 to 1000; absent: 10"}},
			status: http.StatusOK, result: []contract.OpeningView{}, serve: a.nextOpenings,
		},
	}
}

func (a *API) listCalendars(w http.ResponseWriter, r *http.Request, _ Caller) error {
	views, err := a.d.Control.Calendars(r.Context())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, views)
}

func (a *API) getCalendar(w http.ResponseWriter, r *http.Request, _ Caller) error {
	v, err := a.d.Control.Calendar(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(v.Revision))
	return write(w, http.StatusOK, v)
}

func (a *API) putCalendar(w http.ResponseWriter, r *http.Request, caller Caller) error {
	at, err := revision(r)
	if err != nil {
		return err
	}
	if r.Header.Get("If-None-Match") == "*" {
		at = -1
	}
	data, err := body(r)
	if err != nil {
		return err
	}
	var wanted Calendar
	if err := definition.Decode("the body", data, &wanted); err != nil {
		return err
	}
	name := r.PathValue("name")
	if wanted.Name != "" && wanted.Name != name {
		return &failure.Error{Code: failure.CodeInvalid, Message: "the body is about another calendar than the path", Hint: "leave name out of it"}
	}
	wanted.Name = name
	v, err := a.d.Control.As(caller.Name).SetCalendar(r.Context(), wanted.Definition, at)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(v.Revision))
	return write(w, http.StatusOK, v)
}

func (a *API) deleteCalendar(w http.ResponseWriter, r *http.Request, caller Caller) error {
	at, err := revision(r)
	if err != nil {
		return err
	}
	if err := a.d.Control.As(caller.Name).DeleteCalendar(r.Context(), r.PathValue("name"), at); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) nextOpenings(w http.ResponseWriter, r *http.Request, _ Caller) error {
	n, err := number(r, "n", 10)
	if err != nil {
		return err
	}
	next, err := a.d.Control.Openings(r.Context(), r.PathValue("name"), n, a.d.Now())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, next)
}
