package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TasksFile is the name of the original's task configuration in the conf folder.
const TasksFile = "tasks-config.xml"

// vaultNamespace is that of the original's secure vault.
const vaultNamespace = "http://org.wso2.securevault/configuration"

// TasksConfig is what tasks-config.xml says (WSO2: TaskServiceXMLConfiguration).
// The zero value is that of a missing file. What belongs to the REMOTE mode is
// read and dropped.
type TasksConfig struct {
	File string
	// Mode is AUTO (default), STANDALONE or CLUSTERED. Whether a host is alone is
	// decided by coordination-client-config.xml.
	Mode string
	// ServerCount is zero when the file says nothing, 0 or -1.
	ServerCount            int
	CountLine, CountColumn int
	RepositoryClass        string
	// Resolver is the default task location resolver; nil: the host's own.
	Resolver *LocationResolver
	// RetryCount and RetryInterval are those of taskServerAvailabilityCheck.
	RetryCount    int
	RetryInterval time.Duration
	// Warnings are for the log.
	Warnings []string
}

// LocationResolver names the class that places tasks, with its properties in
// the order of the file.
type LocationResolver struct {
	Class      string
	Properties []Property
}

// Property is a name with a value.
type Property struct{ Name, Value string }

// ParseTasks reads tasks-config.xml. The error is an *Error that lists every
// fault: unknown elements too.
func ParseTasks(file string, data []byte) (TasksConfig, error) {
	root, err := readXML(file, data)
	if err != nil {
		return TasksConfig{}, err
	}
	t := &tasksReader{out: TasksConfig{File: file, Mode: "AUTO", RetryCount: 10, RetryInterval: time.Second}}
	t.root(root)
	if err := t.err(); err != nil {
		return TasksConfig{}, err
	}
	return t.out, nil
}

type tasksReader struct {
	problems
	out TasksConfig
}

// reader reads one element that may stand in another.
type readers map[string]func(*element)

func (t *tasksReader) root(e *element) {
	if e.Local != "tasks-configuration" || e.Space != "" {
		t.addf(e.at, "the root element is <%s>; it must be <tasks-configuration>, in no namespace", e.Local)
		return
	}
	remote := func(e *element) { t.leaf(e) }
	t.each(e, readers{
		"taskServerMode":              t.mode,
		"taskServerCount":             t.count,
		"taskRepositoryClass":         func(e *element) { t.out.RepositoryClass = t.text(e) },
		"defaultLocationResolver":     t.resolver,
		"taskClientDispatchAddress":   remote,
		"remoteServerAddress":         remote,
		"remoteServerUsername":        remote,
		"remoteServerPassword":        remote,
		"taskServerAvailabilityCheck": t.availability,
	})
}

// each reads the children of an element, each at most once.
func (t *tasksReader) each(e *element, known readers) {
	t.attributes(e)
	if strings.TrimSpace(e.text) != "" {
		t.addf(e.textAt, "<%s> holds no text", e.Local)
	}
	seen := map[string]bool{}
	for _, c := range e.children {
		read := known[c.Local]
		switch {
		case read == nil || c.Space != "":
			valid := []string{}
			for name := range known {
				valid = append(valid, name)
			}
			slices.Sort(valid)
			t.addf(c.at, "unknown element <%s> in <%s>%s", c.Local, e.Local, meant(c.Local, valid))
		case seen[c.Local]:
			t.addf(c.at, "a second <%s> in <%s>", c.Local, e.Local)
		default:
			seen[c.Local] = true
			read(c)
		}
	}
}

// attributes refuses all but the secure vault's, and those named.
func (t *tasksReader) attributes(e *element, valid ...string) {
	for _, a := range e.attrs {
		switch {
		case a.Name.Space == vaultNamespace && a.Name.Local == "secretAlias":
			t.out.Warnings = append(t.out.Warnings, fmt.Sprintf(
				"%s:%d:%d: the secure vault's alias %q has no effect: there is no secure vault here", e.at.Where, e.at.Line, e.at.Column, a.Value))
		case a.Name.Space == "" && slices.Contains(valid, a.Name.Local):
		default:
			t.addf(e.at, "unknown attribute %q of <%s>%s", a.Name.Local, e.Local, meant(a.Name.Local, valid))
		}
	}
}

// leaf gives the text of an element without children; empty if there is none.
func (t *tasksReader) leaf(e *element, attrs ...string) string {
	t.attributes(e, attrs...)
	for _, c := range e.children {
		t.addf(c.at, "<%s> holds no elements", e.Local)
	}
	return strings.TrimSpace(e.text)
}

// text is a leaf that must say something.
func (t *tasksReader) text(e *element) string {
	text := t.leaf(e)
	if text == "" {
		t.addf(e.at, "<%s> is empty", e.Local)
	}
	return text
}

func (t *tasksReader) mode(e *element) {
	switch mode := t.text(e); mode {
	case "AUTO", "STANDALONE", "CLUSTERED":
		t.out.Mode = mode
	case "":
	case "REMOTE":
		t.addf(e.textAt, "taskServerMode REMOTE is not offered: tasks run on the members of the cluster; write AUTO")
	default:
		t.addf(e.textAt, "taskServerMode %q%s", mode, meant(mode, []string{"AUTO", "STANDALONE", "CLUSTERED"}))
	}
}

func (t *tasksReader) count(e *element) {
	text := t.text(e)
	if text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < -1 || n > 1000 {
		t.addf(e.textAt, "taskServerCount %q is not a number between 1 and 1000; -1 leaves it to task.server.count", text)
		return
	}
	t.out.ServerCount, t.out.CountLine, t.out.CountColumn = max(n, 0), e.textAt.Line, e.textAt.Column
}

func (t *tasksReader) resolver(e *element) {
	r := &LocationResolver{}
	t.each(e, readers{
		"locationResolverClass": func(e *element) { r.Class = t.text(e) },
		"properties":            func(e *element) { r.Properties = t.list(e) },
	})
	if r.Class == "" && len(t.problems) == 0 {
		t.addf(e.at, "<defaultLocationResolver> needs <locationResolverClass>")
	}
	t.out.Resolver = r
}

func (t *tasksReader) list(e *element) []Property {
	t.attributes(e)
	var out []Property
	seen := map[string]bool{}
	for _, c := range e.children {
		if c.Local != "property" || c.Space != "" {
			t.addf(c.at, "unknown element <%s> in <properties>%s", c.Local, meant(c.Local, []string{"property"}))
			continue
		}
		p := Property{Value: t.leaf(c, "name")}
		for _, a := range c.attrs {
			if a.Name.Space == "" && a.Name.Local == "name" {
				p.Name = strings.TrimSpace(a.Value)
			}
		}
		switch {
		case p.Name == "":
			t.addf(c.at, "<property> needs a name")
		case seen[p.Name]:
			t.addf(c.at, "property %q is given twice", p.Name)
		}
		seen[p.Name] = true
		out = append(out, p)
	}
	return out
}

func (t *tasksReader) availability(e *element) {
	t.each(e, readers{
		"retryCount": func(e *element) {
			text := t.text(e)
			n, err := strconv.Atoi(text)
			if text != "" && (err != nil || n < 0) {
				t.addf(e.textAt, "retryCount %q is not a whole number from 0", text)
			}
			t.out.RetryCount = n
		},
		"retryInterval": func(e *element) {
			text := t.text(e)
			d, err := milliseconds(text)
			if text != "" && (err != nil || d <= 0) {
				t.addf(e.textAt, `retryInterval %q is not a time above zero; write milliseconds, or a number with a unit such as "5s"`, text)
			}
			t.out.RetryInterval = d
		},
	})
}

// milliseconds reads a time as the original does, a bare number of
// milliseconds, or with a unit.
func milliseconds(text string) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * time.Millisecond, nil
	}
	return time.ParseDuration(text)
}
