package adminapi

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// Root is the path below which everything is.
const Root = "/api/v1"

// Scope is what a caller may do.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "tasks:read"  // list and read tasks, runs, services, status
	ScopeWrite Scope = "tasks:write" // create, change, pause, resume, delete
	ScopeRun   Scope = "tasks:run"   // run once, cancel a run
)

// Caller is who asks.
type Caller struct {
	Name   string
	Scopes []string
}

func (c Caller) may(s Scope) bool { return slices.Contains(c.Scopes, string(s)) }

// Guard tells who asks. An error that is a Refusal is answered as it says, any
// other as unavailable.
type Guard interface {
	Admit(r *http.Request) (Caller, error)
}

// Refusal is an error of a Guard: the status (401, 403, 429 or 503) and the
// headers of the answer.
type Refusal interface {
	error
	Refused() (int, http.Header)
}

// Limits of an API. The zero value of each means its default.
type Limits struct {
	Requests int           // at the same time, beyond which 429 is answered; 64
	Body     int64         // bytes of a request's body; 1 MiB
	BulkBody int64         // bytes of a bulk's body; 32 MiB
	Bulk     int           // orders of one bulk; 10,000
	Parallel int           // orders of a bulk that are carried out at the same time; 32
	Time     time.Duration // of one request; 30 s
	BulkTime time.Duration // of a bulk; 10 min
}

func (l Limits) orDefaults() Limits {
	l.Requests = orDefault(l.Requests, 64)
	l.Body = orDefault(l.Body, 1<<20)
	l.BulkBody = orDefault(l.BulkBody, 32<<20)
	l.Bulk = orDefault(l.Bulk, 10_000)
	l.Parallel = orDefault(l.Parallel, 32)
	l.Time = orDefault(l.Time, 30*time.Second)
	l.BulkTime = orDefault(l.BulkTime, 10*time.Minute)
	return l
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Deps are what an API needs. All are required but Limits.
type Deps struct {
	Control *control.Control
	Guard   Guard
	Now     func() time.Time
	Log     *slog.Logger
	Version string // of the program, for the OpenAPI document
	Limits  Limits
}

// API answers below Root. Make it with New. Safe for concurrent use.
type API struct {
	d     Deps
	mux   *http.ServeMux
	slots chan struct{} // one is taken while a request is carried out
	doc   []byte        // the OpenAPI document
}

// New makes an API.
func New(d Deps) (*API, error) {
	d.Limits = d.Limits.orDefaults()
	a := &API{d: d, mux: http.NewServeMux(), slots: make(chan struct{}, d.Limits.Requests)}
	doc, err := a.describe()
	if err != nil {
		return nil, err
	}
	a.doc = doc
	byPath := map[string][]route{}
	for _, r := range a.routes() {
		byPath[r.path] = append(byPath[r.path], r)
	}
	for path, routes := range byPath {
		a.mux.Handle(Root+path, a.dispatch(routes))
	}
	a.mux.HandleFunc("GET "+Root+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(a.doc) // the client may be gone
	})
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.refuse(w, r, http.StatusNotFound, &failure.Error{
			Code: failure.CodeNotFound, Message: "there is nothing at " + r.URL.Path, Hint: "see " + Root + "/openapi.json",
		})
	})
	return a, nil
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	a.mux.ServeHTTP(w, r)
}

// dispatch answers one path: who asks, may he, is there room, and then the
// route.
func (a *API) dispatch(routes []route) http.Handler {
	var allowed []string
	for _, r := range routes {
		allowed = append(allowed, r.method)
	}
	slices.Sort(allowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := slices.IndexFunc(routes, func(route route) bool { return route.method == r.Method })
		if i < 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			a.refuse(w, r, http.StatusMethodNotAllowed, &failure.Error{Code: failure.CodeInvalid, Message: "the method is not allowed here"})
			return
		}
		caller, ok := a.admit(w, r, routes[i].scope)
		if !ok {
			return
		}
		select {
		case a.slots <- struct{}{}:
			defer func() { <-a.slots }()
		default:
			w.Header().Set("Retry-After", "1")
			a.refuse(w, r, http.StatusTooManyRequests, &failure.Error{
				Code: failure.CodeUnavailable, Message: "too many requests at the same time", Hint: "send it again after a second",
			})
			return
		}
		a.answer(w, r, caller, routes[i])
	})
}

func (a *API) admit(w http.ResponseWriter, r *http.Request, scope Scope) (Caller, bool) {
	caller, err := a.d.Guard.Admit(r)
	refusal, refused := errors.AsType[Refusal](err)
	switch {
	case refused:
		status, header := refusal.Refused()
		maps.Copy(w.Header(), header)
		a.refuse(w, r, status, &failure.Error{
			Code: failure.CodeUnauthorised, Message: err.Error(), Hint: "send an Authorization: Bearer header with a token that this host knows",
		})
	case err != nil:
		a.d.Log.Error("credentials cannot be checked", "err", err)
		a.refuse(w, r, http.StatusServiceUnavailable, &failure.Error{Code: failure.CodeUnavailable, Message: "credentials cannot be checked now"})
	case !caller.may(scope):
		a.refuse(w, r, http.StatusForbidden, &failure.Error{
			Code: failure.CodeUnauthorised, Message: caller.Name + " has not the scope " + string(scope), Hint: "ask an administrator for it",
		})
	default:
		return caller, true
	}
	return Caller{}, false
}

func (a *API) answer(w http.ResponseWriter, r *http.Request, caller Caller, route route) {
	limit, patience := a.d.Limits.Body, a.d.Limits.Time
	if route.bulk {
		limit, patience = a.d.Limits.BulkBody, a.d.Limits.BulkTime
	}
	deadline := time.Now().Add(patience + 10*time.Second)
	controller := http.NewResponseController(w)
	// A writer that knows no deadlines, as in tests, has none to be moved.
	_ = errors.Join(controller.SetReadDeadline(deadline), controller.SetWriteDeadline(deadline))
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	if route.body != nil && !isJSON(r.Header.Get("Content-Type")) {
		a.refuse(w, r, http.StatusUnsupportedMediaType, &failure.Error{Code: failure.CodeInvalid, Message: "the body must be application/json"})
		return
	}
	if err := route.serve(w, r, caller); err != nil {
		e := failure.Of(err)
		status := e.Code.Status()
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			status = http.StatusRequestEntityTooLarge
		}
		if e.Code == failure.CodeUnavailable {
			w.Header().Set("Retry-After", "1")
		}
		a.refuse(w, r, status, e)
	}
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/json", "application/merge-patch+json":
		return true
	}
	return false
}
