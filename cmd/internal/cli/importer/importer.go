// Package importer makes task files of what other schedulers keep: task
// definitions of WSO2, crontabs, CronJobs of Kubernetes. It writes no store.
// What does not map is said beside the task that it is of, and in its file.
package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/taskfile"
	"github.com/seed42aab489/belfry/plugin/task"
)

// maxInput bounds a file in bytes.
const maxInput = 16 << 20

// errNothing tells that there is nothing in a file to import.
var errNothing = errors.New("nothing to import: it is not of this form")

// imported is a task, and what of its original does not map.
type imported struct {
	task.Info
	notes []string
}

func (i *imported) note(format string, args ...any) {
	i.notes = append(i.notes, fmt.Sprintf(format, args...))
}

// target says what tasks call that do not say it themselves.
type target struct{ service, operation, tz string }

func (t target) of(i *imported) {
	if i.Do != nil || i.Service != "" {
		return
	}
	i.Service, i.Operation = t.service, t.operation
	if t.service == "" || t.operation == "" {
		i.note("it says nothing that can be called: give it a service and an operation (--service, --operation)")
	}
}

// New makes the command with its forms.
func New(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make task files of what other schedulers keep; nothing is stored",
		Long: "Make task files of what other schedulers keep, on stdout, to be looked at and applied. What does not map is said on\n" +
			"stderr, and as comments in the file. Nothing is stored.",
		GroupID: "files",
	}
	cmd.AddCommand(
		form(e, "wso2-task", "task definitions of WSO2 (the XML of its registry), as a file or a folder of them", wso2,
			"  belfry import wso2-task configs/import/nightly-task.xml\n"+
				"  belfry import wso2-task configs/import/nightly-task.xml --tz Europe/Berlin"),
		form(e, "crontab", "a crontab", crontab,
			"  belfry import crontab configs/import/crontab --service Stock --operation getLowStock\n"+
				"  belfry import crontab configs/import/crontab --tz Europe/Berlin"),
		form(e, "k8s-cronjob", "CronJobs of Kubernetes, as YAML", cronJobs,
			"  belfry import k8s-cronjob configs/import/cronjob.yaml --service Stock --operation getLowStock\n"+
				"  belfry import k8s-cronjob configs/import/cronjob.yaml"),
	)
	return cmd
}

type reader func(name string, text []byte, t target) ([]imported, error)

func form(e *env.Env, use, what string, read reader, examples string) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:     use + " FILE...",
		Short:   "Make task files of " + what,
		Example: examples,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var all []imported
			for _, arg := range args {
				text, err := slurp(arg, e.In)
				if err != nil {
					return env.Usage("%v", err)
				}
				found, err := read(arg, text, t)
				if err != nil {
					return env.Usage("%s: %v", arg, err)
				}
				all = append(all, found...)
			}
			return write(e, all)
		},
	}
	cmd.Flags().StringVar(&t.service, "service", "", "what to call where the original says nothing that can be")
	cmd.Flags().StringVar(&t.operation, "operation", "", "which operation of it")
	cmd.Flags().StringVar(&t.tz, "tz", "", "the time zone that the original ran in (default UTC)")
	_ = cmd.RegisterFlagCompletionFunc("service", e.CompleteServices())
	return cmd
}

func slurp(file string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(text) > maxInput {
		err = fmt.Errorf("%s has more than %d bytes", file, maxInput)
	}
	return text, err
}

// write tells what does not map, and writes the file.
func write(e *env.Env, all []imported) error {
	for i := range all {
		var notes strings.Builder
		for _, note := range all[i].notes {
			e.Say("%s: %s", all[i].Name, note)
			fmt.Fprintf(&notes, "# %s\n", strings.ReplaceAll(note, "\n", " "))
		}
		if i > 0 {
			if _, err := io.WriteString(e.Out, "---\n"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(e.Out, notes.String()); err != nil {
			return err
		}
		if err := taskfile.NewWriter(e.Out).Write(&all[i].Info); err != nil {
			return err
		}
	}
	e.Say("%d tasks; look at them, then: belfry apply -f FILE", len(all))
	return nil
}

// named makes a name that a task may have of any text.
func named(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.':
			b.WriteRune(r)
		default:
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	name := strings.Trim(b.String(), "-.")
	return strings.TrimRight(name[:min(len(name), maxName)], "-.")
}

// maxName bounds the names that are made.
const maxName = 60
