package task

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/task"
)

// after gathers the flags that say which tasks a task follows.
type after struct {
	tasks []string
	on    string
	all   bool
	with  []string
}

func (a *after) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&a.tasks, "after", nil, "fire when these tasks have ended, with commas between them; none: follow nothing")
	f.StringVar(&a.on, "on", "", "with --after: how they must have ended: success, failure or end, which is either (default success)")
	f.BoolVar(&a.all, "all", false, "with --after: fire when each of them has ended, not whenever one has")
	f.StringArrayVar(&a.with, "with", nil, "with --after: a parameter name=template of what ended, such as code={{.Value}}; repeatable")
}

func (a *after) apply(f *pflag.FlagSet, info *task.Info) error {
	var set task.After
	if info.After != nil {
		set = *info.After
	}
	if f.Changed("after") {
		set.Tasks = a.tasks
	}
	for _, flag := range []string{"on", "all", "with"} {
		if f.Changed(flag) && len(set.Tasks) == 0 {
			return env.Usage("--%s goes with --after", flag)
		}
	}
	if f.Changed("on") {
		on, err := oneOf(a.on, task.OnSuccess, task.OnFailure, task.OnEnd)
		if err != nil {
			return env.Usage("--on: %v", err)
		}
		set.On = on
	}
	if f.Changed("all") {
		set.All = a.all
	}
	if f.Changed("with") {
		set.With = map[string]string{}
		for _, w := range a.with {
			name, value, ok := strings.Cut(w, "=")
			if !ok || name == "" {
				return env.Usage("--with %q: write it like code={{.Value}}", w)
			}
			set.With[name] = value
		}
	}
	info.After = &set
	if len(set.Tasks) == 0 {
		info.After = nil
	}
	return nil
}
