package socket

import (
	"context"
	"fmt"

	"github.com/seed42aab489/belfry/coordclient"
)

// Get reads an entry; see coordclient.KV.
func (c *Client) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if err := coordclient.CheckKey(key); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get: %w", err)
	}
	a, err := c.ask(ctx, request{op: opGet, key: key})
	if err != nil {
		return coordclient.Entry{}, nil, wrap(err, "get %s", key)
	}
	return a.entry, a.watch, nil
}

// List names the children; see coordclient.KV.
func (c *Client) List(ctx context.Context, prefix string) ([]string, error) {
	if err := coordclient.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	a, err := c.ask(ctx, request{op: opList, key: prefix})
	if err != nil {
		return nil, wrap(err, "list %s", prefix)
	}
	return a.names, nil
}

// Sync catches up with the store; see coordclient.KV.
func (c *Client) Sync(ctx context.Context, key string) error {
	if err := coordclient.CheckPrefix(key); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	_, err := c.ask(ctx, request{op: opSync, key: key})
	return wrap(err, "sync %s", key)
}

// Commit does all or none; see coordclient.KV. One with a CheckMember fails
// with ErrNotMember.
func (c *Client) Commit(ctx context.Context, ops ...coordclient.Op) error {
	if err := coordclient.CheckOps(ops); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	_, err := c.ask(ctx, request{op: opCommit, ops: ops})
	return wrap(err, "commit")
}

// Members lists the group; see coordclient.Members.
func (c *Client) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	a, err := c.ask(ctx, request{op: opMembers})
	if err != nil {
		return nil, nil, wrap(err, "members")
	}
	return a.members, a.watch, nil
}

// SendReceive asks a member; see coordclient.Caller.
func (c *Client) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, message []byte) ([]byte, error) {
	if err := checkMessage(message); err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	a, err := c.ask(ctx, request{op: opSend, key: string(to), verb: verb, body: message})
	if err != nil {
		return nil, wrap(err, "ask %s", to)
	}
	return a.body, nil
}

// Broadcast tells every member; see coordclient.Caller.
func (c *Client) Broadcast(ctx context.Context, verb string, message []byte) error {
	err := checkMessage(message)
	if err == nil {
		_, err = c.ask(ctx, request{op: opBroadcast, verb: verb, body: message})
	}
	return wrap(err, "broadcast %s", verb)
}

func checkMessage(message []byte) error {
	if len(message) > coordclient.MaxMessage {
		return fmt.Errorf("message of %d bytes: %w (the limit is %d)", len(message), coordclient.ErrTooLarge, coordclient.MaxMessage)
	}
	return nil
}

// wrap says what failed, unless the host has said it already.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*farError); ok { //nolint:errorlint // only the outermost one begins with what failed
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
