package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/group"
)

// The codes of what a diagnosis finds, beside those of tasks. They are stable.
const (
	DiagStore       = "STORE_ANSWERS"
	DiagCorrupt     = "RECORDS_UNREADABLE"
	DiagNoNode      = "NO_NODE"
	DiagNodeGone    = "NODE_GONE"
	DiagNodeOff     = "NODE_NOT_HEALTHY"
	DiagClock       = "CLOCK_SKEW"
	DiagVersions    = "VERSIONS_DIFFER"
	DiagNodes       = "NODES_HEALTHY"
	DiagNoLeader    = "NO_LEADER"
	DiagLeader      = "LEADER_PRESENT"
	DiagBarrier     = "WAITING_FOR_NODES"
	DiagUnplaced    = "BUCKETS_UNPLACED"
	DiagMoving      = "BUCKETS_MOVING"
	DiagPlaced      = "BUCKETS_SETTLED"
	DiagTasks       = "TASKS_IN_TROUBLE"
	DiagTasksFine   = "TASKS_FINE"
	DiagServices    = "SERVICES_FAILED"
	DiagServiceFine = "SERVICES_FINE"
	DiagOutdated    = "SERVICE_OUTDATED"
	DiagMissing     = "SERVICE_NOT_EVERYWHERE"
	DiagOutbox      = "MESSAGES_WAIT"
	DiagOutboxFine  = "MESSAGES_DELIVERED"
	DiagRequests    = "REQUESTS_WAIT"
)

// When what waits is a warning.
const (
	manyMessages   = 1000
	requestPatient = time.Minute
	warnSkew       = time.Second
	maxNamed       = 5
)

// Diagnosis is what is well and what is not in a group.
type Diagnosis struct {
	Healthy  bool      `json:"healthy"` // nothing failed
	Passed   int       `json:"passed"`
	Warnings int       `json:"warnings"`
	Failures int       `json:"failures"`
	Checks   []Finding `json:"checks"`
}

// Look is what a look at everything has found.
type Look struct {
	Group    *group.Group
	Tasks    Tally
	Services []contract.ServiceView
	Requests []contract.RequestView // those that wait, the oldest first
	// Messages wait to be delivered; Dead were given up.
	Messages, Dead int
	// Corrupt are the records that cannot be read, and why.
	Corrupt []string
	// Took is how long the store took to answer.
	Took time.Duration
	Now  time.Time
}

// diagnosis makes a Diagnosis of a look.
type diagnosis struct {
	Look
	checks []Finding
}

func (d *diagnosis) add(level Level, code, text string, fix ...string) {
	d.checks = append(d.checks, Finding{Code: code, Level: level, Text: text, Fix: append([]string{}, fix...)})
}

// Group tells what is well and what is not in a group.
func Group(l Look) Diagnosis {
	d := diagnosis{Look: l}
	d.add(LevelOK, DiagStore, fmt.Sprintf("the store answered in %s", d.Took.Round(time.Microsecond)))
	if n := len(d.Corrupt); n > 0 {
		d.add(LevelFail, DiagCorrupt, counted(n, "record")+" cannot be read: "+few(d.Corrupt, len(d.Corrupt)), "belfry backup save belfry.backup")
	}
	d.hosts()
	d.placement()
	d.work()
	v := Diagnosis{Checks: d.checks}
	for _, f := range d.checks {
		switch f.Level {
		case LevelFail:
			v.Failures++
		case LevelWarn:
			v.Warnings++
		default:
			v.Passed++
		}
	}
	v.Healthy = v.Failures == 0
	return v
}

// few names some of n; the first of them are enough.
func few(names []string, n int) string {
	if n <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), n-maxNamed)
}

func (d *diagnosis) hosts() {
	nodes := d.Group.Nodes()
	if len(d.Group.Members) == 0 {
		d.add(LevelFail, DiagNoNode, "no host is up: nothing fires", "start belfryd")
		return
	}
	before := len(d.checks)
	versions := make(map[string]bool)
	for _, n := range nodes {
		switch {
		case n.State == contract.NodeGone:
			d.add(LevelWarn, DiagNodeGone, "node "+n.Name+": "+n.Reason, "belfry node show "+n.Name, "belfry node undrain "+n.Name)
		case n.State == contract.NodeClockOff:
			d.add(LevelFail, DiagClock, "node "+n.Name+": "+n.Reason, "set the clock of "+n.Name+" (NTP)")
		case n.State == contract.NodeAiling:
			d.add(LevelFail, DiagNodeOff, "node "+n.Name+" fires nothing: "+n.Reason, "belfry node show "+n.Name)
		case n.State != contract.NodeHealthy:
			d.add(LevelWarn, DiagNodeOff, "node "+n.Name+" is "+string(n.State)+": "+n.Reason, "belfry node show "+n.Name)
		case (time.Duration(n.SkewMS) * time.Millisecond).Abs() > warnSkew:
			d.add(LevelWarn, DiagClock, fmt.Sprintf("the clock of node %s is %d ms off", n.Name, n.SkewMS), "set the clock of "+n.Name+" (NTP)")
		}
		if n.Version != "" {
			versions[n.Version] = true
		}
	}
	if len(versions) > 1 {
		d.add(LevelWarn, DiagVersions, "hosts are of different versions", "belfry node list -o wide")
	}
	if len(d.checks) == before {
		d.add(LevelOK, DiagNodes, healthy(len(nodes)))
	}
}

func healthy(hosts int) string {
	if hosts == 1 {
		return "the one host is healthy, its clock agrees with the store's"
	}
	return fmt.Sprintf("%d hosts are healthy, their clocks agree", hosts)
}

// counted is "1 task", "2 tasks".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (d *diagnosis) placement() {
	g := d.Group
	if len(g.Members) == 0 || !g.Prepared {
		return
	}
	if l := g.Lead(); l.Present {
		d.add(LevelOK, DiagLeader, l.Text())
	} else {
		d.add(LevelFail, DiagNoLeader, "nobody leads: nothing is placed anew", "belfry cluster wait --for leader --timeout 30s")
	}
	if why := g.Waiting(); why != "" {
		d.add(LevelFail, DiagBarrier, why, "belfry cluster activate")
	}
	switch p := g.Placed(); {
	case p.Unplaced > 0:
		d.add(LevelFail, DiagUnplaced, fmt.Sprintf("%d of %d buckets have no place", p.Unplaced, p.Buckets), "belfry placement show")
	case p.Moving > 0:
		d.add(LevelInfo, DiagMoving, fmt.Sprintf("%d of %d buckets are on their way", p.Moving, p.Buckets), "belfry cluster wait --for placed --timeout 1m")
	default:
		d.add(LevelOK, DiagPlaced, fmt.Sprintf("%d buckets are where they belong", p.Buckets))
	}
}

func (d *diagnosis) work() {
	fine := true
	for _, s := range []struct {
		state contract.State
		level Level
	}{{contract.Unplaced, LevelFail}, {contract.Unknown, LevelFail}, {contract.Failed, LevelWarn}, {contract.Blocked, LevelWarn}} {
		if n := d.Tasks.by[s.state]; n.count > 0 {
			fine = false
			d.add(s.level, DiagTasks, fmt.Sprintf("%s %s: %s", counted(n.count, "task"), s.state, few(n.first, n.count)), "belfry explain task "+n.first[0])
		}
	}
	if fine {
		d.add(LevelOK, DiagTasksFine, counted(d.Tasks.total, "task"))
	}
	d.deployed()
	if d.Messages > manyMessages {
		d.add(LevelWarn, DiagOutbox, fmt.Sprintf("%d messages wait to be delivered", d.Messages), "belfry events")
	} else {
		text := fmt.Sprintf("%d messages wait to be delivered", d.Messages)
		if d.Dead > 0 {
			text += fmt.Sprintf("; %d were given up, and are kept to be seen (belfry events)", d.Dead)
		}
		d.add(LevelOK, DiagOutboxFine, text)
	}
	if len(d.Requests) > 0 && d.Now.Sub(d.Requests[0].Asked) > requestPatient {
		d.add(LevelWarn, DiagRequests, fmt.Sprintf("%d requests wait, the first since %s", len(d.Requests), d.Requests[0].Asked.Format(time.RFC3339)), "belfry request list")
	}
}

func (d *diagnosis) deployed() {
	at := make(map[string][]string)
	fine := true
	for _, s := range d.Services {
		if s.Status == contract.StatusFailed {
			fine = false
			d.add(LevelWarn, DiagServices, "service "+s.Name+" on "+s.Node+": "+s.Error, "belfry service show "+s.Name)
			continue
		}
		at[s.Name] = append(at[s.Name], s.Node)
		if s.Error != "" {
			fine = false
			d.add(LevelWarn, DiagOutdated, "service "+s.Name+" on "+s.Node+" is served, but not as the files say: "+s.Error, "belfry service list")
		}
	}
	up := make(map[string]bool)
	for _, m := range d.Group.Members {
		up[m.ID.Node()] = true
	}
	var partly []string
	for name, nodes := range at {
		slices.Sort(nodes)
		if have := len(slices.Compact(nodes)); len(up) > 0 && have < len(up) {
			partly = append(partly, name)
		}
	}
	if len(partly) > 0 {
		slices.Sort(partly)
		d.add(LevelInfo, DiagMissing, "not on every host: "+few(partly, len(partly)), "belfry service list")
	}
	if fine {
		d.add(LevelOK, DiagServiceFine, fmt.Sprintf("%d services", len(at)))
	}
}
