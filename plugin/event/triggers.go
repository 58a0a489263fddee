package event

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/render"
)

// Config is what Triggers needs. All fields but Log are required.
type Config struct {
	States States
	// Sender checks subscriptions; it is not asked to send.
	Sender   Sender
	Reporter Reporter
	Now      func() time.Time
	// Log of what no caller is told. Nil: nothing is logged.
	Log *slog.Logger
}

// Triggers evaluates event triggers and accepts what they raise. Make it with
// New. Its methods may be called before Start and after Stop, which run only the
// timers of hold and digest.
type Triggers struct {
	c Config

	mu       sync.RWMutex // guards deployed
	deployed map[string]map[string]*trigger

	timers  timers
	locks   locks
	backlog *backlog
}

// New makes Triggers without any deployed. It starts nothing.
func New(c Config) *Triggers {
	return &Triggers{c: c, deployed: map[string]map[string]*trigger{}, timers: newTimers(), locks: newLocks(), backlog: newBacklog()}
}

// trigger is a compiled TriggerSpec.
type trigger struct {
	spec          TriggerSpec
	policy        policy
	cond          *cond.Condition
	rearm         *cond.Condition // nil: none
	subject, body *render.Template
}

// Deploy compiles the triggers of a service and replaces those deployed under
// its name. An error, which names the trigger and where it is known the place,
// leaves them as they were.
func (t *Triggers) Deploy(service string, specs []TriggerSpec) error {
	compiled := make(map[string]*trigger, len(specs))
	for _, s := range specs {
		c, err := t.compile(s)
		if err == nil && compiled[s.ID] != nil {
			err = errors.New("another trigger has the same id")
		}
		if err != nil {
			place := ""
			if s.Line > 0 {
				place = fmt.Sprintf("%d:%d: ", s.Line, s.Column)
			}
			return fmt.Errorf("%sevent trigger %q: %w", place, s.ID, err)
		}
		compiled[s.ID] = c
	}
	t.mu.Lock()
	t.deployed[service] = compiled
	t.mu.Unlock()
	for id := range compiled {
		t.timers.set(Ref{service, id}, t.c.Now())
	}
	return nil
}

// Undeploy forgets the triggers of a service. Their stored state stays.
func (t *Triggers) Undeploy(service string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range t.deployed[service] {
		t.timers.set(Ref{service, id}, time.Time{})
	}
	delete(t.deployed, service)
}

func (t *Triggers) compile(s TriggerSpec) (*trigger, error) {
	c := &trigger{spec: s}
	var err error
	if s.ID == "" {
		return nil, errors.New("it has no id")
	}
	if c.cond, err = cond.Compile(s.Language, s.Expression); err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	if c.policy, err = s.policy(); err != nil {
		return nil, err
	}
	if s.Rearm != "" {
		if c.rearm, err = cond.Compile(s.Language, s.Rearm); err != nil {
			return nil, fmt.Errorf("re-arm condition: %w", err)
		}
	}
	if c.spec.Subscriptions, err = t.subscriptions(s.Subscriptions); err != nil {
		return nil, err
	}
	subject := s.Subject
	if subject == "" {
		subject = DefaultSubject
	}
	if c.subject, err = compileTemplate("subject", subject); err != nil {
		return nil, err
	}
	if s.Body != "" {
		c.body, err = compileTemplate("body", s.Body)
	}
	return c, err
}

// subscriptions checks each, and drops those that are there twice, compared
// without case as the original does.
func (t *Triggers) subscriptions(uris []string) ([]string, error) {
	var kept []string
	seen := map[string]bool{}
	for _, u := range split(uris) {
		if seen[strings.ToLower(u)] {
			continue
		}
		seen[strings.ToLower(u)] = true
		if err := t.c.Sender.Check(u); err != nil {
			return nil, fmt.Errorf("subscription %q: %w", u, err)
		}
		kept = append(kept, u)
	}
	if len(kept) == 0 {
		return nil, errors.New("it has no subscription")
	}
	if len(kept) > MaxSubscriptions {
		return nil, fmt.Errorf("%d subscriptions, at most %d are allowed", len(kept), MaxSubscriptions)
	}
	return kept, nil
}

func (t *Triggers) find(service, id string) *trigger {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.deployed[service][id]
}

// Observe evaluates a trigger. The hit it returns, nil if there is nothing to
// accept, is opaque. An error says why the condition could not be evaluated; it
// is for the log, and is reported already.
func (t *Triggers) Observe(ctx context.Context, o Observation) ([]byte, error) {
	ref := Ref{o.Service, o.Trigger}
	hit, err := t.observe(ctx, o)
	if err != nil {
		err = fmt.Errorf("event trigger %s: %w", ref, err)
		t.c.Reporter.Report(Report{At: o.At, Level: "warn", Code: CodeUnevaluated, Object: ref.String(), Text: err.Error()})
		return nil, err
	}
	if hit == nil {
		return nil, nil
	}
	return hit.encode()
}

func (t *Triggers) observe(ctx context.Context, o Observation) (*hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tr := t.find(o.Service, o.Trigger)
	if tr == nil {
		return nil, errors.New("it is not deployed")
	}
	doc, err := cond.Parse(o.Document)
	if err != nil {
		return nil, err
	}
	verdict, err := tr.cond.Eval(doc)
	if err != nil {
		return nil, fmt.Errorf("expression: %w", err)
	}
	if !verdict.Holds && !tr.policy.remembers() {
		return nil, nil
	}
	h := &hit{
		Format: hitFormat, Ref: Ref{o.Service, o.Trigger}, Query: o.Query, Request: o.Request, FireID: o.FireID,
		Task: o.Task, Topic: tr.spec.Topic, At: o.At, Held: verdict.Holds, Policy: tr.policy,
	}
	if tr.rearm != nil {
		v, err := tr.rearm.Eval(doc)
		if err != nil {
			return nil, fmt.Errorf("re-arm condition: %w", err)
		}
		h.Rearmed = v.Holds
	}
	if verdict.Holds {
		tr.render(h, o, doc, verdict)
	}
	return h, nil
}

// render fills in what a person will read. A template that fails gives way to
// the standard text, which says so: the event matters more.
func (tr *trigger) render(h *hit, o Observation, doc *cond.Document, v cond.Verdict) {
	n := len(tr.spec.Subscriptions)
	limit := min(max(maxTexts/n, minText), MaxText)
	h.To = tr.spec.Subscriptions
	h.Event = xmlEvent(o, maxEvents/n)
	d := tr.data(o, doc, v)
	var faults []string
	subject, err := tr.subject.Execute(d)
	if err != nil {
		faults = append(faults, err.Error())
		subject = fmt.Sprintf("[belfry] %s: %s rang", d.Service, d.Trigger)
	}
	h.Subject = subjectLine(subject)
	text := ""
	if tr.body != nil {
		if text, err = tr.body.Execute(d); err != nil {
			faults = append(faults, err.Error())
		}
	}
	if text == "" {
		text = standardText(d, len(o.Document) > maxEvents/n)
	}
	for _, f := range faults {
		text += "\nA template of this trigger failed: " + f + "\n"
	}
	h.Text = clip(text, limit)
}

func (tr *trigger) data(o Observation, doc *cond.Document, v cond.Verdict) *Data {
	rows, total := doc.Rows(maxRows)
	d := &Data{
		Service: o.Service, Query: o.Query, Trigger: o.Trigger, Topic: tr.spec.Topic, Expression: tr.spec.Expression,
		Values: v.Found, Input: o.Input, FireID: string(o.FireID), Scheduled: scheduled(o.FireID), Request: o.Request,
		At: o.At, Total: total, Table: table(rows, total),
	}
	if o.Task != nil {
		d.Task = o.Task.String()
	}
	if len(v.Found) > 0 {
		d.Found = v.Found[0].Name + " " + v.Found[0].Value
		if more := len(v.Found) - 1; more > 0 {
			d.Found += fmt.Sprintf(" and %d more", more)
		}
	}
	for _, r := range rows {
		m := make(map[string]string, len(r))
		for _, f := range r {
			m[f.Name] = f.Value
		}
		d.Rows = append(d.Rows, m)
	}
	return d
}
