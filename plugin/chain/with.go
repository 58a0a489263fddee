package chain

import (
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/seed42aab489/belfry/plugin/task"
)

// CheckWith refuses what makes no value: a template that cannot be read, or that
// asks for what an end does not tell.
func CheckWith(with map[string]string) error {
	_, err := render(with, task.Ended{})
	return err
}

// render makes the input of a follower.
func render(with map[string]string, run task.Ended) (task.Input, error) {
	values := make(map[string]string, len(with))
	names := make([]string, 0, len(with))
	for name := range with {
		names = append(names, name)
	}
	slices.Sort(names) // so that the first fault is always the same one
	for _, name := range names {
		t, err := template.New(name).Option("missingkey=error").Parse(with[name])
		if err != nil {
			return "", fmt.Errorf("with %s: %s", name, strings.TrimPrefix(err.Error(), "template: "))
		}
		var text limited
		if err := t.Execute(&text, run); err != nil {
			return "", fmt.Errorf("with %s: %s", name, strings.TrimPrefix(err.Error(), "template: "))
		}
		values[name] = text.String()
	}
	return task.NewInput(values)
}

// limited is a text that grows to task.MaxInput bytes.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > task.MaxInput {
		return 0, fmt.Errorf("longer than %d bytes", task.MaxInput)
	}
	return l.Builder.Write(p)
}
