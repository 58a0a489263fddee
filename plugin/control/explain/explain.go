package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/check"
	"github.com/seed42aab489/belfry/plugin/control/contract"
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

// Case is what is known of a task that is to be explained.
type Case struct {
	Info     *task.Info
	Bucket   standing.Bucket // that decides for it, read with it alone
	Services []contract.ServiceView
	Nodes    []contract.NodeView
	// Asked counts the runs that were asked for and that its owner has not taken.
	Asked int
	Next  []contract.NextView // its first instants to come
	Now   time.Time
}

// explainer makes an explanation of a case.
type explainer struct {
	Case
	task     contract.TaskView
	findings []Finding
}

// Task tells why a task does what it does, or does not.
func Task(c Case) Explanation {
	x := explainer{Case: c, task: c.Bucket.View(c.Info)}
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
	name := x.Info.Name
	switch x.task.State {
	case contract.Paused:
		who := "by nobody known"
		if x.Info.Edit.By != "" {
			who = "last edited by " + x.Info.Edit.By
		}
		x.add(LevelFail, code, join("paused since "+x.Info.PausedAt.UTC().Format(time.RFC3339), text, who), "belfry task resume "+name)
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
		if code != "" && code != string(task.ReasonWindow) { // of which window tells
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
	if x.Info.Do != nil {
		return
	}
	status := contract.StatusFailed
	there := false
	for _, s := range x.Services {
		if s.Name == x.Info.Service {
			there = there || s.Status != contract.StatusFailed
			if s.Status == contract.StatusActive {
				status = contract.StatusActive
			}
		}
	}
	_, why := check.Operation(x.Services, x.Info.Service, x.Info.Operation, x.Info.After)
	switch {
	case !there:
		x.add(LevelFail, ReasonNoService, why, "belfry service list")
	case status != contract.StatusActive:
		x.add(LevelFail, ReasonInactive, "service "+x.Info.Service+" is inactive on every host that has it", "belfry service show "+x.Info.Service)
	case why != "":
		x.add(LevelFail, ReasonNoOperation, why, "belfry operation list "+x.Info.Service)
	}
}

// past tells what the runs that are kept were not as scheduled.
func (x *explainer) past() {
	if x.Bucket.Fault != nil {
		return
	}
	runs := x.Bucket.State.Runs(x.Info.UID)
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
				"belfry run list --task "+x.Info.Name+" --outcome skipped")
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
	for _, a := range x.Info.Alerts {
		if a.On == task.AlertLate {
			most = time.Duration(a.After)
		}
	}
	v, ok := x.Bucket.State.View(x.Info.UID)
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
	if x.Asked > 0 {
		x.add(LevelInfo, ReasonAsked, fmt.Sprintf("%d runs were asked for and wait for the owner, or for the run before", x.Asked), "belfry request list")
	}
	if t := x.task.Next; t != nil && x.task.State == contract.Waiting && x.Now.Sub(*t) > overdue {
		x.add(LevelFail, ReasonOverdue, "due since "+t.Format(time.RFC3339)+" and nobody has decided what becomes of it", "belfry node list", "belfry doctor")
	}
	if x.Info.Paused {
		return
	}
	for _, n := range x.Next {
		if n.Note != "" {
			x.add(LevelInfo, ReasonClockChange, n.At.Format(time.RFC3339)+": "+n.Note, "belfry task next "+x.Info.Name)
		}
	}
}

// candidates tells of each host whether it may run the task.
func (x *explainer) candidates() []CandidateView {
	has := make(map[string]string)
	for _, s := range x.Services {
		if s.Name == x.Info.Needs() {
			has[s.Node] = s.Status
		}
	}
	views := make([]CandidateView, 0, len(x.Nodes))
	for i := range x.Nodes {
		n := &x.Nodes[i]
		v := CandidateView{Node: n.Name, Owner: n.Name == x.task.Node}
		switch {
		case n.State != contract.NodeHealthy:
			v.Why = string(n.State) + ": " + n.Reason
		case x.Info.Needs() != "" && has[n.Name] == "":
			v.Why = "service " + x.Info.Needs() + " is not deployed there"
		case x.Info.Needs() != "" && has[n.Name] != contract.StatusActive:
			v.Why = "service " + x.Info.Needs() + " is " + has[n.Name] + " there"
		default:
			v.Eligible = true
		}
		views = append(views, v)
	}
	return views
}

// window tells how a task stands to its windows now.
func (x *explainer) window() {
	if x.Info.Windows == nil || x.Info.Paused || x.Bucket.Fault != nil {
		return
	}
	w, err := x.Bucket.Book.Windows(x.Info.Windows)
	if err != nil {
		return // its state says so
	}
	why := w.Why(x.Now)
	if why == "" {
		return
	}
	text, level := "now "+why, LevelInfo
	if opening, ok := w.Opening(x.Now); ok {
		text += ", until " + opening.UTC().Format(time.RFC3339)
	} else {
		text += ", and no opening is in sight"
		level = LevelWarn
	}
	if n := x.Bucket.Queued(x.Info.UID); n > 0 {
		text += fmt.Sprintf("; %d firings wait for it", n)
	}
	x.add(level, string(task.ReasonWindow), text, "belfry task next "+x.Info.Name+" --calendar", "belfry calendar list")
}
