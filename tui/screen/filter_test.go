package screen

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/seed42aab489/belfry/tui/intent"
	"github.com/seed42aab489/belfry/tui/theme"
	"github.com/seed42aab489/belfry/tui/widget"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	lines := map[string][][2]string{
		"a": {{"name", "Stock-12"}, {"state", "failed"}, {"service", "Stock"}},
		"b": {{"name", "stock-x"}, {"state", "paused"}, {"service", "Sheets"}},
		"c": {{"name", "odd~[name=1"}, {"state", "waiting"}, {"service", "Stock"}},
	}
	for words, want := range map[string]string{
		"":                        "abc",
		"stock":                   "abc",
		"stock !paused":           "ac",
		"state=failed":            "a",
		"!service=stock":          "b",
		"name=1":                  "ac",
		"[name=1":                 "c",
		"~^stock-[0-9]+$":         "a",
		"!~^stock-[0-9]+$":        "bc",
		`name~^stock-\D`:          "b",
		"!state~failed|paused":    "c",
		"service~^(stock|she+ts)": "abc",
		"~^stock ~x$":             "b",
		"odd~x":                   "", // no field is called so, and no text holds it
		"~":                       "abc",
		"state~":                  "abc",
		"~[a":                     "abc", // broken: nothing is left out by it
		"~[a failed":              "a",
	} {
		got := ""
		terms := of(words).Terms()
		for _, name := range []string{"a", "b", "c"} {
			if terms.Match(lines[name]...) {
				got += name
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

// Words are found whatever the case, of other alphabets too.
func TestContainsFold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, word string
		want       bool
	}{
		{"getLowStock", "lows", true},
		{"getLowStock", "stocks", false},
		{"ab", "abc", false},
		{"", "", true},
		{"", "a", false},
		{"x ÄRGER", "ärger", true},
		{"Straße-ÄB", "ße-ä", true},
		{"\u212Aelvin", "kelvin", true}, // the sign of the unit, of three bytes
		{"aAaAb", "aab", true},
	} {
		if got := containsFold(c.text, c.word); got != c.want {
			t.Errorf("%q in %q: %t", c.word, c.text, got)
		}
	}
}

func of(words string) Filter {
	line, _ := widget.Line{}.Edit(intent.Intent{Action: intent.Insert, Text: words})
	return WordFilter(line)
}

// A broken expression says so where the count of lines stands.
func TestBrokenFilter(t *testing.T) {
	t.Parallel()
	s := &Scene{Theme: theme.New(theme.Options{Name: "mono"}), Width: 96}
	for words, want := range map[string]string{
		"~[a":       "missing closing ]",
		"name~(a":   "missing closing )",
		"~a|*b":     "missing argument to repetition operator: *",
		"~x{9,2}":   "invalid repeat count: {9,2}",
		"~fine":     "1 of 2",
		"a=~[b ~ok": "1 of 2", // the field's value is text, whatever is in it
	} {
		view := ansi.Strip(of(words).View(s, 1, 2))
		if !strings.Contains(view, want) || widget.Width(view) > s.Width {
			t.Errorf("%q: %q, want %q", words, view, want)
		}
	}
}
