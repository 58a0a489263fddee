package event

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/event/cond"
	"github.com/seed42aab489/belfry/plugin/render"
)

// DefaultSubject is the subject of a mail whose trigger has no template.
const DefaultSubject = `[belfry] {{.Service}}: {{.Trigger}} rang{{with .Found}}: {{.}}{{end}}`

// Data is what a subject or body template sees.
type Data struct {
	Service, Query, Trigger, Topic string
	// Expression is the condition as written.
	Expression string
	// Found is the first value that the condition rested on, "quantityInStock 5",
	// and how many more there are. Values lists them. Both may be empty.
	Found  string
	Values []cond.Found
	// Input tells whether the query rang by what it was given.
	Input bool
	// Task is "tenant/type/name", FireID its firing, Scheduled the instant; empty
	// for a request that is not a firing.
	Task, FireID string
	Scheduled    time.Time
	Request      string
	At           time.Time
	// Rows are at most 20 rows of the document, each by column; Total counts all.
	// Table is them as text.
	Rows  []map[string]string
	Total int
	Table string
}

// maxTemplate bounds a template in bytes.
const maxTemplate = 8 << 10

// compileTemplate parses a template and tries it, so that a wrong name refuses
// the deployment.
func compileTemplate(name, text string) (*render.Template, error) {
	rules := render.Rules{MaxTemplate: maxTemplate, MaxOutput: MaxText, Loops: []string{"Rows", "Values"}}
	return render.Compile(name, text, rules, &Data{
		Service: "s", Query: "q", Trigger: "t", Found: "v 1", Values: []cond.Found{{Name: "v", Value: "1"}},
	})
}
