package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/parallel"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Events lists what happened lately on hosts and what administrators edited,
// newest last; at most limit (below 1: all that are kept). Codes: unavailable.
func (c *Control) Events(ctx context.Context, limit int) ([]contract.EventView, error) {
	return c.EventsOf(ctx, EventFilter{Limit: limit})
}

// EventFilter says which events to list. Empty fields let all pass.
type EventFilter struct {
	// About is task/NAME, task/TENANT/TYPE/NAME, node/NAME (also what that node told),
	// or any other object as EventView has it.
	About string
	Level string // at least: info, warn or error
	Code  string
	Since time.Time
	Limit int // below 1: all that are kept
}

// Levels of events, the least first.
func Levels() []string { return []string{"info", "warn", "error"} }

// passes tells whether an event is one of those asked for.
func (f EventFilter) passes(e *contract.EventView) bool {
	return (f.Code == "" || f.Code == e.Code) && !e.Time.Before(f.Since) &&
		slices.Index(Levels(), e.Level) >= slices.Index(Levels(), f.Level) && (f.About == "" || f.about(e))
}

func (f EventFilter) about(e *contract.EventView) bool {
	if e.Object == f.About {
		return true
	}
	kind, name, _ := strings.Cut(f.About, "/")
	switch kind {
	case "task": // hosts tell of tasks by their keys
		return e.Object == name || strings.Count(e.Object, "/") == 2 && strings.HasSuffix(e.Object, "/"+name) ||
			strings.Count(name, "/") == 2 && e.Object == "task/"+name[strings.LastIndex(name, "/")+1:]
	case "node":
		return e.Node == name || e.Object == name
	}
	return false
}

// EventsOf is Events for those that a filter lets pass. Codes: invalid (its level is
// unknown), unavailable.
func (c *Control) EventsOf(ctx context.Context, f EventFilter) ([]contract.EventView, error) {
	if f.Level != "" {
		if err := known("level", f.Level, Levels()); err != nil {
			return nil, err
		}
	}
	var (
		events []store.Event
		edits  []store.Edit
	)
	err := parallel.Do(
		func() (err error) { events, err = c.store.Events(ctx, 0); return err },
		func() (err error) { edits, err = c.store.Audit(ctx); return err },
	)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := make([]contract.EventView, 0, len(events)+len(edits))
	for _, e := range events {
		views = append(views, contract.EventView{Time: e.Time.UTC(), Level: e.Level, Code: e.Code, Object: e.Object, Text: e.Text, Node: e.Node})
	}
	for _, e := range edits {
		a := auditView(e)
		views = append(views, contract.EventView{Time: a.At, Level: "info", Code: a.Code, Object: a.Object, Text: a.Text()})
	}
	views = slices.DeleteFunc(views, func(e contract.EventView) bool { return !f.passes(&e) })
	slices.SortStableFunc(views, func(a, b contract.EventView) int { return a.Time.Compare(b.Time) })
	if f.Limit > 0 {
		views = views[max(0, len(views)-f.Limit):]
	}
	return views, nil
}

// AuditView is what somebody changed or asked for.
type AuditView struct {
	At     time.Time `json:"at"` // by the store's clock
	Code   string    `json:"code"`
	By     string    `json:"by"`     // as it said of itself; may be empty
	Object string    `json:"object"` // task/NAME, node/NAME, or cluster
	Tenant string    `json:"tenant"`
	Type   string    `json:"type"`
	// Revision of the definition after it; 0: it was no edit of one.
	Revision int64    `json:"revision"`
	Fields   []string `json:"fields"`
	Reason   string   `json:"reason"`
	ID       string   `json:"id"`
}

// Text is what was done, as a person reads it.
func (a AuditView) Text() string {
	var parts []string
	if a.By != "" {
		parts = append(parts, "by "+a.By)
	}
	if a.Revision > 0 {
		parts = append(parts, fmt.Sprintf("revision %d", a.Revision))
	}
	if len(a.Fields) > 0 {
		parts = append(parts, strings.Join(a.Fields, ", "))
	}
	if a.Reason != "" {
		parts = append(parts, a.Reason)
	}
	return strings.Join(parts, "; ")
}

func auditView(e store.Edit) AuditView {
	v := AuditView{
		At: e.At.UTC(), Code: e.Code, By: e.By, Object: "cluster", Tenant: e.Task.Tenant, Type: e.Task.Type,
		Revision: e.Revision, Fields: append([]string{}, e.Fields...), Reason: e.Reason, ID: e.ID,
	}
	switch {
	case e.Task.Name != "":
		v.Object = "task/" + e.Task.Name
	case e.Code == store.CalendarSet || e.Code == store.CalendarDeleted:
		v.Object = "calendar/" + e.Object
	case e.Object != "":
		v.Object = "node/" + e.Object
	}
	return v
}

// AuditFilter says which edits to list. Empty fields let all pass.
type AuditFilter struct {
	By     string
	Object string // as in AuditView
	Since  time.Time
	Limit  int // below 1: all that are kept
}

// Audit lists edits, newest last. Each bucket of tasks keeps the last
// store.MaxAudit. Codes: unavailable.
func (c *Control) Audit(ctx context.Context, f AuditFilter) ([]AuditView, error) {
	edits, err := c.store.Audit(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := []AuditView{}
	for _, e := range edits {
		v := auditView(e)
		if (f.By == "" || f.By == v.By) && (f.Object == "" || f.Object == v.Object) && (f.Since.IsZero() || !v.At.Before(f.Since)) {
			views = append(views, v)
		}
	}
	if f.Limit > 0 {
		views = views[max(0, len(views)-f.Limit):]
	}
	return views, nil
}

// RevisionView is a definition that a task has or had.
type RevisionView struct {
	Revision int64     `json:"revision"`
	By       string    `json:"by"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
	// Changes are what it made different from the one before; of the earliest
	// that is kept: none.
	Changes    []definition.Change `json:"changes"`
	Definition task.Info           `json:"definition"`
}

// History lists a task's definitions, the present one first. The last
// store.MaxHistory before it are kept, and go when the task is deleted. Codes:
// not_found, unavailable.
func (c *Control) History(ctx context.Context, key task.Key) ([]RevisionView, error) {
	all, err := c.store.History(ctx, key)
	if err != nil {
		return nil, c.missing(ctx, key, err)
	}
	views := make([]RevisionView, 0, len(all))
	for i := range all {
		v := RevisionView{Revision: all[i].Revision, By: all[i].Edit.By, Reason: all[i].Edit.Reason, At: all[i].Edit.At.UTC(), Changes: []definition.Change{}, Definition: all[i]}
		if i+1 < len(all) {
			v.Changes = definition.Changes(&all[i+1], &all[i])
		}
		views = append(views, v)
	}
	return views, nil
}

// RevertTask gives a task the definition that it had at a revision; 0: the one
// before the present. Whether it is paused stays as it is. Codes: not_found (the
// task, or the revision is not kept), invalid, conflict (somebody else edited it
// meanwhile), unavailable, unknown_outcome.
func (c *Control) RevertTask(ctx context.Context, key task.Key, revision int64) (Edited, error) {
	all, err := c.store.History(ctx, key)
	if err != nil {
		return Edited{}, c.missing(ctx, key, err)
	}
	to, err := earlier(all, revision)
	if err != nil {
		return Edited{}, err
	}
	for range maxReverts {
		var made Edited
		made, err = c.EditTask(ctx, key, all[0].Revision, func(info *task.Info) error {
			before := *info
			*info = to
			info.Paused, info.PauseReason, info.PausedAt, info.PauseUntil = before.Paused, before.PauseReason, before.PausedAt, before.PauseUntil
			return nil
		})
		if err == nil || failure.Of(err).Code != failure.CodeConflict {
			return made, err
		}
		// Its hosts write its place into it, which is no edit of anybody's.
		now, readErr := c.store.History(ctx, key)
		if readErr != nil || len(definition.Changes(&all[0], &now[0])) > 0 {
			return Edited{}, err
		}
		all = now
	}
	return Edited{}, err
}

// maxReverts bounds how often a revert begins again because its hosts have moved the
// task meanwhile.
const maxReverts = 10

// earlier is the definition of a revision; 0: the last one that differs from the
// present.
func earlier(all []task.Info, revision int64) (task.Info, error) {
	for i := range all {
		if all[i].Revision == revision || revision == 0 && i > 0 && len(definition.Changes(&all[0], &all[i])) > 0 {
			return all[i], nil
		}
	}
	if revision == 0 {
		return task.Info{}, &failure.Error{Code: failure.CodeNotFound, Message: "no other definition of task " + all[0].Name + " is kept", Hint: "see task history " + all[0].Name}
	}
	return task.Info{}, &failure.Error{
		Code: failure.CodeNotFound, Message: fmt.Sprintf("revision %d of task %s is not kept", revision, all[0].Name),
		Hint: fmt.Sprintf("kept are %d to %d; see task history %s", all[len(all)-1].Revision, all[0].Revision, all[0].Name),
	}
}

// Requests lists those that wait, the oldest first. Codes: unavailable.
func (c *Control) Requests(ctx context.Context) ([]contract.RequestView, error) {
	all, err := c.store.AllRequests(ctx)
	if err != nil {
		return nil, failure.Wrap(err)
	}
	views := make([]contract.RequestView, 0, len(all))
	for _, r := range all {
		id := r.FireID
		if r.Kind == task.RequestRun {
			id = task.ManualID(r.UID, r.ID)
		}
		views = append(views, contract.RequestView{
			ID: r.ID, Kind: string(r.Kind), Task: r.Task.Name, Tenant: r.Task.Tenant, Type: r.Task.Type,
			FireID: string(id), Asked: r.Asked.UTC(), Reason: r.Reason,
		})
	}
	slices.SortStableFunc(views, func(a, b contract.RequestView) int { return a.Asked.Compare(b.Asked) })
	return views, nil
}
