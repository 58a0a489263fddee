package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/plugin/store"
)

// What must never be.
var (
	errTwoOwners = errors.New("a bucket has two owners")
	errStolen    = errors.New("a bucket was taken from a living owner that had not released it")
	errNotOwner  = errors.New("somebody wrote in a bucket that is not his")
	errEpoch     = errors.New("a bucket's epoch did not grow with its owner")
	errLogOrder  = errors.New("a bucket's log is not contiguous")
	errTwoReigns = errors.New("a leader wrote after a later term had begun")
	errTwice     = errors.New("an attempt at a firing began twice")
	errUnserved  = errors.New("a bucket has an owner who does not serve it")
	errRestless  = errors.New("the group does not come to rest")
)

// judge sees every commit that was applied, in the order in which they were.
type judge struct {
	mu      sync.Mutex // also held while a commit is applied
	owners  map[string]store.Node
	seqs    map[string]int64  // the last batch of each bucket
	written map[string]string // batches by key
	term    int64
	placed  int // placements seen
	taken   int // acquisitions seen
	batches int
	faults  []error
}

func newJudge() *judge {
	return &judge{owners: make(map[string]store.Node), seqs: make(map[string]int64), written: make(map[string]string)}
}

// watched is a session whose commits a judge sees.
type watched struct {
	coordtest.Joined
	j *judge
}

// Commit commits, and tells the judge.
func (w watched) Commit(ctx context.Context, ops ...coordclient.Op) error {
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	err := w.Joined.Commit(ctx, ops...)
	if err == nil {
		for _, op := range ops {
			w.j.see(ctx, w.Joined, op)
		}
	}
	return err
}

func (j *judge) blame(err error, format string, args ...any) {
	j.faults = append(j.faults, fmt.Errorf("%w: %s", err, fmt.Sprintf(format, args...)))
}

// see takes in one operation of a commit. It needs mu.
func (j *judge) see(ctx context.Context, by coordtest.Joined, op coordclient.Op) {
	part := strings.Split(strings.TrimPrefix(op.Key, "/"), "/")
	switch {
	case op.Kind == coordclient.OpSet && part[0] == "buckets" && len(part) == 2:
		j.node(ctx, by, part[1], op.Value)
	case op.Kind == coordclient.OpCreate && part[0] == "buckets" && len(part) == 4 && part[2] == "log":
		j.batch(by, part[1], part[3], op)
	case op.Kind == coordclient.OpSet && op.Key == "/placement":
		j.placement(by, op.Value)
	}
}

func (j *judge) node(ctx context.Context, by coordtest.Joined, b string, value []byte) {
	var now store.Node
	if err := json.Unmarshal(value, &now); err != nil {
		j.blame(err, "bucket %s", b)
		return
	}
	was := j.owners[b]
	j.owners[b] = now
	if now.Member == was.Member && now.Epoch == was.Epoch {
		return
	}
	j.taken++
	if now.Epoch != was.Epoch+1 || now.Member != by.ID() {
		j.blame(errEpoch, "bucket %s: %s in %d after %s in %d, by %s", b, now.Member, now.Epoch, was.Member, was.Epoch, by.ID())
	}
	if was.Member == "" || was.Released || was.Member == now.Member {
		return
	}
	// Whoever is in the group now was so before: members do not come back.
	members, _, err := by.Members(ctx)
	if err != nil {
		return // the taker's session ended with this commit: nobody to ask
	}
	for _, m := range members {
		if m.ID == was.Member {
			j.blame(errStolen, "bucket %s: %s took it from %s", b, now.Member, was.Member)
		}
	}
}

func (j *judge) batch(by coordtest.Joined, b, segment string, op coordclient.Op) {
	if first, again := j.written[op.Key]; again {
		// A late copy of a batch that was folded since: it is ignored and swept.
		if first != string(op.Value) {
			j.blame(errLogOrder, "bucket %s: another %s", b, segment)
		}
		return
	}
	j.written[op.Key] = string(op.Value)
	j.batches++
	if owner := j.owners[b]; owner.Member != by.ID() || owner.Released {
		j.blame(errNotOwner, "bucket %s: %s wrote, the owner is %+v", b, by.ID(), owner)
	}
	seq, err := strconv.ParseInt(segment, 10, 64)
	if err != nil || seq != j.seqs[b]+1 {
		j.blame(errLogOrder, "bucket %s: %s after %d", b, segment, j.seqs[b])
	}
	j.seqs[b] = seq
}

func (j *judge) placement(by coordtest.Joined, value []byte) {
	var p store.Placement
	if err := json.Unmarshal(value, &p); err != nil {
		j.blame(err, "placement")
		return
	}
	j.placed++
	if p.Term < j.term {
		j.blame(errTwoReigns, "%s wrote in term %d, after %d", by.ID(), p.Term, j.term)
	}
	j.term = max(j.term, p.Term)
}
