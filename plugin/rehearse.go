package plugin

import (
	"slices"
	"time"

	"github.com/seed42aab489/belfry/plugin/cluster"
	"github.com/seed42aab489/belfry/plugin/control/call"
	"github.com/seed42aab489/belfry/plugin/place"
)

// rehearser answers administrators who ask the leader how it would place.
type rehearser struct {
	cluster *cluster.Cluster
	session time.Duration
}

// Rehearse names nodes, as administrators do, not members.
func (r rehearser) Rehearse(without []string) call.Rehearsal {
	in, plan, leads := r.cluster.Rehearse(without)
	if !leads {
		return call.Rehearsal{}
	}
	answer := call.Rehearsal{Leads: true, Waiting: plan.Waiting, SessionMS: r.session.Milliseconds(), Why: make(map[int]int)}
	for i := range in.Members {
		answer.Nodes = append(answer.Nodes, in.Members[i].Node)
	}
	for b, a := range plan.Assignments {
		at := slices.IndexFunc(in.Members, func(m place.Member) bool { return m.ID == a.Member })
		answer.Buckets = append(answer.Buckets, at)
		if at < 0 {
			reason := slices.Index(answer.Reasons, a.Why)
			if reason < 0 {
				reason = len(answer.Reasons)
				answer.Reasons = append(answer.Reasons, a.Why)
			}
			answer.Why[b] = reason
		}
	}
	return answer
}
