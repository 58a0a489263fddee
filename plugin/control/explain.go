package control

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/failure"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The codes of findings, beside those that begin a TaskView's Reason and
// task.Reason's. They are stable.
const (
	ReasonFine        = "AS_SCHEDULED"         // nothing is wrong: it waits for its next instant, or runs
	ReasonLate        = "LATE"                 // its last run began late
	ReasonOverdue     = "OVERDUE"              // an instant came and nobody has decided what becomes of it
	ReasonMoving      = "MOVING"               // it is on its way to another host
	ReasonNoService   = "SERVICE_NOT_DEPLOYED" // no host has the service
	ReasonInactive    = "SERVICE_INACTIVE"     // the service is deployed and does not answer
	ReasonNoOperation = "OPERATION_MISSING"    // the service has no such operation, or it cannot be scheduled
	ReasonClockChange = "CLOCK_CHANGE"         // a change of the clock touches a coming instant
	ReasonAsked       = "RUN_REQUESTED"        // a run was asked for and the owner has not taken the request
)

// How late is late.
const (
	// lateRun is by how much a run may begin late before it is told, unless an
	// alert of the task says otherwise.
	lateRun = 5 * time.Second
	// overdue is how long after an instant its decision may take.
	overdue = 30 * time.Second
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	LevelOK   Level = "ok"
	LevelInfo Level = "info" // worth knowing
	LevelWarn Level = "warn" // not as scheduled
	LevelFail Level = "fail" // it does not fire, or fails
)

// Finding is one thing that an explanation or a diagnosis found.
type Finding struct {
	Code  string   `json:"code"`
	Level Level    `json:"level"`
	Text  string   `json:"text"`
	Fix   []string `json:"fix"` // command lines that help
}

// CandidateView is what a host is to a task.
type CandidateView struct {
	Node string `json:"node"`
	// Eligible: it may run the task, as far as its state and services go.
	Eligible bool   `json:"eligible"`
	Owner    bool   `json:"owner"`
	Why      string `json:"why"` // why it is not eligible
}

// Explanation tells why a task does what it does, the most telling first.
type Explanation struct {
	Task     contract.TaskView `json:"task"`
	Healthy  bool              `json:"healthy"` // no finding is a warning or worse
	Findings []Finding         `json:"findings"`
	Nodes    []CandidateView   `json:"nodes"`
}

// ExplainTask tells why a task does what it does, or does not. Codes: not_found,
// unavailable.
func (c *Control) ExplainTask(ctx context.Context, key task.Key) (Explanation, error) {
	info, err := c.get(ctx, key)
	if err != nil {
		return Explanation{}, err
	}
	x := explainer{info: &info, now: c.now()}
	err = together(
		func() (err error) { x.bucket, err = c.readBucket(ctx, info); return err },
		func() (err error) { x.services, err = c.Services(ctx); return err },
		func() (err error) { x.nodes, err = c.Nodes(ctx); return err },
		func() (err error) { x.asked, err = c.asked(ctx, &info); return err },
		func() error {
			x.next, _ = c.Next(ctx, key, firstNext, c.now()) // a trigger that cannot be scheduled has none
			return nil
		},
	)
	if err != nil {
		return Explanation{}, failure.Wrap(err)
	}
	x.task = x.bucket.View(&info)
	return x.explain(), nil
}

// asked counts the runs of a task that were asked for and are not taken.
func (c *Control) asked(ctx context.Context, info *task.Info) (int, error) {
	b, err := c.store.Seat(ctx, info)
	if err != nil {
		return 0, err
	}
	requests, err := c.store.Requests(ctx, b)
	n := 0
	for _, r := range requests {
		if r.UID == info.UID && r.Kind == task.RequestRun {
			n++
		}
	}
	return n, err
}

// explainer is what an explanation is made of.
type explainer struct {
	info     *task.Info
	bucket   standing.Bucket
	task     contract.TaskView
	services []contract.ServiceView
	nodes    []contract.NodeView
	asked    int
	next     []contract.NextView
	now      time.Time
	findings []Finding
}

func (x *explainer) explain() Explanation {
	x.standing()
	x.target()
	x.window()
	x.past()
	x.coming()
	healthy := !slices.ContainsFunc(x.findings, func(f Finding) bool { return f.Level == LevelWarn || f.Level == LevelFail })
	if len(x.findings) == 0 {
		text := "it waits for its next instant"
		if x.task.State == contract.Running {
			text = "it runs"
		}
		x.add(LevelOK, ReasonFine, text)
	}
	return Explanation{Task: x.task, Healthy: healthy, Findings: x.findings, Nodes: x.candidates()}
}

func (x *explainer) add(level Level, code, text string, fix ...string) {
	x.findings = append(x.findings, Finding{Code: code, Level: level, Text: text, Fix: append([]string{}, fix...)})
}

// standing tells what the state's own reason says.
func (x *explainer) standing() {
	code, text, _ := strings.Cut(x.task.Reason, ": ")
	name := x.info.Name
	switch x.task.State {
	case contract.Paused:
		who := "by nobody known"
		if x.info.Edit.By != "" {
			who = "last edited by " + x.info.Edit.By
		}
		x.add(LevelFail, code, join("paused since "+x.info.PausedAt.UTC().Format(time.RFC3339), text, who), "belfry task resume "+name)
	case contract.Finished:
		x.add(LevelInfo, code, "it never fires again", "belfry task set "+name+" --end ''", "belfry task delete "+name)
	case contract.Unplaced:
		x.add(LevelFail, code, text, "belfry placement show", "belfry node list")
	case contract.Unknown:
		fix := "belfry node list"
		if code == contract.ReasonCorrupt {
			fix = "belfry cluster mend --dry-run"
		}
		x.add(LevelFail, code, text, fix, "belfry doctor")
	case contract.Failed:
		if code == string(task.ReasonEgress) {
			x.add(LevelFail, code, text+"; such a run is not retried", "belfry task show "+name, "belfry run list --task "+name)
			break
		}
		x.add(LevelFail, code, text, "belfry run list --task "+name, "belfry task run "+name+" --wait")
	case contract.Blocked:
		x.add(LevelWarn, code, text, "belfry run list --task "+name+" --outcome running")
	default:
		if code != "" {
			x.add(map[bool]Level{true: LevelInfo, false: LevelWarn}[code == contract.ReasonNotStarted], code, text)
		}
	}
	if x.task.Moving != "" {
		x.add(LevelInfo, ReasonMoving, x.task.Moving)
	}
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// target tells what is wrong with what the task calls on hosts.
func (x *explainer) target() {
	if x.info.Do != nil {
		return
	}
	status := contract.StatusFailed
	there := false
	for _, s := range x.services {
		if s.Name == x.info.Service {
			there = there || s.Status != contract.StatusFailed
			if s.Status == contract.StatusActive {
				status = contract.StatusActive
			}
		}
	}
	_, why := findOperation(x.services, x.info.Service, x.info.Operation, x.info.After)
	switch {
	case !there:
		x.add(LevelFail, ReasonNoService, why, "belfry service list")
	case status != contract.StatusActive:
		x.add(LevelFail, ReasonInactive, "service "+x.info.Service+" is inactive on every host that has it", "belfry service show "+x.info.Service)
	case why != "":
		x.add(LevelFail, ReasonNoOperation, why, "belfry operation list "+x.info.Service)
	}
}

// past tells what the runs that are kept were not as scheduled.
func (x *explainer) past() {
	if x.bucket.Fault != nil {
		return
	}
	runs := x.bucket.State.Runs(x.info.UID)
	skipped := make(map[task.Reason]int)
	last := make(map[task.Reason]task.Run)
	for _, r := range runs {
		if r.Outcome == task.Skipped {
			skipped[r.Reason] += max(1, r.Skips)
			last[r.Reason] = r
		}
	}
	for _, reason := range []task.Reason{task.ReasonOverlap, task.ReasonMissed, task.ReasonReplaced, task.ReasonCatchUp, task.ReasonWindow, task.ReasonRefused} {
		if n := skipped[reason]; n > 0 {
			level := LevelWarn
			if reason == task.ReasonWindow {
				level = LevelInfo // as it was meant
			}
			x.add(level, string(reason), fmt.Sprintf("%d instants of those kept, the last due %s", n, latest(last[reason]).UTC().Format(time.RFC3339)),
				"belfry run list --task "+x.info.Name+" --outcome skipped")
		}
	}
	x.late(runs)
}

func latest(r task.Run) time.Time {
	if r.Until.IsZero() {
		return r.Scheduled
	}
	return r.Until
}

func (x *explainer) late(runs []task.Run) {
	most := lateRun
	for _, a := range x.info.Alerts {
		if a.On == task.AlertLate {
			most = time.Duration(a.After)
		}
	}
	v, ok := x.bucket.State.View(x.info.UID)
	if ok {
		runs = append(runs, v.Open...)
	}
	for _, r := range slices.Backward(runs) {
		if r.Started.IsZero() || r.Attempt > 1 || r.FireID.Manual() {
			continue
		}
		if late := r.Started.Sub(r.Scheduled); late > most {
			x.add(LevelWarn, ReasonLate, fmt.Sprintf("the run due %s began %s late, on %s", r.Scheduled.UTC().Format(time.RFC3339), late.Round(time.Millisecond), cmp.Or(r.Node, "a host not known")),
				"belfry events", "belfry run show "+string(r.FireID))
		}
		return // only the last one tells how it is now
	}
}

// coming tells what lies ahead.
func (x *explainer) coming() {
	if x.asked > 0 {
		x.add(LevelInfo, ReasonAsked, fmt.Sprintf("%d runs were asked for and wait for the owner, or for the run before", x.asked), "belfry request list")
	}
	if t := x.task.Next; t != nil && x.task.State == contract.Waiting && x.now.Sub(*t) > overdue {
		x.add(LevelFail, ReasonOverdue, "due since "+t.Format(time.RFC3339)+" and nobody has decided what becomes of it", "belfry node list", "belfry doctor")
	}
	if x.info.Paused {
		return
	}
	for _, n := range x.next {
		if n.Note != "" {
			x.add(LevelInfo, ReasonClockChange, n.At.Format(time.RFC3339)+": "+n.Note, "belfry task next "+x.info.Name)
		}
	}
}

// candidates tells of each host whether it may run the task.
func (x *explainer) candidates() []CandidateView {
	has := make(map[string]string)
	for _, s := range x.services {
		if s.Name == x.info.Needs() {
			has[s.Node] = s.Status
		}
	}
	views := make([]CandidateView, 0, len(x.nodes))
	for i := range x.nodes {
		n := &x.nodes[i]
		v := CandidateView{Node: n.Name, Owner: n.Name == x.task.Node}
		switch {
		case n.State != contract.NodeHealthy:
			v.Why = string(n.State) + ": " + n.Reason
		case x.info.Needs() != "" && has[n.Name] == "":
			v.Why = "service " + x.info.Needs() + " is not deployed there"
		case x.info.Needs() != "" && has[n.Name] != contract.StatusActive:
			v.Why = "service " + x.info.Needs() + " is " + has[n.Name] + " there"
		default:
			v.Eligible = true
		}
		views = append(views, v)
	}
	return views
}
