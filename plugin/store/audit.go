package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/task"
)

// MaxAudit is how many of the last edits each bucket keeps for the audit, and
// how many the group as a whole does.
const MaxAudit = 50

// maxFields bounds the fields that an entry of the audit names.
const maxFields = 24

// The codes of edits. They are stable.
const (
	TaskCreated     = "TASK_CREATED"
	TaskChanged     = "TASK_CHANGED"
	TaskPaused      = "TASK_PAUSED"
	TaskResumed     = "TASK_RESUMED"
	TaskDeleted     = "TASK_DELETED"
	RunRequested    = "RUN_REQUESTED"
	CancelRequested = "CANCEL_REQUESTED"
	FillRequested   = "BACKFILL_REQUESTED"
	NodeDrained     = "NODE_DRAINED"
	NodeUndrained   = "NODE_UNDRAINED"
	BarrierLifted   = "BARRIER_LIFTED"
	CalendarSet     = "CALENDAR_SET"
	CalendarDeleted = "CALENDAR_DELETED"
)

// Edit is what somebody changed or asked for, as the audit keeps it. It is
// written by the commit that it tells of.
type Edit struct {
	// At is when it was committed, by the store's clock.
	At   time.Time `json:"at,omitzero"`
	Code string    `json:"code"`
	By   string    `json:"by,omitempty"`
	// Task that it is about; zero: none.
	Task task.Key `json:"task,omitzero"`
	// Object is what else it is about, a node or a calendar.
	Object string `json:"object,omitempty"`
	// Revision of the definition or calendar after it; 0: it is no edit of one.
	Revision int64 `json:"revision,omitempty"`
	// Fields of the definition that it changed.
	Fields []string `json:"fields,omitempty"`
	Reason string   `json:"reason,omitempty"`
	// ID is the edit id of the definition, or the id of the request.
	ID string `json:"id,omitempty"`
}

type auditRecord struct {
	Format int    `json:"format"`
	Edits  []Edit `json:"edits"` // the oldest first; those of the last commit without At
}

// groupAudit is the place of edits that are of no bucket.
const groupAudit = "group"

func (k keys) audits() string            { return string(k) + "/audit" }
func (k keys) audit(place string) string { return k.audits() + "/" + place }

// note makes the operation that adds edits to the audit of a place.
func (s *Store) note(ctx context.Context, place string, edits ...Edit) (coordclient.Op, error) {
	key := s.keys.audit(place)
	entry, err := s.peek(ctx, key)
	switch {
	case errors.Is(err, coordclient.ErrNotFound):
		entry.Version = -1
	case err != nil:
		return coordclient.Op{}, err
	}
	r, err := decodeAudit(entry)
	if err != nil {
		s.corrupt(&CorruptError{key, err}) // no reason to refuse the edit: begin afresh
	}
	for _, e := range edits {
		e.Reason = cmp.Or(e.Reason, s.why)
		r.Edits = append(r.Edits, e)
	}
	r.Format = Format
	r.Edits = r.Edits[max(0, len(r.Edits)-MaxAudit):]
	value, err := encode(r, coordclient.MaxValue)
	if err != nil {
		return coordclient.Op{}, err
	}
	if entry.Version < 0 {
		return coordclient.Create(key, value), nil
	}
	return coordclient.Set(key, value, entry.Version), nil
}

// decodeAudit reads a ring; the time of its last edits is that of its commit.
func decodeAudit(e coordclient.Entry) (auditRecord, error) {
	if e.Version < 0 {
		return auditRecord{}, nil
	}
	var r auditRecord
	if err := decode(e.Value, coordclient.MaxValue, &r, &r.Format); err != nil {
		return auditRecord{}, err
	}
	for i := len(r.Edits) - 1; i >= 0 && r.Edits[i].At.IsZero(); i-- {
		r.Edits[i].At = e.Modified
	}
	return r, nil
}

// Audit reads the edits that are kept, the oldest first. Error:
// coordclient.ErrUnavailable.
func (s *Store) Audit(ctx context.Context) ([]Edit, error) {
	rings, err := read(ctx, s, s.keys.audits(), func(_ string, e coordclient.Entry) (auditRecord, error) { return decodeAudit(e) })
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var all []Edit
	for _, r := range rings {
		all = append(all, r.Edits...)
	}
	slices.SortStableFunc(all, func(a, b Edit) int { return a.At.Compare(b.At) })
	return all, nil
}

// entry is the edit that makes after of before; a nil before: it creates it.
func (s *Store) entry(before, after *task.Info) Edit {
	e := Edit{Code: TaskChanged, By: s.by, Task: after.Key, Revision: after.Revision, ID: after.Edit.ID}
	switch {
	case before == nil:
		e.Code = TaskCreated
	case after.Deleted:
		e.Code = TaskDeleted
	default:
		e.Fields = changed(before, after)
		switch {
		case !before.Paused && after.Paused:
			e.Code, e.Reason = TaskPaused, cut(after.PauseReason)
		case before.Paused && !after.Paused:
			e.Code = TaskResumed
		}
	}
	return e
}

// changed names the fields of a definition that differ, those left out that
// every edit moves.
func changed(before, after *task.Info) []string {
	old, now := fields(before), fields(after)
	var names []string
	for name := range now {
		if string(old[name]) != string(now[name]) {
			names = append(names, name)
		}
	}
	for name := range old {
		if _, ok := now[name]; !ok {
			names = append(names, name)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return strings.HasPrefix(name, "edit") || name == "revision" || name == "from" || name == "paused_at"
	})
	slices.Sort(names)
	return names[:min(len(names), maxFields)]
}

func fields(info *task.Info) map[string]json.RawMessage {
	text, err := json.Marshal(info)
	if err != nil {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	return all
}
