package control

import (
	"context"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/follow"
)

// Follow tells pictures of the group until ctx ends or the session is lost; see
// follow.Follower.
func (c *Control) Follow(ctx context.Context, session coordclient.Session, s follow.Scope, tell func(follow.Picture)) error {
	f := follow.Follower{Store: c.store, Members: c.members, Queries: c, Now: c.now, Cluster: c.cluster}
	return f.Run(ctx, session, s, tell)
}
