//go:build integration

package zk_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/coordtest"
	"github.com/seed42aab489/belfry/coordclient/zk"
	"github.com/seed42aab489/belfry/coordclient/zk/zktest"
)

// The leader is killed and restarted while everybody commits: nothing that was
// acknowledged is lost, nothing is done twice, and the sessions live.
func TestIntegrationKilledLeader(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 3)
	// Three elections on a busy machine: how long ZooKeeper takes for one is not the
	// matter here, and must not end a session.
	o := zk.Options{Servers: servers.Addresses(), Root: newRoot(), SessionTimeout: calm}
	const writers, rounds, together = 6, 3, 300
	var h coordtest.History
	var members []*zk.Member
	for n := range 3 {
		o.Node = fmt.Sprint("n", n)
		members = append(members, join(t, o))
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var done atomic.Int64
	for w := range writers {
		key := fmt.Sprintf("/h/%d", w)
		if err := members[0].Commit(ctx, coordclient.Create(key, nil)); err != nil {
			t.Fatal(err)
		}
		running.Go(func() { write(ctx, t, members[w%3], &h, key, &done) }) // these end with ctx
		running.Go(func() { read(ctx, t, members[(w+1)%3], &h, key) })
	}
	flows := func(round int64) {
		most := round * together / (rounds + 1)
		eventually(t, fmt.Sprintf("%d commits", most), func() bool { return t.Failed() || done.Load() >= most })
	}
	for round := range rounds {
		flows(int64(round) + 1)
		killed := servers.Leader(t)
		begun := time.Now()
		killed.Kill(t)
		for w := range writers {
			commitAgain(t, members[w%3], fmt.Sprintf("/after/%p/%d/%d", killed, w, begun.UnixNano()))
		}
		t.Logf("leader killed: all commit again after %s", time.Since(begun).Round(time.Millisecond))
		killed.Restart(t)
		servers.Whole(t)
	}
	flows(rounds + 1)
	stop()
	running.Wait()
	if err := h.Check(); err != nil {
		t.Error(err)
	}
	t.Logf("%d commits in the history", done.Load())
}

// write sets a key that nobody else writes, again and again. One of unknown
// outcome is committed again until it is known; the store tells by the version. It
// counts in done.
func write(ctx context.Context, t *testing.T, m *zk.Member, h *coordtest.History, key string, done *atomic.Int64) {
	for version := int64(0); ; version++ {
		begin := time.Now()
		op := coordclient.Set(key, fmt.Append(nil, version+1), version)
		for doubt := false; ; {
			err := m.Commit(ctx, coordclient.CheckMember(m.ID()), op)
			landed := doubt && errors.Is(err, coordclient.ErrConflict) // an earlier try
			if err == nil || landed {
				break
			}
			if ctx.Err() != nil {
				// Of the last it may stay unknown: it is settled by reading.
				e, rerr := settle(m, key)
				if rerr != nil || e.Version != version+1 {
					return
				}
				break
			}
			switch {
			case errors.Is(err, coordclient.ErrUnknownOutcome):
				doubt = true
			case !errors.Is(err, coordclient.ErrUnavailable):
				t.Errorf("set %s at %d: %v", key, version, err)
				return
			}
			select {
			case <-m.Done():
				t.Errorf("%s is lost: %v", m.ID(), m.Err())
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
		h.Add(coordtest.Event{Key: key, Version: version + 1, Begin: begin, End: time.Now(), Write: true})
		done.Add(1)
		if ctx.Err() != nil {
			return
		}
	}
}

func settle(m *zk.Member, key string) (coordclient.Entry, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Behind what was sent in this session, on this connection, before.
	if err := m.Commit(ctx, coordclient.CheckMember(m.ID())); err != nil {
		return coordclient.Entry{}, err
	}
	return m.Read(ctx, key)
}

// read follows a key through another server, syncing each time.
func read(ctx context.Context, t *testing.T, m *zk.Member, h *coordtest.History, key string) {
	for ctx.Err() == nil {
		begin := time.Now()
		err := m.Sync(ctx, key)
		var e coordclient.Entry
		if err == nil {
			e, err = m.Read(ctx, key)
		}
		switch {
		case err == nil:
			h.Add(coordtest.Event{Key: key, Version: e.Version, Begin: begin, End: time.Now()})
		case !errors.Is(err, coordclient.ErrUnavailable):
			t.Errorf("read %s: %v", key, err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Without a quorum nothing is done and everybody knows it; with one again the
// process goes on as a new incarnation, without a restart.
func TestIntegrationQuorumLost(t *testing.T) {
	t.Parallel()
	servers := zktest.StartEnsemble(t, 3)
	o := zk.Options{Servers: servers.Addresses(), Root: newRoot(), Node: "n", SessionTimeout: tight}
	m := join(t, o)
	if err := m.Commit(t.Context(), coordclient.Create("/before", nil)); err != nil {
		t.Fatal(err)
	}
	var killed zktest.Ensemble
	for range 2 {
		s := servers.Follower(t)
		s.Kill(t)
		killed = append(killed, s)
	}
	begun := time.Now()
	closes(t, m.Done(), "lost")
	if took := time.Since(begun); took > tight {
		t.Errorf("lost after %s, want two thirds of %s", took, tight)
	}
	if err := m.Commit(t.Context(), coordclient.Create("/no", nil)); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("commit: %v, want ErrUnavailable", err)
	}
	if _, err := zk.Join(t.Context(), o); !errors.Is(err, coordclient.ErrUnavailable) {
		t.Errorf("join without a quorum: %v, want ErrUnavailable", err)
	}
	for _, s := range killed {
		s.Launch(t)
	}
	servers.Leader(t)
	again := join(t, o)
	if again.ID() == m.ID() || again.ID().Node() != m.ID().Node() {
		t.Errorf("after %s came %s", m.ID(), again.ID())
	}
	if !isThere(t, again, "/before") || isThere(t, again, "/no") {
		t.Error("what was acknowledged must be there, and what was refused must not")
	}
}

// A caller whose member dies while it works is told, and before its own time
// is up.
func TestIntegrationCallOfADyingMember(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	o := zk.Options{Servers: []string{server.Address}, Root: newRoot(), Node: "caller"}
	caller := join(t, o)
	o.Node = "callee"
	callee := expirable(t, o, server)
	started := make(chan struct{})
	callee.Handle("hang", func(ctx context.Context, _ []byte) ([]byte, error) {
		close(started)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	failed := make(chan error, 1)
	go func() { // ends when the callee does
		_, err := caller.SendReceive(t.Context(), callee.ID(), "hang", nil)
		failed <- err
	}()
	closes(t, started, "the handler")
	callee.expire(t)
	if err := <-failed; !errors.Is(err, coordclient.ErrUnknownOutcome) {
		t.Errorf("the call: %v, want ErrUnknownOutcome", err)
	}
}

// A call and its answer outlive the connections of both sides.
func TestIntegrationCallOutlivesTheConnection(t *testing.T) {
	t.Parallel()
	server := zktest.StartServer(t)
	proxies := []*zktest.Proxy{zktest.NewProxy(t, server.Address), zktest.NewProxy(t, server.Address)}
	o := zk.Options{Root: newRoot()}
	o.Servers, o.Node = []string{proxies[0].Address}, "caller"
	caller := join(t, o)
	o.Servers, o.Node = []string{proxies[1].Address}, "callee"
	callee := join(t, o)
	calls := make(chan struct{}, 10)
	callee.Handle("slow", func(_ context.Context, request []byte) ([]byte, error) {
		calls <- struct{}{}
		for _, p := range proxies {
			p.Drop()
		}
		return request, nil
	})
	large := make([]byte, 3*pieceSize)
	large[len(large)-1] = 'x'
	for _, request := range [][]byte{[]byte("small"), large} {
		answer, err := caller.SendReceive(t.Context(), callee.ID(), "slow", request)
		if err != nil || string(answer) != string(request) {
			t.Errorf("%d bytes came back of %d, %v", len(answer), len(request), err)
		}
		if len(calls) != 1 {
			t.Errorf("the handler ran %d times", len(calls))
		}
		<-calls
		becomes(t, caller, coordclient.Healthy)
		becomes(t, callee, coordclient.Healthy)
	}
}

const pieceSize = 512 << 10
