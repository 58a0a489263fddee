package cluster

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/place"
	"github.com/seed42aab489/belfry/plugin/store"
)

// Owner owns buckets: the engine.
type Owner interface {
	// Acquire makes this member the owner of a bucket that is free.
	Acquire(ctx context.Context, b int) error
	// Release gives a bucket up in good order within ctx.
	Release(ctx context.Context, b int) error
	// Evict hands over the tasks that are to leave a bucket that nobody may own.
	Evict(ctx context.Context, b int) error
	// Owned lists the buckets owned now.
	Owned() []int
}

// Port is the group, joined as a member.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Elector
	ID() coordclient.MemberID
}

// Deps are what a Cluster needs. Port, Store and Owner are required.
type Deps struct {
	Port  Port
	Store *store.Owner // bound to Port's membership
	Owner Owner
	// Resolver says where tasks may be. Nil: place.RoundRobin.
	Resolver place.Resolver
	// Resolvers make those of tasks with a location of their own. Nil:
	// place.Standard.
	Resolvers place.Registry
	// Describe tells what a member publishes of itself: Addresses, Labels, Weight.
	// The rest is filled in here. Nil: nothing.
	Describe func(coordclient.Member) place.Member
	// Formerly lists the incarnations that a member's process had before, as far as
	// it tells. Nil: nobody tells.
	Formerly func(coordclient.Member) []coordclient.MemberID
	// Deployed tells whether a service of the catalogue can be called. Nil: each
	// can.
	Deployed func(store.Service) bool
	// Doubt is told of a bucket that is not to be owned because what the store
	// gives of it does not add up, not oftener than minDoubt. Nil: nobody is told.
	Doubt   func(b int, cause error)
	Now     func() time.Time // the wall clock; nil: time.Now
	Log     *slog.Logger     // nil: none
	Options Options
}

// Options of a Cluster. The zero value means the defaults.
type Options struct {
	// Servers is task.server.count: how many different nodes there must be before
	// anything is placed. Below 2: any number.
	Servers int
	// ServersWithin is after how long it does not matter any more. Zero: never.
	ServersWithin time.Duration
	// Share of the buckets that may be on their way for balance at once. Zero:
	// place.DefaultShare.
	Share float64
	// HandOver is how long the runs of a bucket may take to end when it is given
	// to another member. Zero: DefaultHandOver.
	HandOver time.Duration
}
