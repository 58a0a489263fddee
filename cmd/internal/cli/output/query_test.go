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

// A list that is written as it comes reads as one that is written at once.
func TestListsAsTheyCome(t *testing.T) {
	t.Parallel()
	type nested struct {
		Name string         `json:"name"`
		N    int64          `json:"n"`
		In   map[string]any `json:"in"`
		List []string       `json:"list"`
		None *item          `json:"none"`
	}
	all := []nested{
		{"a|b", 9007199254740993, map[string]any{"deep": []any{1, "x", map[string]any{}}}, []string{}, nil},
		{"true", 0, nil, nil, &item{"i: j", 1}},
		{"", -1, map[string]any{}, []string{"- a", "#", "two\nlines"}, nil},
	}
	printers := []Printer{
		{Format: JSON},
		{Format: JSONL},
		{Format: YAML},
		{Format: "jsonpath={.items[*].name}"},
		{Format: "jsonpath={.items[0].n}"},
		{Format: "go-template={{range .}}{{.name}};{{end}}{{len .}}"},
	}
	for _, program := range []string{
		".", "length", ".[]", ".[].name", ".[]?", ".[]|.n", `.[] | select(.n > -1) | .name`, ".[0]", ".[1:]", "map(.n)|add", "first(.[])", "[.[].n]", ".[], 1",
		".[] as $x | $x.n", "def f: .n; .[] | f", ".[].list[]?", ".[].in.deep", ".[] | halt", `.[] | if .n == 0 then halt else .n end`, "reduce .[] as $x (0; . + $x.n)",
		"try error(\"x\") catch .", ".[] | try error(\"x\") catch .", "(.[] | .n), length", "limit(1; .[])", "label $out | .[] | (., break $out)",
	} {
		printers = append(printers, Printer{JQ: program}, Printer{JQ: program, Format: JSON})
	}
	frame := Frame[nested]{}
	for _, p := range printers {
		for n := range len(all) + 1 {
			var whole, parts bytes.Buffer
			p.Out = &whole
			wholeErr := p.Value(append([]nested{}, all[:n]...))
			p.Out = &parts
			partsErr := frame.Print(p, all[:n])
			if whole.String() != parts.String() || (wholeErr == nil) != (partsErr == nil) {
				t.Errorf("%s %s of %d: as it comes\n%q, %v; at once\n%q, %v", p.Format, p.JQ, n, parts.String(), partsErr, whole.String(), wholeErr)
			}
		}
	}
}

// A query that goes through a list item by item need not see all of it at once.
func TestQueriesThatTakeItemsOneByOne(t *testing.T) {
	t.Parallel()
	for program, want := range map[string]bool{
		".[]": true, ".[].name": true, ".[] | select(.n > 1) | .name": true, "def f: .n; .[] | f": true,
		".": false, "length": false, ".[0]": false, ".name[]": false, ".[], 1": false, "[.[]]": false, ".[] as $x | $x": false, "1 | .": false,
	} {
		q, err := jqQuery(program)
		if err != nil || (q.item != nil) != want {
			t.Errorf("%s: item by item %v, want %v (%v)", program, q != nil && q.item != nil, want, err)
		}
	}
	var out bytes.Buffer
	err := (Frame[item]{}).Print(Printer{JQ: ".[] | range(600000)", Out: &out}, items())
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("what all items give together is bounded: %v", err)
	}
}
