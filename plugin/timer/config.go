package timer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// The handlers that there are.
const (
	HandlerService        = "timer-service"   // of start alone
	HandlerTimerKicker    = "timer-kicker"    // posts to Receiver
	HandlerResourceKicker = "resource-kicker" // posts to Receiver when Watch changed
	HandlerOperation      = "operation"       // calls Operation of Service
	HandlerCode           = "code"            // runs Code
)

// Bounds of a configuration.
const (
	MaxFile     = 1 << 20 // bytes
	MaxHandlers = 1000
	MaxTimers   = 10_000
)

// Config is a handlers' configuration.
type Config struct {
	Handlers []Handler
	Timers   []Timer
}

// Handler is an entry: what is called, for which events.
type Handler struct {
	Name       string // unique; what is remembered of it is kept under it
	Handler    string // one of the constants above
	Events     []string
	Conditions []Condition // all must hold
	// Receiver is the address that kickers post to, Headers what they add; see
	// task.HTTPCall.Headers.
	Receiver string
	Headers  []task.Header
	// Resource is the name that kickers tell. Empty: the timer's data "resource".
	Resource string
	// Watch is the address that a resource kicker looks at.
	Watch string
	// First kicks for the first state of a resource that is seen, too.
	First              bool
	Service, Operation string
	Code               string
	// Delay to ask for after a failure.
	Delay time.Duration
}

// Timer is a timer of the configuration.
type Timer struct {
	Name    string
	Trigger task.TriggerInfo
	Event   task.TimerEvent
}

// file, entry, timer and the rest are the configuration as it is written.
type file struct {
	Handlers []entry `yaml:"handlers"`
	Timers   []due   `yaml:"timers"`
}

type entry struct {
	at         place
	Name       string            `yaml:"name"`
	Handler    string            `yaml:"handler"`
	Events     words             `yaml:"events"`
	Conditions words             `yaml:"conditions"`
	Receiver   string            `yaml:"receiver"`
	Headers    map[string]string `yaml:"headers"`
	Resource   string            `yaml:"resource"`
	Watch      string            `yaml:"watch"`
	First      bool              `yaml:"first"`
	Service    string            `yaml:"service"`
	Operation  string            `yaml:"operation"`
	Code       string            `yaml:"code"`
	Delay      period            `yaml:"delay"`
}

type due struct {
	at        place
	Name      string         `yaml:"name"`
	Period    period         `yaml:"period"`
	Cron      string         `yaml:"cron"`
	TZ        string         `yaml:"tz"`
	At        time.Time      `yaml:"at"`
	Data      map[string]any `yaml:"data"`
	OnFailure onFailure      `yaml:"on_failure"`
}

type onFailure struct {
	Delay period `yaml:"delay"`
	Max   period `yaml:"max"`
}

// place is a line and a column of the file.
type place struct{ line, column int }

func (e *entry) UnmarshalYAML(n *yaml.Node) error {
	type plain entry
	e.at = place{n.Line, n.Column}
	return strict(n, (*plain)(e))
}

func (d *due) UnmarshalYAML(n *yaml.Node) error {
	type plain due
	d.at = place{n.Line, n.Column}
	return strict(n, (*plain)(d))
}

func (o *onFailure) UnmarshalYAML(n *yaml.Node) error {
	type plain onFailure
	return strict(n, (*plain)(o))
}

// strict decodes a mapping and refuses members that are not known, which the
// library does not do below a type that decodes itself.
func strict(n *yaml.Node, to any) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: an entry is a list of members, such as name: task1", n.Line)
	}
	known, err := yaml.Marshal(to)
	if err != nil {
		return err
	}
	members := map[string]any{}
	if err := yaml.Unmarshal(known, &members); err != nil {
		return err
	}
	for i := 0; i < len(n.Content); i += 2 {
		if _, ok := members[n.Content[i].Value]; !ok {
			return fmt.Errorf("line %d: %q is not known", n.Content[i].Line, n.Content[i].Value)
		}
	}
	return n.Decode(to)
}

// words is one word or a list of them.
type words []string

func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*w = words{n.Value}
		return nil
	}
	return n.Decode((*[]string)(w))
}

// period is a number of seconds, or a duration as Go writes it.
type period time.Duration

func (p *period) UnmarshalYAML(n *yaml.Node) error {
	if seconds, err := strconv.ParseFloat(n.Value, 64); err == nil {
		*p = period(seconds * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no time: write 5 for five seconds, or 1m30s", n.Line, n.Value)
	}
	*p = period(d)
	return nil
}

// Parse reads a handlers' configuration, YAML or JSON. Name is that of the
// file, for errors, which begin with file:line.
func Parse(name string, data []byte) (Config, error) {
	if len(data) > MaxFile {
		return Config{}, fmt.Errorf("%s: %d bytes, at most %d", name, len(data), MaxFile)
	}
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ")
		return Config{}, fmt.Errorf("%s:%s", name, strings.TrimPrefix(strings.ReplaceAll(text, "\n  ", "; "), "line "))
	}
	if len(f.Handlers) > MaxHandlers || len(f.Timers) > MaxTimers {
		return Config{}, fmt.Errorf("%s: %d handlers and %d timers, at most %d and %d", name, len(f.Handlers), len(f.Timers), MaxHandlers, MaxTimers)
	}
	var c Config
	names := map[string]bool{}
	for i := range f.Handlers {
		h, err := f.Handlers[i].handler()
		if err == nil && names[h.Name] {
			err = fmt.Errorf("two handlers are named %s; give them a name each", h.Name)
		}
		if err != nil {
			return Config{}, fmt.Errorf("%s:%d:%d: handler: %w", name, f.Handlers[i].at.line, f.Handlers[i].at.column, err)
		}
		names[h.Name] = true
		c.Handlers = append(c.Handlers, h)
	}
	names = map[string]bool{}
	var triggers trigger.Compiler
	for i := range f.Timers {
		t, err := f.Timers[i].timer(&triggers)
		if err == nil && names[t.Name] {
			err = fmt.Errorf("two timers are named %s", t.Name)
		}
		if err != nil {
			return Config{}, fmt.Errorf("%s:%d:%d: timer: %w", name, f.Timers[i].at.line, f.Timers[i].at.column, err)
		}
		names[t.Name] = true
		c.Timers = append(c.Timers, t)
	}
	return c, nil
}

func (e *entry) handler() (Handler, error) {
	h := Handler{
		Name: e.Name, Handler: e.Handler, Events: e.Events, Receiver: e.Receiver, Resource: e.Resource, Watch: e.Watch, First: e.First,
		Service: e.Service, Operation: e.Operation, Code: e.Code, Delay: time.Duration(e.Delay),
	}
	if h.Name == "" {
		h.Name = strings.TrimRight(e.Handler+":"+e.Resource+e.Operation+e.Code, ":")
	}
	for name, value := range e.Headers {
		h.Headers = append(h.Headers, task.Header{Name: name, Value: value})
	}
	slices.SortFunc(h.Headers, func(a, b task.Header) int { return strings.Compare(a.Name, b.Name) })
	for _, text := range e.Conditions {
		c, err := ParseCondition(text)
		if err != nil {
			return Handler{}, err
		}
		h.Conditions = append(h.Conditions, c)
	}
	return h, h.check()
}

func (h *Handler) check() error {
	if len(h.Events) == 0 {
		return fmt.Errorf("it is for no event: events: %s or %s", EventStart, EventTimer)
	}
	for _, event := range h.Events {
		if event != EventStart && event != EventTimer {
			return fmt.Errorf("event %q is not known: use %s or %s", event, EventStart, EventTimer)
		}
	}
	if h.Delay < 0 {
		return fmt.Errorf("a delay of %s cannot be", h.Delay)
	}
	switch h.Handler {
	case HandlerService:
		if !slices.Equal(h.Events, []string{EventStart}) {
			return fmt.Errorf("%s is for the event %s alone", HandlerService, EventStart)
		}
	case HandlerTimerKicker:
		return checkAddress("receiver", h.Receiver)
	case HandlerResourceKicker:
		if slices.Contains(h.Events, EventStart) {
			return fmt.Errorf("%s is for the event %s alone, since what it saw is remembered by timer", HandlerResourceKicker, EventTimer)
		}
		return errors.Join(checkAddress("receiver", h.Receiver), checkAddress("watch", h.Watch))
	case HandlerOperation:
		if h.Service == "" || h.Operation == "" {
			return errors.New("it names no service or no operation")
		}
	case HandlerCode:
		if h.Code == "" {
			return errors.New("it names no code")
		}
	default:
		return fmt.Errorf("%q is no handler: use %s", h.Handler,
			strings.Join([]string{HandlerService, HandlerTimerKicker, HandlerResourceKicker, HandlerOperation, HandlerCode}, ", "))
	}
	return nil
}

func checkAddress(what, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%s %q is no plain http or https address", what, task.Shown(address))
	}
	return nil
}

func (d *due) timer(triggers *trigger.Compiler) (Timer, error) {
	t := Timer{Name: d.Name, Trigger: task.TriggerInfo{Cron: d.Cron, TZ: d.TZ, At: d.At}}
	if d.Name == "" {
		return Timer{}, errors.New("it has no name")
	}
	if fault := task.NameFault(d.Name, task.MaxName); fault != "" {
		return Timer{}, fmt.Errorf("name %q: %s", d.Name, fault)
	}
	ways := 0
	for _, given := range []bool{d.Period != 0, d.Cron != "", !d.At.IsZero()} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return Timer{}, fmt.Errorf("%s: say when by one of period, cron and at", d.Name)
	case d.Period < 0:
		return Timer{}, fmt.Errorf("%s: a period of %s cannot be", d.Name, time.Duration(d.Period))
	case d.Period > 0:
		t.Trigger.Interval, t.Trigger.Count = task.Duration(d.Period), -1
	}
	if _, err := triggers.Compile(t.Trigger, time.Time{}, ""); err != nil {
		return Timer{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	if d.Data != nil {
		data, err := json.Marshal(d.Data)
		if err != nil {
			return Timer{}, fmt.Errorf("%s: data: %w", d.Name, err)
		}
		t.Event.Data = data
	}
	t.Event.Backoff, t.Event.MaxBackoff = task.Duration(d.OnFailure.Delay), task.Duration(d.OnFailure.Max)
	if t.Event.Backoff < 0 || t.Event.MaxBackoff < 0 || t.Event.MaxBackoff > 0 && t.Event.MaxBackoff < t.Event.Backoff {
		return Timer{}, fmt.Errorf("%s: on_failure: a delay of %s up to %s cannot be", d.Name, t.Event.Backoff, t.Event.MaxBackoff)
	}
	return t, nil
}
