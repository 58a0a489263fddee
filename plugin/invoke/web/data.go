package web

import (
	"fmt"
	"time"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/render"
	"github.com/seed42aab489/belfry/plugin/task"
)

// Data is what a body or payload template sees.
type Data struct {
	FireID             string
	Scheduled          time.Time // UTC
	Attempt            int       // 1 is the first
	Task, Tenant, Type string
	Properties         map[string]string
	// Input is what the task that it follows has given it.
	Input map[string]string
	// ReplyTo is where a reply to the call is taken, ReplyToken what proves that
	// it comes from who was called. Empty: the call's answer is all there is.
	ReplyTo, ReplyToken string
}

// Bounds of templates.
const (
	MaxTemplate = 64 << 10  // bytes
	MaxBody     = 256 << 10 // bytes of what a template makes
)

func dataOf(call *task.Call) *Data {
	d := &Data{
		FireID: string(call.FireID), Scheduled: call.Scheduled.UTC(), Attempt: call.Attempt,
		Task: call.Info.Name, Tenant: call.Info.Tenant, Type: call.Info.Type,
	}
	d.Input, _ = call.Input.Values() // one that is broken gives nothing, which a template says
	if r := call.ReplyTo; r != nil {
		d.ReplyToken = r.Token
		if len(r.Addresses) > 0 {
			d.ReplyTo = r.Addresses[0]
		}
	}
	if call.Info.Do != nil {
		d.Properties = call.Info.Do.Properties
	}
	return d
}

func compile(name, text string, d *Data) (*render.Template, error) {
	return render.Compile(name, text, render.Rules{MaxTemplate: MaxTemplate, MaxOutput: MaxBody, Loops: []string{"Properties", "Input"}}, d)
}

// fill makes a text of a template; empty stays empty.
func fill(name, text string, d *Data) (string, error) {
	if text == "" {
		return "", nil
	}
	t, err := compile(name, text, d)
	if err != nil {
		return "", err
	}
	return t.Execute(d)
}

// Check compiles what an action says in templates, conditions and references to
// secrets, so that a fault is found when the task is made. Inputs are the names of
// the values that the task is given by those that it follows.
func Check(a *task.Action, inputs ...string) error {
	sample := &Data{
		FireID: "0-sample:0", Scheduled: time.Unix(0, 0).UTC(), Attempt: 1, Task: "sample",
		Tenant: task.DefaultTenant, Type: task.DefaultType, Properties: a.Properties,
	}
	for _, name := range inputs {
		if sample.Input == nil {
			sample.Input = map[string]string{}
		}
		sample.Input[name] = "sample"
	}
	var headers []task.Header
	var condition *task.Condition
	switch {
	case a.HTTP != nil:
		headers, condition = a.HTTP.Headers, a.HTTP.Condition
		if _, err := compile("body", a.HTTP.Body, sample); err != nil {
			return err
		}
	case a.SOAP != nil:
		headers, condition = a.SOAP.Headers, a.SOAP.Condition
		payload, err := fill("payload", a.SOAP.Payload, sample)
		if err != nil {
			return err
		}
		if _, err := parsePayload(payload); err != nil {
			return fmt.Errorf("payload: %w", err)
		}
	}
	for _, h := range headers {
		if _, err := references(h.Value, EnvPrefix); err != nil {
			return fmt.Errorf("header %s: %w", h.Name, err)
		}
	}
	if condition != nil {
		if _, err := cond.Compile(condition.Language, condition.Expression); err != nil {
			return fmt.Errorf("condition: %w", err)
		}
	}
	return nil
}
