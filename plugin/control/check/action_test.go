package check

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/plugin/task"
)

// What an action may say, by examples: an empty want is accepted.
func TestAction(t *testing.T) {
	t.Parallel()
	const good = "https://example.org/hook"
	header := func(name, value string) *task.Action {
		return &task.Action{HTTP: &task.HTTPCall{URL: good, Headers: []task.Header{{Name: name, Value: value}}}}
	}
	for name, c := range map[string]struct {
		do   *task.Action
		want string
	}{
		"get":                 {&task.Action{HTTP: &task.HTTPCall{URL: good}}, ""},
		"post":                {&task.Action{HTTP: &task.HTTPCall{Method: "POST", URL: good, Body: "{}", Expect: []string{"2xx", "404"}}}, ""},
		"secret by reference": {header("authorization", "Bearer $file{token}"), ""},
		"nothing":             {&task.Action{}, "exactly one thing"},
		"method":              {&task.Action{HTTP: &task.HTTPCall{Method: "CONNECT", URL: good}}, "method"},
		"small letters":       {&task.Action{HTTP: &task.HTTPCall{Method: "post", URL: good}}, "method"},
		"no url":              {&task.Action{HTTP: &task.HTTPCall{}}, "use http or https"},
		"file":                {&task.Action{HTTP: &task.HTTPCall{URL: "file:///etc/passwd"}}, "use http or https"},
		"no host":             {&task.Action{HTTP: &task.HTTPCall{URL: "http:///x"}}, "names no host"},
		"opaque":              {&task.Action{HTTP: &task.HTTPCall{URL: "http:x"}}, "names no host"},
		"password":            {&task.Action{HTTP: &task.HTTPCall{URL: "http://u:p@example.org/"}}, "would be shown"},
		"fragment":            {&task.Action{HTTP: &task.HTTPCall{URL: good + "#a"}}, "fragment"},
		"long url":            {&task.Action{HTTP: &task.HTTPCall{URL: good + strings.Repeat("a", MaxURL)}}, "the limit is"},
		"body of a get":       {&task.Action{HTTP: &task.HTTPCall{URL: good, Body: "x"}}, "has no body"},
		"long body":           {&task.Action{HTTP: &task.HTTPCall{Method: "PUT", URL: good, Body: strings.Repeat("a", MaxPayload+1)}}, "the limit is"},
		"status":              {&task.Action{HTTP: &task.HTTPCall{URL: good, Expect: []string{"ok"}}}, "status"},
		"many statuses":       {&task.Action{HTTP: &task.HTTPCall{URL: good, Expect: make([]string, MaxExpect+1)}}, "the limit is"},
		"secret in clear":     {header("Authorization", "Bearer abc"), "stored and shown"},
		"cookie in clear":     {header("cookie", "a=b"), "stored and shown"},
		"our header":          {header("idempotency-key", "x"), "sets it itself"},
		"header injection":    {header("X-A", "a\r\nX-B: b"), "control characters"},
		"header name":         {header("X A", "a"), "make its name"},
		"many headers":        {&task.Action{HTTP: &task.HTTPCall{URL: good, Headers: make([]task.Header, MaxHeaders+1)}}, "the limit is"},
		"empty condition":     {&task.Action{HTTP: &task.HTTPCall{URL: good, Condition: &task.Condition{}}}, "condition"},
		"soap":                {&task.Action{SOAP: &task.SOAPCall{Endpoint: good, Action: "urn:x", Version: "1.2"}}, ""},
		"soap version":        {&task.Action{SOAP: &task.SOAPCall{Endpoint: good, Version: "2"}}, "use 1.1 or 1.2"},
		"soap action":         {&task.Action{SOAP: &task.SOAPCall{Endpoint: good, Action: "a\"b"}}, "no quotes"},
		"in-only condition": {&task.Action{SOAP: &task.SOAPCall{
			Endpoint: good, InOnly: true, Condition: &task.Condition{Expression: "/x"},
		}}, "no answer"},
		"soap payload": {&task.Action{SOAP: &task.SOAPCall{Endpoint: good, Payload: strings.Repeat("a", MaxPayload+1)}}, "the limit is"},
		"timer":        {&task.Action{Timer: &task.TimerEvent{Data: json.RawMessage(`{"file": "testFile"}`), Backoff: 5, MaxBackoff: 10}}, ""},
		"timer data":   {&task.Action{Timer: &task.TimerEvent{Data: json.RawMessage(`[1]`)}}, "no JSON object"},
		"timer delay":  {&task.Action{Timer: &task.TimerEvent{Backoff: 5, MaxBackoff: 1}}, "cannot be"},
		"no code":      {&task.Action{Code: &task.CodeCall{}}, "no code"},
	} {
		err := Action(c.do, nil)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
