package importer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The properties of a task of a data service (WSO2: DSTaskConstants), and of a
// WebServiceCallTask.
const (
	wsoService   = "DATA_SERVICE_NAME"
	wsoOperation = "DATA_SERVICE_OPERATION_NAME"
	wsoEndpoint  = "SERVICE_TARGET_EPR"
	wsoAction    = "SERVICE_ACTION"
	wsoPattern   = "SERVICE_MEP"
	wsoPayload   = "SERVICE_PAYLOAD_HANDLER_CLASS"
)

// taskInfo is the XML that WSO2's registry keeps of a task (TaskInfo, JAXB).
type taskInfo struct {
	Name          string  `xml:"name"`
	Class         string  `xml:"taskClass"`
	Properties    []entry `xml:"properties>entry"`
	Resolver      string  `xml:"locationResolverClass"`
	ResolverProps []entry `xml:"locationResolverProperties>entry"`
	Trigger       struct {
		Cron       string `xml:"cronExpression"`
		Start      string `xml:"startTime"`
		End        string `xml:"endTime"`
		Interval   int64  `xml:"intervalMillis"`
		Count      int    `xml:"repeatCount"`
		Misfire    string `xml:"misfirePolicy"`
		Concurrent bool   `xml:"disallowConcurrentExecution"`

		Unknown []unknown `xml:",any"`
	} `xml:"triggerInfo"`

	Unknown []unknown `xml:",any"`
}

type entry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// unknown is an element that the original does not write.
type unknown struct{ XMLName xml.Name }

// wso2 reads every taskInfo in a text, one after another or below something.
func wso2(_ string, text []byte, t target) ([]imported, error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	var all []imported
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "taskInfo" {
			continue
		}
		var info taskInfo
		if err := decoder.DecodeElement(&info, &start); err != nil {
			return nil, err
		}
		i, err := info.convert(t)
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", info.Name, err)
		}
		all = append(all, i)
	}
	if len(all) == 0 {
		return nil, errNothing
	}
	return all, nil
}

func (x *taskInfo) convert(t target) (imported, error) {
	i := imported{Info: task.Info{Key: task.Key{Name: x.Name}.Normal()}}
	i.Trigger = task.TriggerInfo{Cron: x.Trigger.Cron, TZ: t.tz}
	if x.Trigger.Cron == "" {
		i.Trigger.Interval, i.Trigger.Count = task.Duration(time.Duration(x.Trigger.Interval)*time.Millisecond), x.Trigger.Count
	}
	if t.tz == "" && x.Trigger.Cron != "" {
		i.note("the original fires by the clock of its server: say which zone with --tz; UTC is taken")
	}
	for _, e := range slices.Concat(x.Unknown, x.Trigger.Unknown) {
		i.note("element %s is not known, and left out", e.XMLName.Local)
	}
	var err error
	if i.Trigger.Start, err = moment(x.Trigger.Start); err != nil {
		return i, err
	}
	if i.Trigger.End, err = moment(x.Trigger.End); err != nil {
		return i, err
	}
	if x.Trigger.Concurrent {
		i.Overlap = task.OverlapQueue
	}
	x.misfire(&i)
	x.calls(&i)
	x.location(&i)
	t.of(&i)
	return i, nil
}

// moment reads the dateTime of XML Schema, as JAXB writes a Date.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q cannot be read", text)
}

func (x *taskInfo) misfire(i *imported) {
	switch p := x.Trigger.Misfire; p {
	case "", "DEFAULT", "FIRE_AND_PROCEED", "FIRE_NOW":
	case "IGNORE_MISFIRES":
		i.Misfire = task.MisfireFireAll
	case "DO_NOTHING":
		i.Misfire = task.MisfireSkip
	default:
		i.note("misfire policy %s: fire-once is nearest, since counts always go by the instants that were scheduled", p)
	}
}

// calls maps what the task does.
func (x *taskInfo) calls(i *imported) {
	properties := make(map[string]string)
	var others []string
	for _, p := range x.Properties {
		properties[p.Key] = p.Value
		if !slices.Contains([]string{wsoService, wsoOperation, wsoEndpoint, wsoAction, wsoPattern, wsoPayload, "__TENANT_ID_PROP__"}, p.Key) {
			others = append(others, p.Key)
		}
	}
	class := x.Class[strings.LastIndex(x.Class, ".")+1:]
	switch {
	case properties[wsoService] != "" && properties[wsoOperation] != "":
		i.Service, i.Operation = properties[wsoService], properties[wsoOperation]
	case properties[wsoEndpoint] != "":
		i.Do = &task.Action{SOAP: &task.SOAPCall{
			Endpoint: properties[wsoEndpoint], Action: properties[wsoAction], InOnly: properties[wsoPattern] != "IN_OUT",
		}}
		if handler := properties[wsoPayload]; handler != "" {
			i.note("the payload comes from the Java class %s: write it as do.soap.payload", handler)
		}
	default:
		i.note("class %s is Java code: what it does has to be an operation, a web call, or code built into the host", class)
	}
	if len(others) > 0 {
		i.note("properties that are not kept: %s", strings.Join(others, ", "))
	}
}

func (x *taskInfo) location(i *imported) {
	if x.Resolver == "" {
		return
	}
	i.Location = &task.Location{Resolver: x.Resolver}
	for _, p := range x.ResolverProps {
		i.Location.Properties = append(i.Location.Properties, task.Property{Name: p.Key, Value: p.Value})
	}
}
