package control

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control/contract"
	"github.com/seed42aab489/belfry/plugin/control/group"
	"github.com/seed42aab489/belfry/plugin/reply"
	"github.com/seed42aab489/belfry/plugin/store"
	"github.com/seed42aab489/belfry/plugin/task"
	"github.com/seed42aab489/belfry/plugin/trigger"
)

// Deps are what a Control needs.
type Deps struct {
	KV      coordclient.KV
	Members coordclient.Members
	Caller  coordclient.Caller
	// Now is the wall clock. Nil: time.Now.
	Now func() time.Time
	// Root of the keys; "" alone.
	Root string
	// Cluster is where the group is, as zk://..., for Status. Empty: as the hosts
	// say, and if they say nothing, "standalone".
	Cluster string
	// Log hears of records that cannot be read. Nil: nobody does.
	Log *slog.Logger
}

// Control asks and orders. Make it with New. Safe for concurrent use.
type Control struct {
	store    *store.Store
	kv       coordclient.KV
	members  coordclient.Members
	caller   coordclient.Caller
	now      func() time.Time
	cluster  string
	triggers trigger.Compiler
	secrets  *reply.Secrets
	// deployed is the catalogue as one long piece of work has read it; nil: it is
	// read each time.
	deployed []contract.ServiceView
	// coming are definitions that a plan is about to store; nil: none.
	coming map[task.Key]task.Info
}

// New makes a Control. It does nothing yet.
func New(d Deps) *Control {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	corrupt := func(e *store.CorruptError) {
		d.Log.Warn("record left out", "key", e.Key, "err", e.Err)
	}
	s := store.New(d.KV, store.Options{Root: d.Root, Now: d.Now, Corrupt: corrupt})
	return &Control{
		store: s, kv: d.KV, members: d.Members, caller: d.Caller, now: d.Now, cluster: d.Cluster,
		secrets: reply.NewSecrets(s.ReplySecret),
	}
}

// As is the same Control for somebody who edits by this name, which the audit
// keeps.
func (c *Control) As(by string) *Control {
	return &Control{store: c.store.As(by), kv: c.kv, members: c.members, caller: c.caller, now: c.now, cluster: c.cluster}
}

// Because is the same Control for who edits for a reason, which the audit and the
// history of each task keep. Empty: none.
func (c *Control) Because(reason string) *Control {
	return &Control{store: c.store.Because(reason), kv: c.kv, members: c.members, caller: c.caller, now: c.now, cluster: c.cluster, secrets: c.secrets}
}

// live is the group as it is: member by id.
func (c *Control) live(ctx context.Context) (map[coordclient.MemberID]coordclient.Member, error) {
	list, _, err := c.members.Members(ctx)
	if err != nil {
		return nil, err
	}
	live := make(map[coordclient.MemberID]coordclient.Member, len(list))
	for _, m := range list {
		live[m.ID] = m
	}
	return live, nil
}

// group looks at the group.
func (c *Control) group(ctx context.Context) (*group.Group, error) {
	return group.Look(ctx, c.store, c.members)
}
