package definition

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Plain is a document for people: its fields in their order, those that are empty
// left out. Task files carry it, Changes compares it.
func Plain(info *task.Info) (json.RawMessage, error) {
	text, err := json.Marshal(info)
	if err != nil {
		return nil, err
	}
	all, err := members(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range all {
		if slices.Contains(kept, m.name) || m.empty() {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// member is one of a JSON object's.
type member struct {
	name  string
	value json.RawMessage
}

func (m member) empty() bool {
	return slices.Contains([]string{`""`, `{}`, `[]`, `null`, `"0s"`, `false`}, string(m.value))
}

// members lists those of a JSON object, in their order.
func members(text []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		all = append(all, member{name.(string), value}) //nolint:forcetypeassert // members have names
	}
	return all, nil
}

// Change is a part of a definition that is different in another.
type Change struct {
	Field string `json:"field"` // such as "trigger.cron"
	// Before and After are as they are written; empty: it is not there.
	Before string `json:"before"`
	After  string `json:"after"`
}

// Changes tells how a definition differs from the one before, by field.
func Changes(before, after *task.Info) []Change {
	old, now := leaves(before), leaves(after)
	changes := []Change{}
	for _, m := range now {
		was := find(old, m.name)
		if was != string(m.value) {
			changes = append(changes, Change{m.name, word(was), word(string(m.value))})
		}
	}
	for _, m := range old {
		if find(now, m.name) == "" {
			changes = append(changes, Change{m.name, word(string(m.value)), ""})
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return strings.Compare(a.Field, b.Field) })
	return changes
}

// leaves are the values of a definition by their paths. A list is one value.
func leaves(info *task.Info) []member {
	text, err := Plain(info)
	if err != nil {
		return nil
	}
	var all []member
	var walk func(prefix string, text []byte)
	walk = func(prefix string, text []byte) {
		found, err := members(text)
		if err != nil {
			return
		}
		for _, m := range found {
			m.name = prefix + m.name
			if len(m.value) > 0 && m.value[0] == '{' {
				walk(m.name+".", m.value)
			} else if !m.empty() {
				all = append(all, m)
			}
		}
	}
	walk("", text)
	return all
}

func find(all []member, name string) string {
	for _, m := range all {
		if m.name == name {
			return string(m.value)
		}
	}
	return ""
}

// word is a value without the quotes of a text.
func word(value string) string {
	var text string
	if json.Unmarshal([]byte(value), &text) == nil {
		return text
	}
	return value
}

// IsKept tells whether a JSON name of task.Info is no part of a document.
func IsKept(name string) bool { return slices.Contains(kept, name) }
