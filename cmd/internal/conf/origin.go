package conf

import (
	"fmt"
	"reflect"
)

// Source is the kind of place that a value comes from.
type Source string

// The sources, from the strongest to the weakest.
const (
	FromFlag    Source = "flag"
	FromEnv     Source = "environment"
	FromTasks   Source = "tasks-config.xml"
	FromFile    Source = "file"
	FromDerived Source = "derived" // from another setting or the machine
	FromDefault Source = "default"
)

// Origin says where a value comes from.
type Origin struct {
	Source Source
	// Where is the flag, the variable or the file; empty for a default.
	Where string
	// Line and Column in the file, from 1; zero otherwise.
	Line, Column int
}

// String is for people: "flag --listen", "file belfryd.yaml:3:9", "default".
func (o Origin) String() string {
	switch {
	case o.Where == "":
		return string(o.Source)
	case o.Line > 0:
		return fmt.Sprintf("%s %s:%d:%d", o.Source, o.Where, o.Line, o.Column)
	}
	return fmt.Sprintf("%s %s", o.Source, o.Where)
}

// Origins maps the name of each key to where its value comes from.
type Origins map[string]Origin

// Value is a setting with its value as text, secrets and passwords hidden.
type Value struct {
	Key
	Text   string
	Origin Origin
}

// Values lists all settings with what they are and where from, in the order of
// Config, for people to read.
func (c Config) Values(origins Origins) []Value {
	v := reflect.ValueOf(c)
	var out []Value
	for _, k := range Keys() {
		out = append(out, Value{Key: k, Text: write(v.FieldByIndex(k.index)), Origin: origins[k.Name]})
	}
	return out
}
