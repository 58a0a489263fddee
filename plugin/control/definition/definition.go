package definition

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Document gives a definition as programs write it: the JSON form of task.Info
// without what the store and the owner keep for themselves (see Kept). Read gives
// it back.
func Document(info task.Info) (json.RawMessage, error) {
	data, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	for _, name := range kept {
		delete(members, name)
	}
	if info.Trigger.Interval > 0 && info.Trigger.Count == 0 { // what is left out there is for ever
		if members["trigger"], err = json.Marshal(struct {
			task.TriggerInfo

			Count int `json:"count"`
		}{TriggerInfo: info.Trigger}); err != nil {
			return nil, err
		}
	}
	return json.Marshal(members)
}

// kept of task.Info are not a program's to set.
var kept = []string{"uid", "revision", "from", "edit", "seat", "followers", "paused_at", "deleted", "deleted_at"}

// Kept names the members of a stored definition that are no part of a document.
func Kept() []string { return slices.Clone(kept) }

// Read reads a document into info; members that are not known, or not a program's
// to set, are refused by name. An interval without a count goes on for ever, as in
// task files and with task create. Errors are *failure.Error, of CodeInvalid.
func Read(document json.RawMessage, info *task.Info) error {
	var members map[string]json.RawMessage
	if err := Decode("task", document, &members); err != nil {
		return err
	}
	for _, name := range kept {
		if _, there := members[name]; there {
			return &failure.Error{Code: failure.CodeInvalid, Message: "task: " + name + " cannot be set", Hint: "leave it out"}
		}
	}
	if err := Decode("task", document, info); err != nil {
		return err
	}
	if info.Trigger.Interval > 0 && !counts(members["trigger"]) {
		info.Trigger.Count = -1
	}
	return nil
}

// counts tells whether a trigger says how often.
func counts(trigger json.RawMessage) bool {
	var said struct{ Count *int }
	return json.Unmarshal(trigger, &said) == nil && said.Count != nil
}

// Patch applies a JSON merge patch (RFC 7396) to a definition, which stays as it is
// where the patch is refused. Errors as of Read.
func Patch(info *task.Info, with json.RawMessage) error {
	document, err := Document(*info)
	if err != nil {
		return err
	}
	var target, change map[string]any
	if err := errors.Join(decodeNumbers(document, &target), decodeNumbers(with, &change)); err != nil {
		return failure.Invalid("task: %v", err)
	}
	data, err := json.Marshal(merge(target, change))
	if err != nil {
		return err
	}
	var after task.Info
	if err := Read(data, &after); err != nil {
		return err
	}
	*info = after
	return nil
}

func decodeNumbers(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

func merge(target, change map[string]any) map[string]any {
	if target == nil {
		target = map[string]any{}
	}
	for name, value := range change {
		switch value := value.(type) {
		case nil:
			delete(target, name)
		case map[string]any:
			below, _ := target[name].(map[string]any)
			target[name] = merge(below, value)
		default:
			target[name] = value
		}
	}
	return target
}
