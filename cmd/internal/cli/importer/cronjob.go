package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// cronJob is what is read of a CronJob (batch/v1).
type cronJob struct {
	Kind     string    `yaml:"kind"`
	Items    []cronJob `yaml:"items"` // of a List
	Metadata struct {
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace"`
	} `yaml:"metadata"`
	Spec struct {
		Schedule string `yaml:"schedule"`
		TimeZone string `yaml:"timeZone"`
		Suspend  bool   `yaml:"suspend"`
		Policy   string `yaml:"concurrencyPolicy"`
		Deadline *int   `yaml:"startingDeadlineSeconds"`
		Job      struct {
			Spec struct {
				Backoff  *int   `yaml:"backoffLimit"`
				Deadline *int64 `yaml:"activeDeadlineSeconds"`
				Template struct {
					Spec struct {
						Containers []struct {
							Image   string   `yaml:"image"`
							Command []string `yaml:"command"`
							Args    []string `yaml:"args"`
						} `yaml:"containers"`
					} `yaml:"spec"`
				} `yaml:"template"`
			} `yaml:"spec"`
		} `yaml:"jobTemplate"`
	} `yaml:"spec"`
}

// cronJobs reads the CronJobs among the documents of a text.
func cronJobs(_ string, text []byte, t target) ([]imported, error) {
	var all []imported
	documents := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var job cronJob
		err := documents.Decode(&job)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, j := range append(job.Items, job) {
			if j.Kind != "CronJob" {
				continue
			}
			i, err := j.convert(t)
			if err != nil {
				return nil, fmt.Errorf("CronJob %s: %w", j.Metadata.Name, err)
			}
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil, errNothing
	}
	return all, nil
}

func (j *cronJob) convert(t target) (imported, error) {
	i := imported{Info: task.Info{
		Key: task.Key{Name: j.Metadata.Name}.Normal(), Paused: j.Spec.Suspend,
		Trigger: task.TriggerInfo{Cron: j.Spec.Schedule, TZ: j.Spec.TimeZone},
	}}
	if _, err := trigger.ParseCron(j.Spec.Schedule); err != nil {
		return i, err
	}
	if i.Paused {
		i.PauseReason = "suspended"
	}
	if i.Trigger.TZ == "" {
		i.Trigger.TZ = t.tz
		if t.tz == "" {
			i.note("without a timeZone the controller's is taken: say which with --tz; UTC is taken")
		}
	}
	switch j.Spec.Policy {
	case "", "Allow":
	case "Forbid":
		i.Overlap = task.OverlapSkip
	default:
		i.Overlap = task.OverlapQueue
		i.note("concurrencyPolicy %s ends the run before: there is no such policy, queue lets it end first", j.Spec.Policy)
	}
	if j.Spec.Deadline != nil {
		i.note("startingDeadlineSeconds %d: how late a firing may be is a setting of the host (misfire threshold), then the task's misfire policy decides", *j.Spec.Deadline)
	}
	if b := j.Spec.Job.Spec.Backoff; b != nil {
		i.Retry.Max = *b
	} else {
		i.Retry.Max = 6 // the default of a Job
	}
	i.Retry.Backoff = task.Duration(10 * time.Second)
	if d := j.Spec.Job.Spec.Deadline; d != nil {
		i.Timeout = task.Duration(time.Duration(*d) * time.Second)
	}
	if ns := j.Metadata.Namespace; ns != "" && ns != "default" {
		i.note("namespace %s: give it a tenant, if there is one", ns)
	}
	for _, c := range j.Spec.Job.Spec.Template.Spec.Containers {
		i.note("the container %s does not run here: %s", c.Image, strings.Join(append(c.Command, c.Args...), " "))
		i.Description = strings.TrimSpace(i.Description + " " + c.Image + " " + strings.Join(append(c.Command, c.Args...), " "))
	}
	t.of(&i)
	return i, nil
}
