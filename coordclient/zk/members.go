package zk

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// Members lists the group; see coordclient.Members.
func (c *Client) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	changed := c.watches.members() // before the reads, so that nothing is missed
	list, err := c.group(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("members: %w", readError(err))
	}
	return list, changed, nil
}

func (c *Client) group(ctx context.Context) ([]coordclient.Member, error) {
	names, _, err := c.watchedChildren(ctx, c.paths.members())
	if err != nil {
		return nil, err
	}
	type joined struct {
		coordclient.Member
		order int64
	}
	found := make([]*joined, len(names))
	err = each(len(names), func(i int) error {
		v, _, err := c.watched(ctx, c.paths.members()+"/"+names[i])
		switch {
		case errors.Is(err, zk.ErrNoNode): // it has left meanwhile
			return nil
		case err != nil:
			return err
		}
		m := coordclient.Member{ID: coordclient.MemberID(unescape(names[i])), Joined: time.UnixMilli(v.stat.Ctime).UTC(), Value: v.data}
		found[i] = &joined{m, v.stat.Czxid}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(j *joined) bool { return j == nil })
	slices.SortFunc(found, func(a, b *joined) int { return cmp.Compare(a.order, b.order) })
	list := make([]coordclient.Member, len(found))
	for i, m := range found {
		list[i] = m.Member
	}
	return list, nil
}

// Publish replaces what the member says of itself. Errors: ErrTooLarge,
// ErrUnavailable, ErrUnknownOutcome.
func (m *Member) Publish(ctx context.Context, value []byte) error {
	if len(value) > coordclient.MaxValue {
		return fmt.Errorf("publish %d bytes: %w", len(value), coordclient.ErrTooLarge)
	}
	_, err := m.multi(ctx, &zk.SetDataRequest{Path: m.paths.member(m.id), Data: bytes.Clone(value), Version: -1})
	if err != nil {
		return fmt.Errorf("publish: %w", writeError(m.gone(err)))
	}
	return nil
}

// gone ends the session if the error says that its own node is not there.
func (m *Member) gone(err error) error {
	if errors.Is(err, zk.ErrNoNode) {
		m.health.end(errGone)
		return m.usable()
	}
	return err
}
