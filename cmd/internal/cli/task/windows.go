package task

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/plugin/task"
)

// windows gathers the flags that say by calendars when a task may run.
type windows struct {
	allow, forbid []string
	outside       string
}

func (w *windows) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&w.allow, "allow", nil, "run only while one of these calendars is open, with commas between them; none: at any time (see belfry calendar)")
	f.StringSliceVar(&w.forbid, "forbid", nil, "never run while one of these calendars is open")
	f.StringVar(&w.outside, "outside", "", "with --allow or --forbid, at any other time: skip it, defer each firing to the opening, run once at the opening, "+
		"or leave it to the agent that replies: skip, defer, once, agent (default skip)")
}

func (w *windows) apply(f *pflag.FlagSet, info *task.Info) error {
	set := task.Windows{}
	if info.Windows != nil {
		set = *info.Windows
	}
	if f.Changed("allow") {
		set.Allow = kept(w.allow)
	}
	if f.Changed("forbid") {
		set.Forbid = kept(w.forbid)
	}
	none := len(set.Allow)+len(set.Forbid) == 0
	if f.Changed("outside") {
		if none {
			return env.Usage("--outside goes with --allow or --forbid")
		}
		outside, err := oneOf(w.outside, task.OutsideSkip, task.OutsideDefer, task.OutsideOnce, task.OutsideAgent)
		if err != nil {
			return env.Usage("--outside: %v", err)
		}
		set.Outside = outside
	}
	info.Windows = &set
	if none {
		info.Windows = nil
	}
	return nil
}

// kept leaves empty names out.
func kept(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return strings.TrimSpace(s) == "" })
}
