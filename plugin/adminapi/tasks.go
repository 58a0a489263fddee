package adminapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Bounds of what a request may say.
const (
	maxKey    = 128  // bytes of an Idempotency-Key
	maxPage   = 1000 // entries of a list
	firstPage = 100
)

// Definition is what a task is, as programs write it: see definition.Document.
type Definition struct{ task.Info }

// Patch is a JSON merge patch of a Definition.
type Patch map[string]any

// Task is a task: what it is, and how it stands.
type Task struct {
	Definition json.RawMessage   `json:"definition"`
	Task       contract.TaskView `json:"task"`
}

// TaskPage is one page of a list.
type TaskPage struct {
	Tasks []contract.TaskView `json:"tasks"`
	// Next is the after of the next page; empty: this was the last.
	Next string `json:"next"`
}

func (a *API) listTasks(w http.ResponseWriter, r *http.Request, _ Caller) error {
	q := r.URL.Query()
	limit, err := number(r, "limit", firstPage)
	if err != nil {
		return err
	}
	tasks, more, err := a.d.Control.TaskPage(r.Context(), control.TaskFilter{
		Tenant: q.Get("tenant"), Type: q.Get("type"), Service: q.Get("service"), Node: q.Get("node"),
		States: states(q["state"]), NamePrefix: q.Get("prefix"),
	}, pointed(q.Get("after")), limit)
	if err != nil {
		return err
	}
	page := TaskPage{Tasks: tasks}
	if more {
		page.Next = cursor(tasks[limit-1])
	}
	return write(w, http.StatusOK, page)
}

// states are those of a query; an empty one is none.
func states(words []string) []contract.State {
	var all []contract.State
	for _, word := range words {
		if word != "" {
			all = append(all, contract.State(word))
		}
	}
	return all
}

// cursor points at a task; pointed reads it. A name has no NUL in it.
func cursor(v contract.TaskView) string { return v.Name + "\x00" + v.Tenant + "\x00" + v.Type }

func pointed(after string) task.Key {
	name, rest, _ := strings.Cut(after, "\x00")
	tenant, kind, _ := strings.Cut(rest, "\x00")
	return task.Key{Tenant: tenant, Type: kind, Name: name}
}

func keyOf(r *http.Request) task.Key {
	q := r.URL.Query()
	return task.Key{Tenant: q.Get("tenant"), Type: q.Get("type"), Name: r.PathValue("name")}.Normal()
}

func (a *API) getTask(w http.ResponseWriter, r *http.Request, _ Caller) error {
	view, info, err := a.d.Control.Defined(r.Context(), keyOf(r))
	if err != nil {
		return err
	}
	document, err := definition.Document(info)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(view.Revision))
	return write(w, http.StatusOK, Task{document, view})
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// revision reads If-Match; absent or "*": 0.
func revision(r *http.Request) (int64, error) {
	match := r.Header.Get("If-Match")
	if match == "" || match == "*" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.Trim(match, `"`), 10, 64)
	if err != nil || n < 1 {
		return 0, &failure.Error{Code: failure.CodeInvalid, Message: "If-Match " + match + " is no revision", Hint: "use the ETag of the task"}
	}
	return n, nil
}

// onceID reads the Idempotency-Key, and makes it the caller's own.
func onceID(r *http.Request, caller Caller) (string, error) {
	return ownID(r.Header.Get("Idempotency-Key"), caller)
}

func ownID(key string, caller Caller) (string, error) {
	switch {
	case key == "":
		return "", nil
	case len(key) > maxKey:
		return "", &failure.Error{Code: failure.CodeInvalid, Message: "the idempotency key has " + strconv.Itoa(len(key)) + " bytes: the limit is " + strconv.Itoa(maxKey)}
	}
	return "api:" + url.QueryEscape(caller.Name) + ":" + key, nil
}

func (a *API) createTask(w http.ResponseWriter, r *http.Request, caller Caller) error {
	id, err := onceID(r, caller)
	if err != nil {
		return err
	}
	definition, err := body(r)
	if err != nil {
		return err
	}
	return a.carry(w, r, control.Order{ID: id, Verb: control.VerbCreate, Task: definition})
}

func (a *API) putTask(w http.ResponseWriter, r *http.Request, _ Caller) error {
	at, err := revision(r)
	if err != nil {
		return err
	}
	definition, err := named(r)
	if err != nil {
		return err
	}
	verb := control.VerbPut
	if r.Header.Get("If-None-Match") == "*" {
		verb = control.VerbCreate
	}
	return a.carry(w, r, control.Order{Verb: verb, Task: definition, Revision: at})
}

func (a *API) patchTask(w http.ResponseWriter, r *http.Request, _ Caller) error {
	at, err := revision(r)
	if err != nil {
		return err
	}
	change, err := named(r)
	if err != nil {
		return err
	}
	return a.carry(w, r, control.Order{Verb: control.VerbPatch, Task: change, Revision: at})
}

// named is the body with the key of the path, which it must not contradict.
func named(r *http.Request) (json.RawMessage, error) {
	data, err := body(r)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	var said task.Key
	if err := definition.Decode("the body", data, &members); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "the body: " + err.Error()}
	}
	key := keyOf(r)
	if (said.Name != "" && said.Name != key.Name) || (said.Tenant != "" && said.Tenant != key.Tenant) || (said.Type != "" && said.Type != key.Type) {
		return nil, &failure.Error{Code: failure.CodeInvalid, Message: "the body is about another task than the path", Hint: "leave name, tenant and type out of it"}
	}
	for name, value := range map[string]string{"tenant": key.Tenant, "type": key.Type, "name": key.Name} {
		if members[name], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	return json.Marshal(members)
}

func (a *API) deleteTask(w http.ResponseWriter, r *http.Request, _ Caller) error {
	at, err := revision(r)
	if err != nil {
		return err
	}
	name, err := json.Marshal(keyOf(r))
	if err != nil {
		return err
	}
	return a.carry(w, r, control.Order{Verb: control.VerbDelete, Task: name, Revision: at})
}

// verb serves an order that has no body.
func (a *API) verb(v control.Verb) func(http.ResponseWriter, *http.Request, Caller) error {
	return func(w http.ResponseWriter, r *http.Request, caller Caller) error {
		id, err := onceID(r, caller)
		if err != nil {
			return err
		}
		name, err := json.Marshal(keyOf(r))
		if err != nil {
			return err
		}
		until, err := instant(r, "until")
		if err != nil {
			return err
		}
		return a.carry(w, r, control.Order{ID: id, Verb: v, Task: name, Reason: r.URL.Query().Get("reason"), Until: until})
	}
}

// instant reads a parameter that is a time; absent: the zero time.
func instant(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, &failure.Error{Code: failure.CodeInvalid, Message: name + " " + text + ": write it like 2027-01-31T09:30:00Z"}
	}
	return at, nil
}

// carry carries out an order and answers.
func (a *API) carry(w http.ResponseWriter, r *http.Request, o control.Order) error {
	done, err := a.d.Control.Carry(r.Context(), o)
	if err != nil {
		return err
	}
	if done.Task != nil {
		w.Header().Set("ETag", etag(done.Task.Revision))
	}
	status := http.StatusOK
	switch {
	case o.Verb == control.VerbRun:
		status = http.StatusAccepted
		w.Header().Set("Location", Root+"/runs/"+url.PathEscape(done.FireID))
	case o.Verb == control.VerbCreate, done.Created:
		status = http.StatusCreated
		if done.Task != nil {
			w.Header().Set("Location", location(done.Task))
		}
	}
	return write(w, status, done)
}

func location(v *contract.TaskView) string {
	q := url.Values{"tenant": {v.Tenant}, "type": {v.Type}}
	return Root + "/tasks/" + url.PathEscape(v.Name) + "?" + q.Encode()
}

func (a *API) nextInstants(w http.ResponseWriter, r *http.Request, _ Caller) error {
	n, err := number(r, "n", 10)
	if err != nil {
		return err
	}
	next, err := a.d.Control.Next(r.Context(), keyOf(r), n, a.d.Now())
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, next)
}
