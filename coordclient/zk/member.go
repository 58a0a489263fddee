package zk

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

var (
	_ coordclient.Handler = (*Member)(nil)
	_ coordclient.Elector = (*Member)(nil)
)

// Member is a session that has joined the group, under an id of its own. When
// it is Lost (Done closes) it is dead for good: what it owned is no longer
// owned, and whoever runs it joins again, as a new incarnation.
type Member struct {
	*Client
	verbs *verbs.Table

	mu   sync.Mutex
	skew skew
}

type skew struct {
	ahead, within time.Duration
	known         bool
}

// Join opens a session and makes a member of it. It waits for the session until
// ctx ends, or for the session's time-out. Errors: those of Dial. After an
// error nothing is left of it but what the servers expire.
func Join(ctx context.Context, o Options) (*Member, error) {
	o, err := o.withDefaults(true)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	c, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	c.id = newID(o.Node)
	m := &Member{Client: c, verbs: verbs.New()}
	if err := m.enter(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("join: %w", err), m.Close())
	}
	m.running.Go(func() { m.beats(beatEvery, m.beat) }) // these end with the session
	m.running.Go(m.answerCalls)
	m.running.Go(m.sweep)
	m.running.Go(func() {
		<-m.Done()
		m.verbs.Kill()
	})
	return m, nil
}

// newID gives the node a new incarnation.
func newID(node string) coordclient.MemberID {
	return coordclient.MemberID(node + "." + random())
}

// random is 128 bits in hexadecimal.
func random() string {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // documented never to fail
	return hex.EncodeToString(bits[:])
}

// enter makes the member's node, exactly once: if the answer is lost, so is the
// session.
func (m *Member) enter(ctx context.Context) error {
	for _, dir := range []string{m.paths.callsOf(m.id), m.paths.piecesOf(m.id)} {
		if err := m.ensure(ctx, dir); err != nil {
			return err
		}
	}
	_, err := m.multi(ctx,
		&zk.CreateRequest{Path: m.paths.member(m.id), Data: own(m.o.Value), Acl: m.acl, Flags: zk.FlagEphemeral},
		&zk.CreateRequest{Path: m.paths.beat(m.id), Data: []byte{}, Acl: m.acl, Flags: zk.FlagEphemeral})
	if err != nil {
		return writeError(err)
	}
	v, err := m.value(ctx, m.paths.member(m.id))
	if err != nil {
		return readError(err)
	}
	if v.stat.EphemeralOwner != m.conn.SessionID() {
		return fmt.Errorf("%w: the member's node belongs to session %x, not %x", coordclient.ErrUnavailable, v.stat.EphemeralOwner, m.conn.SessionID())
	}
	return nil
}

// ID is the member's id, new with each Join.
func (m *Member) ID() coordclient.MemberID { return m.id }

// Handle answers a verb; see coordclient.Handler.
func (m *Member) Handle(verb string, f coordclient.HandlerFunc) { m.verbs.Handle(verb, f) }

// Close leaves the group and waits for the handlers that run. Nil; callable
// again.
func (m *Member) Close() error {
	err := m.Client.Close()
	m.verbs.Close()
	return err
}

// Skew is by how much this machine's clock is ahead of ZooKeeper's, and how far
// off that may be; false before the first heartbeat.
func (m *Member) Skew() (ahead, within time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.skew.ahead, m.skew.within, m.skew.known
}

// beat is a committed write of this session, on behalf of a member that is
// there. It is not made to the member's own node, which everybody watches.
func (m *Member) beat(ctx context.Context) error {
	before := m.o.Now()
	results, err := ask(ctx, m.Client, func() ([]zk.MultiResponse, error) {
		return m.conn.Multi(m.checkMember(m.id), &zk.SetDataRequest{Path: m.paths.beat(m.id), Data: []byte{}, Version: -1})
	})
	if err != nil {
		return writeError(m.gone(err))
	}
	after := m.o.Now()
	if stat := results[1].Stat; stat != nil {
		within := after.Sub(before) / 2
		m.mu.Lock()
		defer m.mu.Unlock()
		m.skew = skew{ahead: before.Add(within).Sub(time.UnixMilli(stat.Mtime)), within: within + time.Millisecond, known: true}
	}
	return nil
}
