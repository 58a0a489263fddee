package plugin

import (
	"context"
	"errors"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/chain"
	"github.com/seed42aab489/belfry/plugin/event"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
)

// announcers tell people of alerts, and followers of ends.
type announcers struct{ alerts event.Alerts }

func (a announcers) Announce(n task.Notice) []task.Message {
	return append(a.alerts.Announce(n), chain.Announcer{}.Announce(n)...)
}

// sender delivers to followers what is addressed to them, and all else by the
// host's own way.
type sender struct {
	event.Sender
	chain *chain.Deliverer
}

func (s sender) Send(ctx context.Context, m task.Message) error {
	if chain.Addressed(m.To) {
		return s.chain.Send(ctx, m)
	}
	return s.Sender.Send(ctx, m)
}

// followers are the store's, as package chain asks for them.
type followers struct{ s *store.Store }

func (f followers) Follower(ctx context.Context, key task.Key) (task.Info, bool, error) {
	info, err := f.s.Get(ctx, key)
	if errors.Is(err, coordclient.ErrNotFound) {
		return task.Info{}, false, nil
	}
	return info, err == nil, err
}

func (f followers) Follow(ctx context.Context, to task.Info, from task.Key, ended task.FireID, input task.Input, all []task.Key) error {
	_, err := f.s.Follow(ctx, store.Follow{Task: to, From: from, Ended: ended, Input: input, All: all})
	if errors.Is(err, coordclient.ErrNotFound) {
		return nil // it was deleted meanwhile
	}
	return err
}

func (followers) Depth(ended task.FireID) int { return store.FollowDepth(ended) }
