package task

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/task"
)

// action gathers the flags that say what a task does other than calling an
// operation of a data service.
type action struct {
	url, method, body               string
	expect                          []string
	soap, soapAction, soapVersion   string
	soapOperation, payload          string
	inOnly                          bool
	headers, properties             []string
	condition, language             string
	timer                           bool
	data                            string
	failureDelay, failureDelayLimit time.Duration
	code                            string
}

// kindFlags are the flags that make a task be of a kind.
var kindFlags = map[string]task.Kind{"url": task.KindHTTP, "soap": task.KindSOAP, "timer": task.KindTimer, "code": task.KindCode}

func (a *action) flags(f *pflag.FlagSet) {
	f.StringVar(&a.url, "url", "", "http task: address to call")
	f.StringVar(&a.method, "method", "", "http task: method (default GET, or POST with --body)")
	f.StringVar(&a.body, "body", "", "http task: body, a template, or @FILE; {{.FireID}}, {{json .Scheduled}}, {{.Properties.x}}")
	f.StringSliceVar(&a.expect, "expect", nil, "http task: statuses that are a success, such as 200-204,404 (default 2xx)")
	f.StringVar(&a.soap, "soap", "", "soap task: endpoint to call; operations of services added with `service add` need --service and --operation alone")
	f.StringVar(&a.soapOperation, "soap-operation", "", "soap task: name of the operation, to be shown")
	f.StringVar(&a.soapAction, "soap-action", "", "soap task: the action")
	f.StringVar(&a.soapVersion, "soap-version", "", "soap task: 1.1 or 1.2 (default 1.1)")
	f.StringVar(&a.payload, "payload", "", "soap task: the element in the envelope's Body, a template, or @FILE")
	f.BoolVar(&a.inOnly, "in-only", false, "soap task: expect no answer")
	f.StringArrayVar(&a.headers, "header", nil, "http and soap tasks: a header \"Name: value\"; secrets as $file{name} or $env{BELFRY_SECRET_NAME}; repeatable")
	f.StringVar(&a.condition, "condition", "", "http and soap tasks: what must hold of the answer, XML or JSON")
	f.StringVar(&a.language, "condition-language", "", "XPath or CEL (default XPath)")
	f.BoolVar(&a.timer, "timer", false, "timer task: raise the event timer for the handlers of the host")
	f.StringVar(&a.data, "data", "", "timer task: its data, a JSON object, or @FILE")
	f.DurationVar(&a.failureDelay, "failure-delay", 0, "timer task: least time to the next event after one that failed, doubled for each further")
	f.DurationVar(&a.failureDelayLimit, "failure-delay-max", 0, "timer task: where the doubling ends (default 5m)")
	f.StringVar(&a.code, "code", "", "code task: name of code that is built into the hosts")
	f.StringArrayVar(&a.properties, "property", nil, "a property name=value for templates and code; repeatable")
}

// does tells whether the flags say what the task does.
func (a *action) does(f *pflag.FlagSet) bool {
	for name := range kindFlags {
		if f.Changed(name) {
			return true
		}
	}
	return false
}

// apply writes the flags that were given into info.
func (a *action) apply(f *pflag.FlagSet, info *task.Info) error {
	do := info.Do.Clone()
	if !a.does(f) && (f.Changed("service") || f.Changed("operation")) {
		do = nil // what stands behind an operation is found anew
	}
	for name, kind := range kindFlags {
		if f.Changed(name) && (do == nil || do.Kind() != kind) {
			do = a.fresh(kind, do)
			if !f.Changed("service") {
				info.Service, info.Operation = "", ""
			}
		}
	}
	for _, part := range []struct {
		kind  string
		names []string
		there bool
		write func() error
	}{
		{"--url", []string{"url", "method", "body", "expect"}, do != nil && do.HTTP != nil, func() error { return a.http(f, do.HTTP) }},
		{
			"--soap",
			[]string{"soap", "soap-operation", "soap-action", "soap-version", "payload", "in-only"},
			do != nil && do.SOAP != nil, func() error { return a.toSOAP(f, do.SOAP) },
		},
		{"--url or --soap", []string{"header", "condition", "condition-language"}, do != nil && (do.HTTP != nil || do.SOAP != nil), func() error {
			return a.both(f, do)
		}},
		{"--timer", []string{"timer", "data", "failure-delay", "failure-delay-max"}, do != nil && do.Timer != nil, func() error {
			return a.event(f, do.Timer)
		}},
		{"--code", []string{"code"}, do != nil && do.Code != nil, func() error { do.Code.Name = a.code; return nil }},
		{"--url, --soap, --timer or --code", []string{"property"}, do != nil, func() error { return a.props(do) }},
	} {
		given := ""
		for _, name := range part.names {
			if f.Changed(name) {
				given = name
			}
		}
		if given == "" {
			continue
		}
		if !part.there {
			return env.Usage("--%s goes with %s", given, part.kind)
		}
		if err := part.write(); err != nil {
			return env.Usage("%v", err)
		}
	}
	info.Do = do
	return nil
}

// fresh begins an action of a kind, with the properties of the one before.
func (*action) fresh(kind task.Kind, before *task.Action) *task.Action {
	do := &task.Action{}
	if before != nil {
		do.Properties = before.Properties
	}
	switch kind {
	case task.KindHTTP:
		do.HTTP = &task.HTTPCall{}
	case task.KindSOAP:
		do.SOAP = &task.SOAPCall{}
	case task.KindTimer:
		do.Timer = &task.TimerEvent{}
	case task.KindCode:
		do.Code = &task.CodeCall{}
	}
	return do
}

func (a *action) http(f *pflag.FlagSet, h *task.HTTPCall) (err error) {
	if f.Changed("url") {
		h.URL = a.url
	}
	if f.Changed("body") {
		if h.Body, err = text(a.body); err != nil {
			return fmt.Errorf("--body: %w", err)
		}
		if h.Method == "" && h.Body != "" {
			h.Method = "POST"
		}
	}
	if f.Changed("method") {
		h.Method = strings.ToUpper(a.method)
	}
	if f.Changed("expect") {
		h.Expect = a.expect
	}
	return nil
}

func (a *action) toSOAP(f *pflag.FlagSet, s *task.SOAPCall) (err error) {
	for name, to := range map[string]struct{ from, to *string }{
		"soap": {&a.soap, &s.Endpoint}, "soap-operation": {&a.soapOperation, &s.Operation},
		"soap-action": {&a.soapAction, &s.Action}, "soap-version": {&a.soapVersion, &s.Version},
	} {
		if f.Changed(name) {
			*to.to = *to.from
		}
	}
	if f.Changed("in-only") {
		s.InOnly = a.inOnly
	}
	if f.Changed("payload") {
		if s.Payload, err = text(a.payload); err != nil {
			return fmt.Errorf("--payload: %w", err)
		}
	}
	return nil
}

// both writes what http and soap tasks share.
func (a *action) both(f *pflag.FlagSet, do *task.Action) error {
	var headers *[]task.Header
	var condition **task.Condition
	if do.HTTP != nil {
		headers, condition = &do.HTTP.Headers, &do.HTTP.Condition
	} else {
		headers, condition = &do.SOAP.Headers, &do.SOAP.Condition
	}
	if f.Changed("header") {
		*headers = nil
		for _, line := range a.headers {
			name, value, ok := strings.Cut(line, ":")
			if !ok {
				return fmt.Errorf("--header %q: write it like \"Name: value\"", line)
			}
			*headers = append(*headers, task.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	switch {
	case f.Changed("condition") && a.condition == "":
		*condition = nil
	case f.Changed("condition"):
		*condition = &task.Condition{Expression: a.condition}
	}
	if f.Changed("condition-language") {
		if *condition == nil {
			return fmt.Errorf("--condition-language goes with --condition")
		}
		(*condition).Language = a.language
	}
	return nil
}

func (a *action) event(f *pflag.FlagSet, t *task.TimerEvent) error {
	if f.Changed("data") {
		data, err := text(a.data)
		if err != nil {
			return fmt.Errorf("--data: %w", err)
		}
		if !json.Valid([]byte(data)) {
			return fmt.Errorf("--data: it is no JSON object")
		}
		t.Data = json.RawMessage(data)
	}
	if f.Changed("failure-delay") {
		t.Backoff = task.Duration(a.failureDelay)
	}
	if f.Changed("failure-delay-max") {
		t.MaxBackoff = task.Duration(a.failureDelayLimit)
	}
	return nil
}

func (a *action) props(do *task.Action) error {
	do.Properties = map[string]string{}
	for _, p := range a.properties {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return fmt.Errorf("--property %q: write it like name=value", p)
		}
		do.Properties[name] = value
	}
	return nil
}

// maxText bounds what a flag reads from a file.
const maxText = 1 << 20

// text is what a flag says, or the file that it names by @.
func text(given string) (string, error) {
	name, ok := strings.CutPrefix(given, "@")
	if !ok {
		return given, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(data) > maxText {
		err = fmt.Errorf("%s has more than %d bytes", name, maxText)
	}
	return strings.TrimRight(string(data), "\r\n"), err
}
