package zk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// ensureTries bounds how often the parents of a create are made again because
// somebody removes them.
const ensureTries = 3

// Commit does all or none; see coordclient.KV. It is one multi; the parents of
// what it creates are made before it, and stay if it fails.
func (c *Client) Commit(ctx context.Context, ops ...coordclient.Op) error {
	if err := coordclient.CheckOps(ops); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := c.commit(ctx, ops); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (c *Client) commit(ctx context.Context, ops []coordclient.Op) error {
	if len(ops) == 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
		}
		return c.usable()
	}
	requests, size := c.requests(ops)
	if size > maxRequest {
		return fmt.Errorf("%d bytes on the wire: %w (the limit is %d)", size, coordclient.ErrTooLarge, maxRequest)
	}
	for try := 1; ; try++ {
		if err := c.ensureParents(ctx, requests); err != nil {
			return err
		}
		failed, err := c.multi(ctx, requests...)
		if err == nil {
			return nil
		}
		if failed < 0 {
			return writeError(err)
		}
		create, ok := requests[failed].(*zk.CreateRequest)
		if !ok || !errors.Is(err, zk.ErrNoNode) {
			op := ops[failed]
			if err = opError(op, err); errors.Is(err, coordclient.ErrUnavailable) {
				return fmt.Errorf("%s %s: %w", op.Kind, op.Key, err)
			}
			return &coordclient.CommitError{Index: failed, Op: op, Err: err}
		}
		if try == ensureTries {
			return fmt.Errorf("%w: somebody removes %s", coordclient.ErrUnavailable, parent(create.Path))
		}
		c.dirs.forget()
	}
}

// multi does all or none. If one request made it fail, its index is given with
// the library's error for it; else -1.
func (c *Client) multi(ctx context.Context, requests ...any) (int, error) {
	sent := time.Now()
	results, err := ask(ctx, c, func() ([]zk.MultiResponse, error) { return c.conn.Multi(requests...) })
	if err == nil {
		c.health.acked(sent, time.Now())
		return -1, nil
	}
	for i, r := range results {
		if r.Error != nil {
			return i, r.Error
		}
	}
	return -1, err
}

// never is a version that no znode has, and that is not "any" either.
const never = -2

func wireVersion(v int64) int32 {
	if v < 0 || v > math.MaxInt32 {
		return never
	}
	return int32(v)
}

// requests translates a commit, and tells about how large it is on the wire.
func (c *Client) requests(ops []coordclient.Op) ([]any, int) {
	acl := 4
	for _, who := range c.acl {
		acl += 12 + len(who.Scheme) + len(who.ID)
	}
	requests := make([]any, 0, len(ops))
	size := 32
	for _, op := range ops {
		path := c.paths.members()
		if op.Kind != coordclient.OpCheckMember {
			path = c.paths.entry(op.Key)
		}
		size += 9 + 4 + len(path) + 4 + len(op.Value) + 4
		var r any
		switch op.Kind {
		case coordclient.OpCreate:
			r = &zk.CreateRequest{Path: path, Data: own(op.Value), Acl: c.acl}
			size += acl
		case coordclient.OpSet:
			r = &zk.SetDataRequest{Path: path, Data: own(op.Value), Version: wireVersion(op.Version)}
		case coordclient.OpDelete:
			version := wireVersion(op.Version)
			if op.Version == coordclient.AnyVersion {
				version = -1
			}
			r = &zk.DeleteRequest{Path: path, Version: version}
		case coordclient.OpCheck:
			r = &zk.CheckVersionRequest{Path: path, Version: wireVersion(op.Version)}
		case coordclient.OpCheckMember:
			r = c.checkMember(coordclient.MemberID(op.Key))
		}
		requests = append(requests, r)
	}
	return requests, size
}

// own copies a value: the library reads it after a caller that has given up may
// use its memory again.
func own(value []byte) []byte { return append([]byte{}, value...) }

// checkMember holds while the node that this session has made of itself is
// there. Of any other member it never holds.
func (c *Client) checkMember(id coordclient.MemberID) *zk.CheckVersionRequest {
	if c.id == "" || id != c.id {
		return &zk.CheckVersionRequest{Path: c.paths.members(), Version: never}
	}
	return &zk.CheckVersionRequest{Path: c.paths.member(id), Version: -1}
}

// dirs remembers which directories are there, so that they are not made again.
type dirs struct {
	mu    sync.Mutex
	known map[string]bool
}

// maxDirs bounds what is remembered.
const maxDirs = 1 << 16

func (d *dirs) has(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.known[path]
}

func (d *dirs) add(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || len(d.known) >= maxDirs {
		d.known = make(map[string]bool)
	}
	d.known[path] = true
}

func (d *dirs) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = nil
}

func (c *Client) ensureParents(ctx context.Context, requests []any) error {
	for _, r := range requests {
		create, ok := r.(*zk.CreateRequest)
		if !ok {
			continue
		}
		if err := c.ensure(ctx, parent(create.Path)); err != nil {
			return err
		}
	}
	return nil
}

// ensure makes a directory and those above it. Without an answer nothing that
// counts was done: ErrUnavailable.
func (c *Client) ensure(ctx context.Context, path string) error {
	for try := 1; ; try++ {
		err := c.ensureOnce(ctx, path)
		if err == nil {
			return nil
		}
		c.dirs.forget()
		if try == ensureTries || !errors.Is(err, zk.ErrNoNode) {
			return fmt.Errorf("%w: make %s: %w", coordclient.ErrUnavailable, path, err)
		}
	}
}

func (c *Client) ensureOnce(ctx context.Context, path string) error {
	var missing []string
	for p := path; p != "" && !c.dirs.has(p); p = parent(p) {
		missing = append(missing, p)
	}
	for _, p := range slices.Backward(missing) {
		_, err := ask(ctx, c, func() (string, error) { return c.conn.Create(p, []byte{}, 0, c.acl) })
		if errors.Is(err, zk.ErrNoAuth) {
			// The parent is not ours to write to, but it may be there all the same.
			if _, serr := c.stat(ctx, p); serr == nil {
				err = nil
			} else {
				err = fmt.Errorf("%w: %w", errAuth, err)
			}
		}
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return err
		}
		c.dirs.add(p)
	}
	return nil
}
