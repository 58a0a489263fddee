package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Defined gives a task and its definition. Codes: not_found, unavailable.
func (c *Control) Defined(ctx context.Context, key task.Key) (TaskView, task.Info, error) {
	info, err := c.get(ctx, key)
	if err != nil {
		return TaskView{}, task.Info{}, err
	}
	view, err := c.view(ctx, info)
	return view, info, err
}

// Document gives a definition as programs write it: the JSON form of task.Info
// without what the store and the owner keep for themselves (uid, revision,
// from, edit, seat, followers, paused_at, deleted,
// deleted_at). Carry reads it back as no
// change.
func Document(info task.Info) (json.RawMessage, error) {
	data, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	for _, kept := range keptMembers {
		delete(members, kept)
	}
	return json.Marshal(members)
}

// keptMembers of task.Info are not a program's to set.
var keptMembers = []string{"uid", "revision", "from", "edit", "seat", "followers", "paused_at", "deleted", "deleted_at"}

// KeptMembers names the members of a stored definition that are no part of a
// Document.
func KeptMembers() []string { return slices.Clone(keptMembers) }

// read reads a Document; unknown members are refused by name.
func read(document json.RawMessage, info *task.Info) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(document, &members); err != nil {
		return invalid("task: %v", err)
	}
	for _, kept := range keptMembers {
		if _, there := members[kept]; there {
			return &Error{Code: CodeInvalid, Message: "task: " + kept + " cannot be set", Hint: "leave it out"}
		}
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(info); err != nil {
		return invalid("task: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("task: something follows the definition")
	}
	return nil
}

// patch applies a JSON merge patch (RFC 7396) to a definition.
func patch(info *task.Info, with json.RawMessage) error {
	document, err := Document(*info)
	if err != nil {
		return err
	}
	var target, change map[string]any
	if err := errors.Join(decodeNumbers(document, &target), decodeNumbers(with, &change)); err != nil {
		return invalid("task: %v", err)
	}
	data, err := json.Marshal(merge(target, change))
	if err != nil {
		return err
	}
	var after task.Info
	if err := read(data, &after); err != nil {
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
