package chain

import (
	"fmt"

	"github.com/seed42aab489/belfry/plugin/render"
	"github.com/seed42aab489/belfry/plugin/task"
)

// input makes what a follower is given.
func input(with map[string]string, run task.Ended) (task.Input, error) {
	values := make(map[string]string, len(with))
	for name, text := range with {
		t, err := render.Compile("with "+name, text, render.Rules{MaxTemplate: task.MaxInput, MaxOutput: task.MaxInput}, task.Ended{})
		if err != nil {
			return "", err
		}
		if values[name], err = t.Execute(run); err != nil {
			return "", fmt.Errorf("with %s: %w", name, err)
		}
	}
	return task.NewInput(values)
}
