package follow

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed42aab489/belfry/plugin/bucket"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/standing"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// lens tells of single tasks what their rows do not. All pictures of a follower have
// one, and it keeps what it was asked for last. Safe for concurrent use.
type lens struct {
	packer
	compile trigger.Compiler
	serial  atomic.Int64 // of the last bucket that was seen

	looking sync.Mutex
	sights  map[task.Key]*sight // guarded by looking; at most keptSights, then it begins afresh
}

// keptSights bounds the tasks of which all is held unpacked: more than a screen
// shows.
const keptSights = 256

// sight is all of one task.
type sight struct {
	serial int64 // of the bucket in which it was seen
	info   task.Info
	bucket standing.Bucket // with this task alone
	view   contract.TaskView
}

// look gives all of a task. Nil: it cannot be read.
func (l *lens) look(s *seen, r *Row) *sight {
	l.looking.Lock()
	defer l.looking.Unlock()
	if it := l.sights[r.Key]; it != nil && it.serial == s.serial {
		return it
	}
	info, err := l.one(s.definitions, int(r.at))
	if err != nil {
		return nil
	}
	it := &sight{serial: s.serial, info: info.Standing(s.at)}
	snap := s.snap
	snap.Loaded.Definitions = []task.Info{it.info}
	it.bucket = standing.Of(snap, standing.Group{}, bucket.Triggers(&l.compile), func() time.Time { return s.at })
	it.bucket.Owner = s.owner
	if it.bucket.State != nil {
		it.bucket.State = it.bucket.State.Only(it.info.UID)
	}
	it.view = it.bucket.View(&it.info)
	if l.sights == nil || len(l.sights) >= keptSights {
		l.sights = make(map[task.Key]*sight)
	}
	l.sights[r.Key] = it
	return it
}
