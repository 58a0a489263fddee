package timer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The events that a host raises.
const (
	EventStart = "start"
	EventTimer = "timer"
)

// The members of a timer event's data that are not the timer's own.
const (
	TaskName  = "_taskName"
	fireID    = "_fireId"
	scheduled = "_scheduled"
	attempt   = "_attempt"
)

// Event is something that happened, for handlers.
type Event struct {
	Name string
	// Data are strings, json.Numbers, bools, nils, maps and slices of them.
	Data map[string]any
}

// eventOf makes the event of a due timer. Data that is no JSON object was
// refused when the task was made.
func eventOf(call *task.Call) (Event, error) {
	data := map[string]any{}
	if raw := call.Info.Do.Timer.Data; len(raw) > 0 {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		if err := dec.Decode(&data); err != nil {
			return Event{}, fmt.Errorf("data of the timer: %w", err)
		}
	}
	data[TaskName] = call.Info.Name
	data[fireID] = string(call.FireID)
	data[scheduled] = call.Scheduled.UTC().Format(time.RFC3339Nano)
	data[attempt] = json.Number(fmt.Sprint(call.Attempt))
	return Event{EventTimer, data}, nil
}

// own are the members that the timer brought.
func (e Event) own() map[string]any {
	own := maps.Clone(e.Data)
	for _, k := range []string{TaskName, fireID, scheduled, attempt} {
		delete(own, k)
	}
	return own
}

// text is a member of the data as text; empty: it is not there or no text.
func (e Event) text(member string) string {
	s, _ := e.Data[member].(string)
	return s
}

// lookup finds the value at a path below /event, as text; false: there is none.
func (e Event) lookup(path []string) (string, bool) {
	var v any = e.Data
	for _, part := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return "", false
		}
		if v, ok = m[part]; !ok {
			return "", false
		}
	}
	switch v := v.(type) {
	case nil:
		return "", true
	case map[string]any, []any:
		b, err := json.Marshal(v)
		return string(b), err == nil
	default:
		return strings.TrimSpace(fmt.Sprint(v)), true
	}
}
