package adminapi

import (
	"net/http"

	"github.com/seed42aab489/belfry/plugin/control"
)

func (a *API) listRuns(w http.ResponseWriter, r *http.Request, _ Caller) error {
	q := r.URL.Query()
	limit, err := number(r, "limit", firstPage)
	if err != nil {
		return err
	}
	since, err := instant(r, "since")
	if err != nil {
		return err
	}
	runs, err := a.d.Control.Runs(r.Context(), control.RunFilter{Task: q.Get("task"), Outcome: q.Get("outcome"), Since: since, Limit: limit})
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, runs)
}

func (a *API) getRun(w http.ResponseWriter, r *http.Request, _ Caller) error {
	attempts, err := a.d.Control.Run(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, attempts)
}

func (a *API) cancelRun(w http.ResponseWriter, r *http.Request, _ Caller) error {
	if err := a.d.Control.CancelRun(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (a *API) listServices(w http.ResponseWriter, r *http.Request, _ Caller) error {
	services, err := a.d.Control.Services(r.Context())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, services)
}

func (a *API) getStatus(w http.ResponseWriter, r *http.Request, _ Caller) error {
	status, err := a.d.Control.Status(r.Context())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, status)
}
