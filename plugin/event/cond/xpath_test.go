package cond

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func document(tb testing.TB, name string) *Document {
	tb.Helper()
	d, err := Parse(read(tb, name))
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return d
}

// TestXPathTable holds the evaluator to what the JDK's XPath 1.0 answers: each
// line of the table is a document, the result as a boolean and as a string, and
// the expression.
func TestXPathTable(t *testing.T) {
	t.Parallel()
	docs := map[string]*Document{"input": document(t, "input"), "plain": document(t, "plain"), "spaced": document(t, "spaced")}
	table, err := os.ReadFile("testdata/xpath.tsv")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")
	n := 0
	for line := range strings.Lines(string(table)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(f) != 4 {
			t.Fatalf("not a line of the table: %q", line)
		}
		n++
		c, err := Compile(XPath, f[3])
		if err != nil {
			t.Errorf("%s: %v", f[3], err)
			continue
		}
		v, err := c.Eval(docs[f[0]])
		if err != nil || v.Holds != (f[1] == "true") {
			t.Errorf("%s: %s: %v, %v, want %s", f[0], f[3], v.Holds, err, f[1])
		}
		if got, want := stringOf(t, f[3], docs[f[0]]), unescape.Replace(f[2]); got != want {
			t.Errorf("%s: string(%s) is %q, want %q", f[0], f[3], got, want)
		}
	}
	if n < 200 {
		t.Errorf("only %d expressions", n)
	}
}

func stringOf(t *testing.T, text string, d *Document) string {
	t.Helper()
	e, err := parseXPath(text)
	if err != nil {
		t.Fatal(err)
	}
	run := &evaluation{text: text, doc: d, left: MaxSteps}
	return run.str(run.eval(e, context{node: d.root, position: 1, size: 1}))
}
