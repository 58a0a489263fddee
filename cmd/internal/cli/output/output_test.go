package output

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func sample(p Printer) Listing {
	soon, ago := now.Add(22*time.Second), now.Add(-3*time.Minute-12*time.Second)
	return Listing{
		Data:    []map[string]any{{"name": "stock", "fired": 3, "next": nil}},
		Columns: []Column{{Name: "NAME"}, {Name: "NEXT"}, {Name: "LAST"}, {Name: "FIRED", Wide: true}},
		Rows: [][]Cell{
			{Text("stock"), p.Time(&soon), p.Time(&ago), Text("3")},
			{Text("évil\x1b[2J\nname"), p.Time(nil), p.Time(nil), Text("")},
		},
		Names: []string{"stock", "evil"},
		Empty: "Nothing yet.",
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		printer Printer
		want    string
	}{
		"a person": {
			Printer{Terminal: true},
			"NAME           NEXT    LAST\nstock          in 22s  3m12s ago\névil [2J name  -       -\n",
		},
		"a person who wants all": {
			Printer{Terminal: true, Format: Wide},
			"NAME           NEXT    LAST       FIRED\nstock          in 22s  3m12s ago  3\névil [2J name  -       -          -\n",
		},
		"a pipe": {
			Printer{},
			"stock\t2026-11-23T12:00:22Z\t2026-11-23T11:56:48Z\t3\névil [2J name\t\t\t\n",
		},
		"a pipe with a header": {
			Printer{Headers: true},
			"NAME\tNEXT\tLAST\tFIRED\nstock\t2026-11-23T12:00:22Z\t2026-11-23T11:56:48Z\t3\névil [2J name\t\t\t\n",
		},
		"names": {Printer{Format: Name}, "stock\nevil\n"},
		"json":  {Printer{Format: JSON}, "[\n  {\n    \"fired\": 3,\n    \"name\": \"stock\",\n    \"next\": null\n  }\n]\n"},
		"yaml":  {Printer{Format: YAML}, "- fired: 3\n  name: stock\n  next: null\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			c.printer.Out, c.printer.Now = &out, now
			if err := c.printer.List(sample(c.printer)); err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, line := range strings.SplitAfter(out.String(), "\n") {
				lines = append(lines, strings.TrimRight(line, " \n")+strings.Repeat("\n", strings.Count(line, "\n")))
			}
			got := strings.Join(lines, "")
			if !c.printer.Terminal {
				got = out.String()
			}
			if got != c.want {
				t.Errorf("got\n%q\nwant\n%q", got, c.want)
			}
		})
	}
}

func TestEmptyTeachesPeopleAndIsSilentInPipes(t *testing.T) {
	t.Parallel()
	for terminal, want := range map[bool]string{true: "Nothing yet.\n", false: ""} {
		var out bytes.Buffer
		p := Printer{Terminal: terminal, Out: &out, Now: now}
		l := sample(p)
		l.Rows = nil
		if err := p.List(l); err != nil || out.String() != want {
			t.Errorf("terminal %v: %q, %v", terminal, out.String(), err)
		}
	}
}

// Texts that look like other types stay texts, long integers keep their digits.
func TestYAMLKeepsWhatJSONSays(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := Printer{Format: YAML, Out: &out}
	value := struct {
		Z string   `json:"z"`
		N int64    `json:"n"`
		A string   `json:"a"`
		E []string `json:"e"`
	}{"true", 9007199254740993, "007", []string{}}
	if err := p.Value(value); err != nil {
		t.Fatal(err)
	}
	if want := "z: \"true\"\nn: 9007199254740993\na: \"007\"\ne: []\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := Printer{Out: &out}
	if err := p.Sheet(nil, "x", [][2]string{{"Name", "stock"}, {"State", "waiting\x07"}, {"Long name", ""}}); err != nil {
		t.Fatal(err)
	}
	if want := "Name       stock\nState      waiting\nLong name\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, f := range append(Formats(), "") {
		if strings.HasSuffix(f, "=") {
			f += "{.name}"
		}
		if err := (Printer{Format: f}).Check(); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if err := (Printer{Format: "xml"}).Check(); !errors.Is(err, ErrFormat) {
		t.Errorf("xml: %v", err)
	}
}
