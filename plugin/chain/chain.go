package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/task"
)

// scheme of the address of a follower.
const scheme = "task:"

// Kind is the kind of a message's source that tells a follower of an end.
const Kind = "chain"

// Addressed tells whether a message is for a follower.
func Addressed(to string) bool { return strings.HasPrefix(to, scheme) }

// ended is what a message tells a follower.
type ended struct {
	Task task.Key   `json:"task"`
	Run  task.Ended `json:"run"`
}

// Announcer makes messages for the followers of a firing that has ended. The
// zero value is ready.
type Announcer struct{}

// Announce gives one message for each follower that the end of a firing concerns;
// none for any other notice. Pure. Their ids are made of the fire id and the
// follower.
func (Announcer) Announce(n task.Notice) []task.Message {
	if n.Kind != task.NoticeEnded || n.Info.Followers == nil {
		return nil
	}
	from, value := n.Info.Key, n.Run.Value
	if n.Info.Reply == nil && !n.Info.Output {
		value = "" // kept only because the run was asked for by hand
	}
	data, err := json.Marshal(ended{from, task.Ended{
		Task: from.Name, FireID: n.Run.FireID, Scheduled: n.Run.Scheduled.UTC().Format(time.RFC3339Nano),
		Outcome: n.Run.Outcome, Error: n.Run.Error, Value: value,
	}})
	if err != nil {
		return nil // it is all texts
	}
	var messages []task.Message
	for _, f := range *n.Info.Followers {
		if !f.On.Matches(n.Run.Outcome) {
			continue
		}
		messages = append(messages, task.Message{
			ID: string(n.Run.FireID) + ">" + f.Key.String(), To: scheme + f.Key.String(), Raised: n.At.UTC(),
			Subject: fmt.Sprintf("%s ended %s: %s follows", from.Name, n.Run.Outcome, f.Name), Event: data,
			Source: task.MessageSource{Kind: Kind, Task: &from, FireID: n.Run.FireID},
		})
	}
	return messages
}

// Store is where followers are, and are asked to fire.
type Store interface {
	// Follower reads a task; false: there is none.
	Follower(ctx context.Context, key task.Key) (task.Info, bool, error)
	// Follow asks for a firing of to, once for each ended, with an input; or, if
	// all is given, when each of those has ended. Depth is how many have followed
	// one another up to ended.
	Follow(ctx context.Context, to task.Info, from task.Key, ended task.FireID, input task.Input, all []task.Key) error
	Depth(ended task.FireID) int
}

// Deliverer is the event.Sender of addresses "task:…". Safe for concurrent use.
type Deliverer struct{ store Store }

// NewDeliverer makes a Deliverer.
func NewDeliverer(s Store) *Deliverer { return &Deliverer{s} }

// Check refuses what is no address of a task.
func (*Deliverer) Check(to string) error { _, err := address(to); return err }

func address(to string) (task.Key, error) {
	parts := strings.Split(strings.TrimPrefix(to, scheme), "/")
	if !Addressed(to) || len(parts) != 3 {
		return task.Key{}, fmt.Errorf("%q is no address of a task", to)
	}
	return task.Key{Tenant: parts[0], Type: parts[1], Name: parts[2]}, nil
}

// Send lets a task follow. A follower that is gone, or follows no more, is no
// error: there is nothing to do.
func (d *Deliverer) Send(ctx context.Context, m task.Message) error {
	key, err := address(m.To)
	if err != nil {
		return event.Permanent("%w", err)
	}
	var e ended
	if err := json.Unmarshal(m.Event, &e); err != nil {
		return event.Permanent("what ended cannot be read: %w", err)
	}
	to, there, err := d.store.Follower(ctx, key)
	if err != nil || !there {
		return err
	}
	before, err := to.After.Keys(to.Key)
	if err != nil {
		return event.Permanent("task %s: %w", key.Name, err)
	}
	if !slices.Contains(before, e.Task) || !to.After.On.Matches(e.Run.Outcome) {
		return nil
	}
	if depth := d.store.Depth(e.Run.FireID); depth >= task.MaxChain {
		return event.Permanent("%d tasks have followed one another up to %s: nothing follows any more", depth, e.Run.FireID)
	}
	given, err := input(to.After.With, e.Run)
	if err != nil {
		return event.Permanent("task %s: %w", key.Name, err)
	}
	if !to.After.All {
		before = nil
	}
	return d.store.Follow(ctx, to, e.Task, e.Run.FireID, given, before)
}
