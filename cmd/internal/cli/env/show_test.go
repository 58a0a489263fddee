package env

import (
	"bytes"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
)

// A pipe gets the lines that are new; what belongs together comes whole.
func TestWatchWritesWhatIsNew(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"":           "a\t1\nb\t1\nb\t2\n",
		output.Name:  "a\nb\n",
		output.JSONL: "{\"n\":1}\n{\"n\":2}\n",
		output.JSON:  "[\n  {\n    \"n\": 1\n  }\n]\n[\n  {\n    \"n\": 1\n  },\n  {\n    \"n\": 2\n  }\n]\n",
	} {
		var out bytes.Buffer
		w := watch{e: &Env{Out: &out, Now: time.Now, Format: format}, shown: map[string]bool{}}
		show := func(data []map[string]int, rows ...[]output.Cell) {
			t.Helper()
			err := w.show(func(p output.Printer) error {
				return p.List(output.Listing{Data: data, Columns: []output.Column{{Name: "A"}, {Name: "N"}}, Rows: rows, Names: []string{"a", "b"}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		a, b, later := []output.Cell{output.Text("a"), output.Text("1")}, []output.Cell{output.Text("b"), output.Text("1")}, []output.Cell{output.Text("b"), output.Text("2")}
		show([]map[string]int{{"n": 1}}, a, b)
		show([]map[string]int{{"n": 1}}, a, b)
		show([]map[string]int{{"n": 1}, {"n": 2}}, a, later)
		if out.String() != want {
			t.Errorf("%s: %q, want %q", format, out.String(), want)
		}
	}
}
