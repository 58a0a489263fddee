package output

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
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
		switch {
		case f == Columns+"=":
			f += "NAME:.name,{N}:{.n}"
		case strings.HasSuffix(f, "="):
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

type errand struct {
	Name string        `json:"name"`
	Size int           `json:"size"`
	At   *time.Time    `json:"at"`
	Took time.Duration `json:"took"`
	Why  string        `json:"why"`
}

func errands() (Frame[errand], []errand) {
	soon, later := now.Add(time.Minute), now.Add(time.Hour)
	return Frame[errand]{
		Name: func(e errand) string { return e.Name },
		Fields: []Field[errand]{
			Says("NAME", func(e errand) string { return e.Name }),
			Says("SIZE", func(e errand) string { return fmt.Sprint(e.Size) }),
			When("FIRST AT", func(e errand) *time.Time { return e.At }),
			Says("TOOK", func(e errand) string { return e.Took.String() }),
			Tells("WHY", func(e errand) string { return e.Why }),
		},
	}, []errand{
		{"a-name-that-is-rather-long", 10, &later, 90 * time.Second, "世界 because of this, that and a third thing"},
		{"b", 9, nil, 2 * time.Hour, "short"},
		{"c", 100, &soon, 3 * time.Millisecond, ""},
	}
}

// A table fits into its terminal: texts are cut, names never, and nothing with -o
// wide or in a pipe.
func TestTablesFit(t *testing.T) {
	t.Parallel()
	frame, rows := errands()
	const least = 26 + 2 + 4 + 2 + 8 + 2 + 7 + 2 + textLeast
	for name, c := range map[string]struct {
		p    Printer
		most int
		cut  bool
	}{
		"narrow":    {Printer{Terminal: true, Width: 80}, 80, true},
		"narrower":  {Printer{Terminal: true, Width: 10}, least, true}, // names and heads stay
		"wide":      {Printer{Terminal: true, Width: 60, Format: Wide}, 200, false},
		"roomy":     {Printer{Terminal: true, Width: 120}, 120, false},
		"not known": {Printer{Terminal: true}, 200, false},
		"pipe":      {Printer{Width: 40}, 200, false},
	} {
		var out bytes.Buffer
		c.p.Out, c.p.Now = &out, now
		if err := frame.Print(c.p, rows); err != nil {
			t.Fatal(err)
		}
		if cut := strings.Contains(out.String(), "…"); cut != c.cut || !strings.Contains(out.String(), rows[0].Name) {
			t.Errorf("%s: %q", name, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); ansi.StringWidth(line) > c.most || strings.HasSuffix(line, " ") {
				t.Errorf("%s: %d columns: %q", name, ansi.StringWidth(line), line)
			}
		}
	}
}

func TestSortBy(t *testing.T) {
	t.Parallel()
	frame, rows := errands()
	for by, want := range map[string]string{
		"": "a b c", "name": "a b c", "-NAME": "c b a", "size": "b a c", "-size": "c a b", "took": "c a b",
		"first-at": "c a b", "-FIRST AT": "a c b", "why": "b a c",
	} {
		var out bytes.Buffer
		if err := frame.Print(Printer{Out: &out, Format: Name, SortBy: by, Now: now, Times: Times{Relative: true}}, rows); err != nil {
			t.Fatal(err)
		}
		got := ""
		for line := range strings.Lines(out.String()) {
			got += " " + line[:1]
		}
		if got != " "+want {
			t.Errorf("%s: %s, want %s", by, got, want)
		}
	}
	err := frame.Print(Printer{Out: io.Discard, SortBy: "age"}, rows)
	if err == nil || !strings.Contains(err.Error(), "name, size, first-at, took, why") {
		t.Errorf("an unknown column: %v", err)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := now.Add(90 * time.Second)
	for name, want := range map[string]struct{ terminal, pipe, sheet, piped, since string }{
		"":              {"in 1m30s", "2026-11-23T12:01:30Z", "2026-11-23T12:01:30Z (in 1m30s)", "2026-11-23T12:01:30Z", "up 0s"},
		"relative":      {"in 1m30s", "in 1m30s", "in 1m30s", "in 1m30s", "up 0s"},
		"iso":           {"2026-11-23T12:01:30Z", "2026-11-23T12:01:30Z", "2026-11-23T12:01:30Z", "2026-11-23T12:01:30Z", "up since 2026-11-23T12:01:30Z"},
		"Europe/Berlin": {"2026-11-23T13:01:30+01:00", "2026-11-23T13:01:30+01:00", "2026-11-23T13:01:30+01:00", "2026-11-23T13:01:30+01:00", "up since 2026-11-23T13:01:30+01:00"},
	} {
		times, err := ParseTimes(name)
		if err != nil {
			t.Fatal(err)
		}
		person, pipe := Printer{Terminal: true, Now: now, Times: times}, Printer{Now: now, Times: times}
		if a, b, c, d, e := person.Moment(&at), pipe.Moment(&at), person.Instant(&at), pipe.Instant(&at), person.Since("up", &at); a != want.terminal || b != want.pipe || c != want.sheet || d != want.piped || e != want.since {
			t.Errorf("%s: %q, %q, %q, %q, %q", name, a, b, c, d, e)
		}
		if person.Moment(nil) != "-" || pipe.Instant(nil) != "-" || person.Since("up", nil) != "" {
			t.Errorf("%s: nothing is something", name)
		}
	}
	if _, err := ParseTimes("tomorrow"); err == nil || !strings.Contains(err.Error(), "relative, iso, local") {
		t.Errorf("a zone that is none: %v", err)
	}
}

// What a path does not find is an empty cell; one thing is one row.
func TestCustomColumns(t *testing.T) {
	t.Parallel()
	frame, rows := errands()
	const format = Columns + "=NAME:.name,N:{.size},NONE:.nothing.here"
	var out bytes.Buffer
	if err := frame.Print(Printer{Out: &out, Format: format, Headers: true}, rows); err != nil {
		t.Fatal(err)
	}
	if want := "NAME\tN\tNONE\na-name-that-is-rather-long\t10\t\nb\t9\t\nc\t100\t\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	if err := (Printer{Out: &out, Format: format, Terminal: true}).Sheet(rows[1], "b", nil); err != nil {
		t.Fatal(err)
	}
	if want := "NAME  N  NONE\nb     9  -\n"; out.String() != want {
		t.Errorf("got %q", out.String())
	}
	for _, wrong := range []string{"", "NAME", "NAME:", "NAME:{.x", ":.x"} {
		if err := (Printer{Format: Columns + "=" + wrong}).Check(); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestJSONPathOfAll(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jsonpath={.}", "jsonpath=.", "jsonpath={@}"} {
		var out bytes.Buffer
		if err := (Printer{Out: &out, Format: format}).Value(map[string]int{"n": 1}); err != nil || out.String() != "{\"n\":1}\n" {
			t.Errorf("%s: %q, %v", format, out.String(), err)
		}
	}
}
