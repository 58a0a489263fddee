package call

import (
	"context"
	"encoding/json"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/failure"
)

// verbRehearse is the verb of Rehearse.
const verbRehearse = "control.rehearse"

// Rehearsal is how a leader would place the buckets.
type Rehearsal struct {
	Leads bool     `json:"leads"` // whoever answers; false: the rest is empty
	Nodes []string `json:"nodes"` // those that placement counts on, the oldest first
	// Buckets holds, by number, an index into Nodes, or -1: nowhere.
	Buckets []int `json:"buckets"`
	// Why holds, by number, an index into Reasons: why a bucket is nowhere.
	Why     map[int]int `json:"why"`
	Reasons []string    `json:"reasons"`
	Waiting string      `json:"waiting"` // why nothing is placed at all
	// SessionMS is how long a host that dies counts as there, at most.
	SessionMS int64 `json:"session_timeout_ms"`
}

// Rehearser tells how it would place buckets if some nodes were gone.
type Rehearser interface {
	Rehearse(without []string) Rehearsal
}

type rehearseRequest struct {
	Without []string `json:"without"`
}

// ServeRehearsals installs a host's side of Rehearse.
func ServeRehearsals(handler coordclient.Handler, r Rehearser) {
	handler.Handle(verbRehearse, func(_ context.Context, request []byte) ([]byte, error) {
		var q rehearseRequest
		if err := json.Unmarshal(request, &q); err != nil {
			return nil, failure.Sent(failure.Invalid("request: %v", err))
		}
		return json.Marshal(r.Rehearse(q.Without))
	})
}

// Rehearse asks the leader how it would place buckets without some nodes. Codes:
// unavailable, timeout.
func Rehearse(ctx context.Context, s Sender, leader coordclient.MemberID, without []string) (Rehearsal, error) {
	request, err := json.Marshal(rehearseRequest{without})
	if err != nil {
		return Rehearsal{}, failure.Wrap(err)
	}
	answer, err := s.SendReceive(ctx, leader, verbRehearse, request)
	if err != nil {
		return Rehearsal{}, failure.Received(err)
	}
	var r Rehearsal
	if err := json.Unmarshal(answer, &r); err != nil {
		return Rehearsal{}, unreadable("the leader's", err)
	}
	return r, nil
}

// Of is the node of a bucket, or why it is nowhere.
func (r *Rehearsal) Of(b int) (node, why string) {
	switch {
	case r.Waiting != "":
		return "", r.Waiting
	case b < len(r.Buckets) && r.Buckets[b] >= 0 && r.Buckets[b] < len(r.Nodes):
		return r.Nodes[r.Buckets[b]], ""
	}
	if i, ok := r.Why[b]; ok && i >= 0 && i < len(r.Reasons) {
		return "", r.Reasons[i]
	}
	return "", "it has not been placed yet"
}
