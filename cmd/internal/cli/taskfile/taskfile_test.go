package taskfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/task"
)

func read(text string) ([]Task, error) { return Read([]string{"-"}, strings.NewReader(text)) }

func TestRead(t *testing.T) {
	t.Parallel()
	tasks, err := read(`
# a comment
format: 1
name: nightly
service: Stock
operation: getLowStock
trigger: {cron: "0 30 2 * * ?", tz: Europe/Berlin, start: 2027-01-01T00:00:00Z}
retry:
  max: 2
  backoff: 30s
timeout: 60000
alerts: [{on: late, after: 30s, to: ["mailto:ops@example.org"]}]
description: 007
---
---
name: often
service: &s Stock
operation: *s
trigger: {interval: 1m}
paused: false
---
{"name": "once", "tenant": "t", "trigger": {"interval": "1m", "count": 0}, "paused": true}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Task{
		{control.Desired{KeepPaused: true, Info: task.Info{
			Key: task.Key{Name: "nightly"}.Normal(), Service: "Stock", Operation: "getLowStock",
			Trigger: task.TriggerInfo{Cron: "0 30 2 * * ?", TZ: "Europe/Berlin", Start: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
			Retry:   task.Retry{Max: 2, Backoff: task.Duration(30 * time.Second)}, Timeout: task.Duration(time.Minute),
			Alerts:      []task.Alert{{On: task.AlertLate, After: task.Duration(30 * time.Second), To: []string{"mailto:ops@example.org"}}},
			Description: "007",
		}}, "stdin", 3},
		{control.Desired{Info: task.Info{
			Key: task.Key{Name: "often"}.Normal(), Service: "Stock", Operation: "Stock",
			Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute), Count: -1},
		}}, "stdin", 16},
		{control.Desired{Info: task.Info{
			Key: task.Key{Name: "once", Tenant: "t"}.Normal(), Paused: true, Trigger: task.TriggerInfo{Interval: task.Duration(time.Minute)},
		}}, "stdin", 22},
	}
	if d := cmp.Diff(want, tasks); d != "" {
		t.Error(d)
	}
}

// Each fault is told with its place, all of them at once.
func TestFaultsHavePlaces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"name: a\nservise: x":                               "stdin:2:1: there is no field servise; a task has",
		"name: a\ntrigger:\n  crom: x":                      "stdin:3:3: there is no field trigger.crom; trigger has cron, interval",
		"name: a\nrevision: 3":                              "stdin:2:1: revision is set by the store",
		"name: a\nname: b":                                  "stdin:2:1: name is there twice",
		"service: x":                                        "stdin:1:1: the task has no name",
		"[1]":                                               "want a task",
		"name: a\nformat: 2":                                `stdin:2:9: format "2": this program reads 1`,
		"name: a\ntrigger: now":                             "stdin:2:10: trigger.: want fields, such as cron",
		"name: a\ntrigger: {interval: soon}":                "stdin:2:21: trigger.interval: duration \"soon\"",
		"name: a\ntrigger: {at: tomorrow}":                  `stdin:2:15: trigger.at: time "tomorrow": write it like 2027-01-31T06:00:00Z`,
		"name: a\nretry: {max: 1.5}":                        `stdin:2:14: retry.max: "1.5" is no whole number`,
		"name: a\npaused: maybe":                            `stdin:2:9: paused: "maybe" is not true or false`,
		"name: a\nalerts: {on: late}":                       "stdin:2:9: alerts: want a list",
		"name: a\nalerts: [{on: late, to: x}]":              "stdin:2:25: alerts[0].to: want a list",
		"name: a\n\tb: c":                                   "stdin:2:1:",
		"name: a\n---\nname: b\n---\nname: a":               "stdin:5:1: task a is in stdin:1 too",
		"name: {}\ndescription: [x]":                        "stdin:1:7: name: want a value",
		"name: a\ndescription: &x [*x]":                     "stdin:2:",
		"name: a\nservise: x\n---\nname: b\noperatoin: y":   "stdin:5:1: there is no field operatoin",
		strings.Repeat("- ", 100) + "x":                     "want a task",
		"name: a\nalerts: " + strings.Repeat("[", 60) + "x": "stdin:",
	} {
		_, err := read(text)
		var faults *Error
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v\nwant %s", text, err, want)
		}
	}
	_, err := read("name: a\n" + strings.Repeat("x: 1\n", 100))
	var faults *Error
	if !errors.As(err, &faults) || len(faults.Problems) != maxProblems || faults.More == 0 {
		t.Errorf("many faults: %v", err)
	}
}

func TestReadPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "name: a", "sub/b.yml": "name: b", "sub/c.txt": "name: c"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{"": 2, "a.yaml": 1, "*.yaml": 1, "sub/*": 2, "sub/c.txt": 1} {
		if tasks, err := Read([]string{filepath.Join(dir, path)}, nil); err != nil || len(tasks) != want {
			t.Errorf("%s: %d tasks, %v", path, len(tasks), err)
		}
	}
	for _, path := range []string{"missing.yaml", "*.json"} {
		if _, err := Read([]string{filepath.Join(dir, path)}, nil); err == nil {
			t.Errorf("%s is found", path)
		}
	}
}

// What is written is read back as the same definition, whatever it holds: every
// field of task.Info that the store does not set.
func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var info task.Info
		fill(t, reflect.ValueOf(&info).Elem())
		info.Name = rapid.StringMatching(`[a-z0-9_][a-z0-9._-]{0,10}`).Draw(t, "name")
		info.Tenant = rapid.SampledFrom([]string{"", "acme"}).Draw(t, "tenant")
		info.Key = info.Normal()
		var b bytes.Buffer
		if err := NewWriter(&b).Write(&info); err != nil {
			t.Fatal(err)
		}
		tasks, err := read(b.String())
		if err != nil || len(tasks) != 1 {
			t.Fatalf("%v\n%s", err, b.String())
		}
		want, err := definition.Plain(&info)
		if err != nil {
			t.Fatal(err)
		}
		got, err := definition.Plain(&tasks[0].Info)
		if err != nil || string(got) != string(want) || tasks[0].KeepPaused {
			t.Fatalf("%v\n%s\n%s\n%s", err, got, want, b.String())
		}
	})
}

// fill draws a value for every field that a file carries.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time")).UTC()))
		return
	case json.RawMessage:
		v.SetBytes([]byte(rapid.SampledFrom([]string{`{"a":[1,"x",true]}`, `"text"`, `7`}).Draw(t, "raw")))
		return
	case task.Key:
		v.Set(reflect.ValueOf(task.Key{Name: "x"}.Normal()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && rapid.Bool().Draw(t, "set") {
				fill(t, v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"x", "a: b", "007", "true", "- x", "# no", "é\u2028\"'", "null", " lead", "a\nb\n", "@daily", "0 0/5 * * * ?"}).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(0, 1e12).Draw(t, "number"))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		key, item := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, item)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, item)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	}
}

// The schema names what a file may hold, and nothing else.
func TestSchemaNamesTheFields(t *testing.T) {
	t.Parallel()
	var schema struct {
		Properties map[string]struct {
			Enum []string `json:"enum"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(Schema, &schema); err != nil {
		t.Fatal(err)
	}
	all := append(names(reflect.TypeFor[task.Info](), true), "format")
	for _, name := range all {
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("the schema has no %s: run make generate", name)
		}
	}
	if len(schema.Properties) != len(all) || len(schema.Properties["misfire"].Enum) != 3 {
		t.Errorf("the schema has %d fields, want %d; misfire %v", len(schema.Properties), len(all), schema.Properties["misfire"].Enum)
	}
}

// No text makes the reader panic or go on for ever.
func FuzzRead(f *testing.F) {
	f.Add("name: a\ntrigger: {interval: 1m}\n---\nname: b\nalerts: [{on: late}]\n")
	f.Add("a: &a [*a]\nname: *a")
	f.Fuzz(func(t *testing.T, text string) {
		tasks, err := read(text)
		if err == nil {
			for _, task := range tasks {
				if task.Name == "" {
					t.Errorf("a task without a name of %q", text)
				}
			}
		}
	})
}
