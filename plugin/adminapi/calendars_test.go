package adminapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

func TestCalendars(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Limits{})
	var v contract.CalendarView
	w.ask("PUT", "/calendars/office", `{"zone":"Europe/London","weekly":["mon-fri 09:00-17:00"]}`).read(http.StatusOK, &v)
	if v.Name != "office" || v.Revision != 1 || v.Changes == nil || v.By != "ops" {
		t.Errorf("made %+v", v)
	}
	w.ask("PUT", "/calendars/office", `{"weekly":["sat"]}`, "If-None-Match", "*").problem(http.StatusConflict, failure.CodeExists)
	w.ask("PUT", "/calendars/office", `{"weekly":["sat"]}`, "If-Match", `"7"`).problem(http.StatusPreconditionFailed, failure.CodeConflict)
	w.ask("PUT", "/calendars/office", `{"weekly":["some day"]}`).problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("PUT", "/calendars/office", `{"name":"other"}`).problem(http.StatusBadRequest, failure.CodeInvalid)

	named := strings.Replace(stockTask("t"), `"trigger"`, `"windows":{"allow":["office"],"outside":"defer"},"trigger"`, 1)
	w.ask("POST", "/tasks", strings.Replace(named, "office", "ofice", 1)).problem(http.StatusBadRequest, failure.CodeInvalid)
	w.ask("POST", "/tasks", named).done(http.StatusCreated)
	w.ask("GET", "/calendars/office", "").read(http.StatusOK, &v)
	if len(v.Tasks) != 1 || v.Tasks[0] != "t" {
		t.Errorf("named by %v", v.Tasks)
	}
	var next []contract.NextView
	w.ask("GET", "/tasks/t/next?n=1", "").read(http.StatusOK, &next)
	if len(next) != 1 || next[0].Runs == nil || !next[0].Runs.After(next[0].At) || !strings.HasPrefix(next[0].Why, "CALENDAR_EXCLUDED") {
		t.Errorf("three at night, deferred to office hours: %+v", next)
	}
	var openings []contract.OpeningView
	w.ask("GET", "/calendars/office/next?n=3", "").read(http.StatusOK, &openings)
	if len(openings) != 3 {
		t.Errorf("openings %+v", openings)
	}
	p := w.ask("DELETE", "/calendars/office", "").problem(http.StatusPreconditionFailed, failure.CodeConflict)
	if !strings.Contains(p.Detail, "named by t") {
		t.Errorf("refused with %q", p.Detail)
	}
	w.ask("DELETE", "/tasks/t", "").done(http.StatusOK)
	if a := w.ask("DELETE", "/calendars/office", ""); a.Code != http.StatusNoContent {
		t.Errorf("deleted: %d %s", a.Code, a.Body)
	}
	w.ask("GET", "/calendars/office", "").problem(http.StatusNotFound, failure.CodeNotFound)
	var all []contract.CalendarView
	w.ask("GET", "/calendars", "").read(http.StatusOK, &all)
	if len(all) != 0 {
		t.Errorf("left: %+v", all)
	}
}
