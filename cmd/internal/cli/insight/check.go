package insight

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed42aab489/belfry/cmd/internal/cli/env"
	"github.com/seed42aab489/belfry/cmd/internal/cli/output"
	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/task"
)

// status is what monitoring plugins exit with.
type status int

// The statuses, in the order of their exit codes.
const (
	ok status = iota
	warning
	critical
	unknown
)

func (s status) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[s]
}

// verdict is the JSON contract of check.
type verdict struct {
	Object string   `json:"object"`
	Status string   `json:"status"` // OK, WARNING, CRITICAL, UNKNOWN
	Text   string   `json:"text"`
	Values []metric `json:"values"`
	status status
}

// metric is a number beside a verdict.
type metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // s, or empty
	help  string
}

func (v *verdict) worsen(s status, format string, args ...any) {
	if s > v.status {
		v.status = s
	}
	if v.Text != "" {
		v.Text += "; "
	}
	v.Text += fmt.Sprintf(format, args...)
}

func (v *verdict) measure(name, unit, help string, value float64) {
	v.Values = append(v.Values, metric{name, value, unit, help})
}

func newCheck(e *env.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check",
		GroupID: group,
		Short:   "Check something for a monitoring system",
		Long: "Check something for a monitoring system. Exits as monitoring plugins do: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, which\n" +
			"is also what an unreachable store is. --format is nagios (a line with performance data), prometheus (the text format,\n" +
			"for a node exporter's textfile collector) or json.",
	}
	format := ""
	cmd.PersistentFlags().StringVar(&format, "format", "nagios", "nagios, prometheus or json")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"nagios", "prometheus", "json"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(newCheckCluster(e, &format), newCheckTask(e, &format), newCheckNode(e, &format))
	return cmd
}

// run judges, writes the verdict and makes it the exit code.
func run(e *env.Env, cmd *cobra.Command, format, object string, judge func(ctx context.Context, c *control.Control, v *verdict) error) error {
	write, known := map[string]func(io.Writer, verdict) error{"nagios": nagios, "prometheus": prometheus, "json": asJSON(e)}[format]
	if !known {
		return env.Usage("--format %q: use nagios, prometheus or json", format)
	}
	v := verdict{Object: object, Values: []metric{}}
	err := e.Control(cmd.Context(), func(ctx context.Context, c *control.Control) error { return judge(ctx, c, &v) })
	if err != nil {
		v.Text = ""
		v.worsen(unknown, "%s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	v.Status = v.status.String()
	if err := write(e.Out, v); err != nil {
		return err
	}
	if v.status == ok {
		return nil
	}
	return &env.Outcome{Code: env.Found, Message: v.Text, Exit: int(v.status)}
}

func newCheckCluster(e *env.Env, format *string) *cobra.Command {
	var nodes, warn, crit int
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "Check hosts, leader, placement, and how many tasks fail",
		Example: "  belfry check cluster || true\n" +
			"  belfry check cluster --nodes 1 --warn 5 --crit 50 --format prometheus || true",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(e, cmd, *format, "cluster", func(ctx context.Context, c *control.Control, v *verdict) error {
				group, err := c.Cluster(ctx)
				if err != nil {
					return err
				}
				s, err := c.Status(ctx)
				if err != nil {
					return err
				}
				judgeCluster(v, group, s, nodes)
				failing := s.Tasks[contract.Failed] + s.Tasks[contract.Unplaced] + s.Tasks[contract.Unknown]
				switch {
				case failing >= crit:
					v.worsen(critical, "%d tasks in trouble", failing)
				case failing >= warn:
					v.worsen(warning, "%d tasks in trouble", failing)
				}
				if v.Text == "" {
					v.Text = fmt.Sprintf("%d nodes, leader %s, %d tasks", group.Nodes, group.Leader.Node, s.Total)
				}
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&nodes, "nodes", 1, "critical below so many hosts")
	cmd.Flags().IntVar(&warn, "warn", 1, "a warning from so many tasks on that are failed, unplaced or unknown")
	cmd.Flags().IntVar(&crit, "crit", 10, "critical from so many on")
	return cmd
}

func judgeCluster(v *verdict, group contract.ClusterView, s contract.StatusView, nodes int) {
	v.measure("nodes", "", "Hosts in the group.", float64(group.Nodes))
	v.measure("tasks", "", "Tasks.", float64(s.Total))
	v.measure("tasks_in_trouble", "", "Tasks that are failed, unplaced or unknown.", float64(s.Tasks[contract.Failed]+s.Tasks[contract.Unplaced]+s.Tasks[contract.Unknown]))
	v.measure("buckets_unplaced", "", "Buckets without a place.", float64(group.Unplaced))
	v.measure("messages_waiting", "", "Messages that wait to be delivered.", float64(s.Outbox))
	v.measure("messages_dead", "", "Messages that were given up, and are kept to be seen.", float64(s.Dead))
	if group.Nodes < nodes {
		v.worsen(critical, "%d of %d nodes", group.Nodes, nodes)
	}
	if group.Waiting != "" {
		v.worsen(critical, "%s", group.Waiting)
	}
	if !group.Leader.Present && group.Nodes > 0 {
		v.worsen(warning, "no leader")
	}
	if group.Unplaced > 0 && group.Waiting == "" {
		v.worsen(critical, "%d buckets have no place", group.Unplaced)
	}
}

func newCheckTask(e *env.Env, format *string) *cobra.Command {
	var key task.Key
	var warn, crit time.Duration
	cmd := &cobra.Command{
		Use:   "task NAME",
		Short: "Check that a task fires and succeeds, and not too long ago",
		Example: "  belfry check task stock-watch || true\n" +
			"  belfry check task stock-watch --warn 2h --crit 4h --format json || true",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteTasks(),
		RunE: func(cmd *cobra.Command, args []string) error {
			key.Name = args[0]
			return run(e, cmd, *format, "task/"+args[0], func(ctx context.Context, c *control.Control, v *verdict) error {
				t, err := c.Task(ctx, key.Normal())
				if err != nil {
					return err
				}
				judgeTask(v, t, e.Now(), warn, crit)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&key.Tenant, "tenant", "", "tenant of the task")
	cmd.Flags().StringVar(&key.Type, "type", "", "type of the task")
	cmd.Flags().DurationVar(&warn, "warn", 0, "a warning if the last run that ended OK is older (default: never)")
	cmd.Flags().DurationVar(&crit, "crit", 0, "critical if it is older (default: never)")
	return cmd
}

func judgeTask(v *verdict, t contract.TaskView, now time.Time, warn, crit time.Duration) {
	v.measure("fired", "", "Firings so far.", float64(t.Fired))
	v.measure("failures", "", "Firings that failed.", float64(t.Failures))
	v.measure("skipped", "", "Instants that were skipped.", float64(t.Skipped))
	switch t.State {
	case contract.Failed, contract.Unplaced:
		v.worsen(critical, "%s %s", t.State, t.Reason)
	case contract.Unknown:
		v.worsen(unknown, "%s", t.Reason)
	case contract.Blocked, contract.Paused:
		v.worsen(warning, "%s %s", t.State, t.Reason)
	}
	if t.Last != nil && t.Last.Ended != nil && t.Last.Outcome == string(task.OK) {
		age := now.Sub(*t.Last.Ended)
		v.measure("last_success_age", "s", "Seconds since the last run ended OK.", age.Seconds())
		old(v, age, warn, crit)
	} else if crit > 0 {
		v.worsen(critical, "the last run did not end OK")
	}
	if v.Text == "" {
		v.Text = string(t.State)
		if t.Next != nil {
			v.Text += ", next " + t.Next.Format(time.RFC3339)
		}
	}
}

func old(v *verdict, age, warn, crit time.Duration) {
	switch text := "the last success is " + output.Distance(age) + " old"; {
	case crit > 0 && age > crit:
		v.worsen(critical, "%s", text)
	case warn > 0 && age > warn:
		v.worsen(warning, "%s", text)
	}
}

func newCheckNode(e *env.Env, format *string) *cobra.Command {
	return &cobra.Command{
		Use:   "node NAME",
		Short: "Check that a host is in the group and may own tasks",
		Example: "  belfry check node $(belfry node list -o name) || true\n" +
			"  belfry check node $(belfry node list -o name) --format prometheus || true",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: e.CompleteNodes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(e, cmd, *format, "node/"+args[0], func(ctx context.Context, c *control.Control, v *verdict) error {
				n, err := c.Node(ctx, args[0])
				if err != nil {
					return err
				}
				v.measure("tasks", "", "Tasks that the host owns.", float64(n.Tasks))
				v.measure("clock_skew", "s", "How far its clock is ahead of the store's, at least.", float64(n.SkewMS)/1000)
				switch n.State {
				case contract.NodeHealthy:
					v.Text = fmt.Sprintf("%s, %d tasks", n.State, n.Tasks)
				case contract.NodeGone, contract.NodeClockOff, contract.NodeAiling:
					v.worsen(critical, "%s: %s", n.State, n.Reason)
				default:
					v.worsen(warning, "%s: %s", n.State, n.Reason)
				}
				return nil
			})
		},
	}
}
