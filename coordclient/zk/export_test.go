package zk

import (
	"context"
	"time"
)

// Credentials of the session, by which a test can end it from elsewhere.
func (c *Client) Credentials() (session int64, password []byte) {
	g := c.line.grant.Load()
	return g.session, g.password
}

// Server is the one connected to.
func (c *Client) Server() string { return c.conn.Server() }

// SweepNow removes what dead members left, whatever its age.
func (m *Member) SweepNow(ctx context.Context) error { return m.sweepOnce(ctx, -time.Hour) }

// Reply leaves the answer to a call.
func (m *Member) Reply(ctx context.Context, name string, answer []byte) {
	m.reply(ctx, name, m.paths.callsOf(m.id)+"/"+name, m.paths.piecesOf(m.id)+"/"+name, answer, nil)
}
