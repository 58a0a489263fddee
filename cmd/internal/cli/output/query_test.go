package output

import (
	"bytes"
	"strings"
	"testing"
)

type item struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

func (i item) name() string { return i.Name }

func items() []item { return []item{{"a|b", 9007199254740993}, {"c,d", 2}} }

func TestDataFormats(t *testing.T) {
	t.Parallel()
	frame := Frame[item]{Name: item.name, Fields: []Field[item]{Says("NAME", item.name)}}
	for name, c := range map[string]struct {
		p    Printer
		want string
	}{
		"jsonl":         {Printer{Format: JSONL}, "{\"name\":\"a|b\",\"n\":9007199254740993}\n{\"name\":\"c,d\",\"n\":2}\n"},
		"csv":           {Printer{Format: CSV, Terminal: true}, "NAME\na|b\n\"c,d\"\n"},
		"markdown":      {Printer{Format: Markdown}, "| NAME |\n| --- |\n| a\\|b |\n| c,d |\n"},
		"names":         {Printer{Format: Name}, "a|b\nc,d\n"},
		"jq":            {Printer{JQ: ".[].name"}, "a|b\nc,d\n"},
		"jq of numbers": {Printer{JQ: "map(.n)|add"}, "9007199254740995\n"},
		"jq halts":      {Printer{JQ: "1, halt, 2"}, "1\n"},
		"jsonpath":      {Printer{Format: "jsonpath={.items[*].name}"}, "a|b c,d\n"},
		"short path":    {Printer{Format: "jsonpath=.items[1].n"}, "2\n"},
		"template":      {Printer{Format: "go-template={{range .}}{{.name}};{{end}}"}, "a|b;c,d;\n"},
	} {
		var out bytes.Buffer
		c.p.Out = &out
		if err := c.p.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := frame.Print(c.p, items()); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%q, want\n%q", name, err, out.String(), c.want)
		}
	}
	var out bytes.Buffer
	if err := frame.Print(Printer{Format: JSON, Out: &out}, nil); err != nil || out.String() != "[]\n" {
		t.Errorf("nothing is %q, %v", out.String(), err)
	}
}

func TestQueriesAreChecked(t *testing.T) {
	t.Parallel()
	for says, p := range map[string]Printer{
		"--jq":                  {JQ: ".["},
		"does not go with":      {JQ: ".", Format: YAML},
		"needs an expression":   {Format: JSONPath},
		"-o jsonpath":           {Format: "jsonpath={.a"},
		"-o go-template":        {Format: "go-template={{"},
		"json, jsonl, yaml":     {Format: "json=x"},
		"unknown output format": {Format: "xml=x"},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", p, err, says)
		}
	}
	var out bytes.Buffer
	if err := (Printer{JQ: "error(\"no\")", Out: &out}).Value(1); err == nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, out.String())
	}
	if err := (Printer{JQ: "repeat(.)", Out: &out}).Value(1); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("endless: %v", err)
	}
}
