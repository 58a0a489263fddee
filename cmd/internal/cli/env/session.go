package env

import (
	"context"
	"strings"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/plugin/control"
)

// Connection is a session with a group that lasts until Close, for what follows
// the group instead of asking once.
type Connection struct {
	Control *control.Control
	Session coordclient.Session
	port    port
}

// Close ends the session.
func (c *Connection) Close() error { return c.port.Close() }

// Open connects. Errors as of Control.
func (e *Env) Open(ctx context.Context) (*Connection, error) {
	target, err := e.Target()
	if err != nil {
		return nil, err
	}
	p, err := target.dial(ctx)
	if err != nil {
		return nil, err
	}
	p = e.guard(target, p, false)
	c := control.New(control.Deps{KV: p, Members: p, Caller: p, Now: e.Now, Cluster: target.cluster()}).As(e.Who())
	return &Connection{Control: c, Session: p, port: p}, nil
}

// Name is how a person calls the target: the context's name, or its address.
func (t Target) Name() string {
	if name, ok := strings.CutPrefix(t.Origin, "context "); ok {
		return name
	}
	return t.String()
}

// TargetFlags are the flags by which this command was told where to connect to,
// for commands that are shown.
func (e *Env) TargetFlags() string {
	switch {
	case e.Connect != "":
		return "--connect " + e.Connect
	case e.Coordination != "":
		return "--coordination " + e.Coordination
	case e.Context != "":
		return "--context " + e.Context
	}
	return ""
}
