package zk

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/go-zookeeper/zk"
)

// What dead members leave in the directories of calls is removed by the living,
// each about this often; but not what is younger, whose member may be joining.
const (
	sweepEvery = time.Minute
	sweepAge   = time.Minute
)

func (m *Member) sweep() {
	for {
		m.rest(sweepEvery/2 + rand.N(sweepEvery))
		select {
		case <-m.Done():
			return
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), sweepEvery)
		if err := m.sweepOnce(ctx, sweepAge); err != nil {
			m.log.Debug("sweeping calls", "err", err)
		}
		cancel()
	}
}

// sweepOnce removes the directories of members that are not there, and were
// made age ago by ZooKeeper's clock.
func (m *Member) sweepOnce(ctx context.Context, age time.Duration) error {
	if err := m.sync(ctx); err != nil {
		return err
	}
	own, err := m.stat(ctx, m.paths.beat(m.id))
	if err != nil {
		return err
	}
	before := own.Mtime - age.Milliseconds()
	for _, top := range []string{m.paths.calls(), m.paths.pieces()} {
		names, err := m.children(ctx, top)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := m.sweepDir(ctx, name, top+"/"+name, before); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Member) sweepDir(ctx context.Context, member, dir string, before int64) error {
	if _, err := m.stat(ctx, m.paths.members()+"/"+member); !errors.Is(err, zk.ErrNoNode) {
		return err
	}
	stat, err := m.stat(ctx, dir)
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	if err != nil || stat.Ctime > before {
		return err
	}
	names, err := m.children(ctx, dir)
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return err
	}
	for _, name := range names {
		m.remove(ctx, dir+"/"+name)
	}
	m.remove(ctx, dir)
	return nil
}

// remove deletes a node that may be gone already. What fails is swept later.
func (c *Client) remove(ctx context.Context, path string) {
	_, err := ask(ctx, c, func() (struct{}, error) { return struct{}{}, c.conn.Delete(path, -1) })
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		c.log.Debug("removing a node", "path", path, "err", err)
	}
}
