package definition_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/definition"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/task"
)

func stored() task.Info {
	return task.Info{
		Key: task.Key{Tenant: "default", Type: "T", Name: "stock"}, UID: "3-abc", Revision: 7, From: time.UnixMilli(1000).UTC(),
		Service: "Stock", Operation: "get", Trigger: task.TriggerInfo{Cron: "0 0 3 * * ?"}, Retry: task.Retry{Max: 3}, Description: "d",
	}
}

// What a program was given it can give back, as no change.
func TestADocumentIsReadBack(t *testing.T) {
	t.Parallel()
	info := stored()
	text, err := definition.Document(info)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range definition.Kept() {
		if strings.Contains(string(text), `"`+kept+`":`) || !definition.IsKept(kept) {
			t.Errorf("%s is in %s", kept, text)
		}
	}
	var back task.Info
	if err := definition.Read(text, &back); err != nil {
		t.Fatal(err)
	}
	if changes := definition.Changes(&info, &back); len(changes) > 0 {
		t.Errorf("changes %v", changes)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"name":"a","uid":"x"}`:  "uid cannot be set",
		`{"name":"a","colour":1}`: `unknown field "colour"`,
		`{"name":"a"} {}`:         "task: something follows it",
		`[]`:                      "task: found a list, want an object",
		``:                        "task: there is nothing",
		`{"name":`:                "task: it ends too early",
		`{"name":1}`:              "task: name: found a number, want a text",
		`{"retry":3}`:             "task: retry: found a number, want an object",

		`{"name":"a","name":"b"}`:                        `task: "name" is there twice`,
		`{"name":"a","retry":{"max":1,"max":2}}`:         `task: "max" is there twice`,
		`{"alerts":[{"on":"failed"},{"on":"","on":""}]}`: `task: "on" is there twice`,
		`{"trigger":{"at":"tomorrow"}}`:                  "task: time tomorrow: write it like 2027-01-31T09:30:00Z",
		`{"trigger":{"interval":true}}`:                  "duration \"true\": write it like 5s",
	} {
		var info task.Info
		err := definition.Read([]byte(text), &info)
		f, ok := errors.AsType[*failure.Error](err)
		if !ok || f.Code != failure.CodeInvalid || !strings.Contains(f.Message, want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The same words mean the same in a file, on the command line and over REST: an
// interval goes on for ever unless it says how often.
func TestCounts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{"interval":"1h"}`: -1, `{"interval":3600000}`: -1, `{"interval":"1h","count":null}`: -1,
		`{"interval":"1h","count":0}`: 0, `{"interval":"1h","count":3}`: 3, `{"cron":"@daily"}`: 0,
	} {
		var info, back, patched task.Info
		if err := definition.Read([]byte(`{"name":"a","trigger":`+text+`}`), &info); err != nil || info.Trigger.Count != want {
			t.Errorf("%s: %+v, %v, want %d", text, info.Trigger, err, want)
		}
		document, err := definition.Document(info)
		if err != nil {
			t.Fatal(err)
		}
		if err := definition.Read(document, &back); err != nil || back.Trigger != info.Trigger {
			t.Errorf("%s: read back from %s: %+v, %v", text, document, back.Trigger, err)
		}
		patched = info
		if err := definition.Patch(&patched, []byte(`{"description":"d"}`)); err != nil || patched.Trigger != info.Trigger {
			t.Errorf("%s: patched: %+v, %v", text, patched.Trigger, err)
		}
	}
}

func TestAPatch(t *testing.T) {
	t.Parallel()
	info := stored()
	if err := definition.Patch(&info, []byte(`{"description":null,"retry":{"max":5}}`)); err != nil {
		t.Fatal(err)
	}
	if info.Description != "" || info.Retry.Max != 5 || info.Service != "Stock" {
		t.Errorf("patched: %+v", info)
	}
	before := info
	if err := definition.Patch(&info, []byte(`{"retry":"often"}`)); err == nil || !reflect.DeepEqual(info, before) {
		t.Errorf("a patch that is refused: %v, %+v", err, info)
	}
}

func TestChangesNameFields(t *testing.T) {
	t.Parallel()
	before, after := stored(), stored()
	after.Trigger.Cron, after.Description, after.Timeout = "0 0 4 * * ?", "", task.Duration(time.Minute)
	want := []definition.Change{
		{Field: "description", Before: "d"},
		{Field: "timeout", After: "1m0s"},
		{Field: "trigger.cron", Before: "0 0 3 * * ?", After: "0 0 4 * * ?"},
	}
	if got := definition.Changes(&before, &after); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
