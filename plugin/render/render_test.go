package render

import (
	"strings"
	"testing"
)

type data struct {
	Name       string
	Total      int
	Properties map[string]string
	Rows       []map[string]string
}

var rules = Rules{MaxTemplate: 200, MaxOutput: 64, Loops: []string{"Rows", "Properties"}}

func sample() data {
	return data{
		Name: `a "b" <c>`, Total: 1 << 40, Properties: map[string]string{"x": "1", "y": "2"},
		Rows: []map[string]string{{"code": "S10"}, {"code": "S12"}},
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":                    "plain",
		`{"name": {{json .Name}}}`: `{"name": "a \"b\" \u003cc\u003e"}`,
		`<n>{{xml .Name}}</n>`:     `<n>a &#34;b&#34; &lt;c&gt;</n>`,
		`{{.Properties.x}}{{range $k, $v := .Properties}} {{$k}}={{$v}}{{end}}`: "1 x=1 y=2",
		`{{range .Rows}}{{range $k, $v := .}}{{$k}}:{{$v}} {{end}}{{end}}`:      "code:S10 code:S12 ",
		`{{with .Rows}}{{range .}}{{.code}}{{end}}{{end}}`:                      "S10S12",
		`{{printf "%5.1f|%03d" 1.25 7}}`:                                        "  1.2|007",
	} {
		c, err := Compile("body", text, rules, sample())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := c.Execute(sample()); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
}

// What a stranger could hold up a host with is refused before it is run.
func TestRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{{.Nome}}":                   "Nome",
		"{{.Properties.z}}":           "no entry for key",
		"{{":                          "body:1",
		"{{define \"x\"}}a{{end}}":    "define",
		"{{template \"body\"}}":       "template",
		"{{range 1000000000}}{{end}}": "a loop goes over",
		"{{range .Total}}{{end}}":     "a loop goes over",
		"{{range .}}{{end}}":          "a loop goes over",
		"{{with .Total}}{{range .}}{{end}}{{end}}":                             "a loop goes over",
		"{{range .Rows}}{{with 1000000000}}{{range .}}{{end}}{{end}}{{end}}":   "a loop goes over",
		"{{$x := 1000000000}}{{range $x}}{{end}}":                              "a loop goes over",
		"{{if .Name}}{{range 9}}{{end}}{{end}}":                                "a loop goes over",
		"{{with .Name}}a{{else}}{{range 9}}{{end}}{{end}}":                     "a loop goes over",
		"{{range .Rows}}{{range $.Rows}}{{range $.Rows}}{{end}}{{end}}{{end}}": "2 deep",
		`{{printf "%999999999d" 1}}`:                                           "two digits",
		`{{printf "%*d" 999999999 1}}`:                                         "two digits",
		strings.Repeat("a", 65):                                                "too long",
		strings.Repeat("a", 201):                                               "at most 200",
	} {
		if _, err := Compile("body", text, rules, sample()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
