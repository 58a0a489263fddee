package taskfile

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/plugin/control/definition"
	"go.yaml.in/yaml/v3"
)

// maxDepth bounds how deep a document may be nested.
const maxDepth = 32

// decoder puts the nodes of one document into the fields of a task that have
// their names, and tells of each fault where it is.
type decoder struct {
	file   string
	faults *Error
	nodes  int
}

// maxNodes bounds the nodes of a document, those counted twice that an alias
// stands for.
const maxNodes = 20_000

func (d *decoder) fault(n *yaml.Node, format string, args ...any) {
	d.faults.add(Problem{d.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

func (d *decoder) task(n *yaml.Node, t *Task) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, "want a task: name, service, operation, trigger")
		return
	}
	if format := child(n, "format"); format != nil {
		if number, err := strconv.Atoi(format.Value); err != nil || number < 1 || number > Format {
			d.fault(format, "format %q: this program reads %d", format.Value, Format)
			return
		}
	}
	d.structure(n, reflect.ValueOf(&t.Info).Elem(), "", 0)
	t.Key = t.Normal()
	t.KeepPaused = child(n, "paused") == nil
	if t.Name == "" {
		d.fault(n, "the task has no name")
	}
	if trigger := child(n, "trigger"); trigger != nil && child(trigger, "count") == nil && t.Trigger.Interval > 0 {
		t.Trigger.Count = -1
	}
}

// child is the value of a mapping's key; nil: it has none.
func child(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, "%s: want fields, such as %s", orTask(path), strings.Join(first(names(v.Type(), path == ""), 3), ", "))
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			d.fault(key, "%s is there twice", path+key.Value)
		}
		seen[key.Value] = true
		if path == "" && key.Value == "format" {
			continue
		}
		if path == "" && definition.IsKept(key.Value) {
			d.fault(key, "%s is set by the store: leave it out", key.Value)
			continue
		}
		field, ok := fieldOf(v, key.Value)
		if !ok {
			d.fault(key, "there is no field %s; %s has %s", path+key.Value, orTask(strings.TrimSuffix(path, ".")), strings.Join(names(v.Type(), path == ""), ", "))
			continue
		}
		d.value(value, field, path+key.Value, depth+1)
	}
}

func orTask(path string) string {
	if path == "" {
		return "a task"
	}
	return path
}

func first(all []string, n int) []string { return all[:min(n, len(all))] }

func (d *decoder) value(n *yaml.Node, v reflect.Value, path string, depth int) {
	if d.nodes++; depth > maxDepth || d.nodes > maxNodes {
		d.fault(n, "%s: too deep, or too much", path)
		return
	}
	if n.Kind == yaml.AliasNode {
		d.value(n.Alias, v, path, depth+1)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if n.Kind != yaml.ScalarNode {
			d.fault(n, "%s: want a value", path)
		} else if err := text.UnmarshalText([]byte(n.Value)); err != nil {
			d.fault(n, "%s: %s", path, plainly(err, n.Value))
		}
		return
	}
	if raw, ok := v.Addr().Interface().(json.Unmarshaler); ok {
		d.raw(n, raw, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path+".", depth)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path, depth+1)
	case reflect.Slice:
		d.list(n, v, path, depth)
	case reflect.Map:
		d.mapping(n, v, path, depth)
	default:
		d.scalar(n, v, path)
	}
}

// plainly replaces what package time says of a bad time.
func plainly(err error, value string) string {
	if strings.HasPrefix(err.Error(), "parsing time") {
		return fmt.Sprintf("time %q: write it like 2027-01-31T06:00:00Z", value)
	}
	return err.Error()
}

func (d *decoder) raw(n *yaml.Node, v json.Unmarshaler, path string) {
	var generic any
	err := n.Decode(&generic)
	var text []byte
	if err == nil {
		text, err = json.Marshal(generic)
	}
	if err == nil {
		err = v.UnmarshalJSON(text)
	}
	if err != nil {
		d.fault(n, "%s: %v", path, err)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.fault(n, "%s: want a list", path)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode || v.Type().Key().Kind() != reflect.String {
		d.fault(n, "%s: want names with values", path)
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(n.Content[i+1], item, path+"."+n.Content[i].Value, depth+1)
		v.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, "%s: want a value", path)
		return
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(n.Value)
	case v.Kind() == reflect.Bool && n.Tag == "!!bool":
		var b bool
		if err := n.Decode(&b); err == nil {
			v.SetBool(b)
		}
	case v.CanInt():
		number, err := strconv.ParseInt(n.Value, 10, v.Type().Bits())
		if err != nil {
			d.fault(n, "%s: %q is no whole number", path, n.Value)
		}
		v.SetInt(number)
	case v.CanUint():
		number, err := strconv.ParseUint(n.Value, 10, v.Type().Bits())
		if err != nil {
			d.fault(n, "%s: %q is no whole number from 0 on", path, n.Value)
		}
		v.SetUint(number)
	case v.CanFloat():
		number, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			d.fault(n, "%s: %q is no number", path, n.Value)
		}
		v.SetFloat(number)
	default:
		d.fault(n, "%s: %q is not true or false", path, n.Value)
	}
}

// fieldOf finds the field that has a JSON name, also in what is embedded.
func fieldOf(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			if found, ok := fieldOf(v.Field(i), name); ok {
				return found, true
			}
		case f.IsExported() && tag == name && name != "-":
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// names lists the JSON names of a struct, at the top without what the store sets.
func names(t reflect.Type, top bool) []string {
	var all []string
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && tag == "":
			all = append(all, names(f.Type, top)...)
		case f.IsExported() && tag != "" && tag != "-" && !(top && definition.IsKept(tag)):
			all = append(all, tag)
		}
	}
	return all
}
