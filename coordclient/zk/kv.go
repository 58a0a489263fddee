package zk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// maxChildren bounds a list: it comes in one answer, or not at all.
const maxChildren = 100_000

type value struct {
	data []byte
	stat zk.Stat
}

// Get reads an entry; see coordclient.KV.
func (c *Client) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	if err := coordclient.CheckKey(key); err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get: %w", err)
	}
	v, changed, err := c.watched(ctx, c.paths.entry(key))
	if err != nil {
		return coordclient.Entry{}, nil, fmt.Errorf("get %s: %w", key, readError(err))
	}
	return v.entry(key), changed, nil
}

// Read is Get without a channel, and without a watch at the server; see
// coordclient.Reader.
func (c *Client) Read(ctx context.Context, key string) (coordclient.Entry, error) {
	if err := coordclient.CheckKey(key); err != nil {
		return coordclient.Entry{}, fmt.Errorf("read: %w", err)
	}
	v, err := c.value(ctx, c.paths.entry(key))
	if err != nil {
		return coordclient.Entry{}, fmt.Errorf("read %s: %w", key, readError(err))
	}
	return v.entry(key), nil
}

func (v value) entry(key string) coordclient.Entry {
	return coordclient.Entry{Key: key, Value: v.data, Version: int64(v.stat.Version), Modified: time.UnixMilli(v.stat.Mtime).UTC()}
}

// value reads a znode. Error: the library's.
func (c *Client) value(ctx context.Context, path string) (value, error) {
	return ask(ctx, c, func() (value, error) {
		data, stat, err := c.conn.Get(path)
		if err != nil {
			return value{}, err
		}
		return value{data, *stat}, nil
	})
}

// watched reads a znode and gives a channel that closes when it changes.
func (c *Client) watched(ctx context.Context, path string) (value, <-chan struct{}, error) {
	key := watchKey{path: path}
	w, armed := c.watches.begin(key)
	if armed {
		v, err := c.value(ctx, path)
		return v, w.c, err
	}
	v, err := ask(ctx, c, func() (value, error) {
		data, stat, _, err := c.conn.GetW(path)
		if err != nil {
			return value{}, err
		}
		return value{data, *stat}, nil
	})
	if err != nil {
		c.watches.drop(key, w)
		return value{}, nil, err
	}
	return v, c.watches.arm(w), nil
}

// children names the znodes below one. Error: the library's.
func (c *Client) children(ctx context.Context, path string) ([]string, error) {
	return ask(ctx, c, func() ([]string, error) {
		names, _, err := c.conn.Children(path)
		return names, err
	})
}

// watchedChildren is children, with a channel that closes when they change.
func (c *Client) watchedChildren(ctx context.Context, path string) ([]string, <-chan struct{}, error) {
	key := watchKey{path: path, children: true}
	w, armed := c.watches.begin(key)
	if armed {
		names, err := c.children(ctx, path)
		return names, w.c, err
	}
	names, err := ask(ctx, c, func() ([]string, error) {
		names, _, _, err := c.conn.ChildrenW(path)
		return names, err
	})
	if err != nil {
		c.watches.drop(key, w)
		return nil, nil, err
	}
	return names, c.watches.arm(w), nil
}

// stat tells of a znode without its value. Error: the library's, zk.ErrNoNode
// too.
func (c *Client) stat(ctx context.Context, path string) (zk.Stat, error) {
	return ask(ctx, c, func() (zk.Stat, error) {
		ok, stat, err := c.conn.Exists(path)
		if err != nil {
			return zk.Stat{}, err
		}
		if !ok {
			return zk.Stat{}, zk.ErrNoNode
		}
		return *stat, nil
	})
}

// Sync asks the leader; see coordclient.KV.
func (c *Client) Sync(ctx context.Context, key string) error {
	if err := coordclient.CheckPrefix(key); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := c.sync(ctx); err != nil {
		return fmt.Errorf("sync %s: %w", key, err)
	}
	return nil
}

// sync is for the whole tree: ZooKeeper makes no difference.
func (c *Client) sync(ctx context.Context) error {
	_, err := ask(ctx, c, func() (string, error) { return c.conn.Sync(c.paths.root) })
	return readError(err)
}

// List names the children; see coordclient.KV. One of more than 100,000
// children is ErrUnavailable and ErrTooLarge.
func (c *Client) List(ctx context.Context, prefix string) ([]string, error) {
	if err := coordclient.CheckPrefix(prefix); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	names, err := c.list(ctx, c.paths.dir(prefix))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	return names, nil
}

func (c *Client) list(ctx context.Context, dir string) ([]string, error) {
	stat, err := c.stat(ctx, dir)
	var raw []string
	if err == nil && stat.NumChildren > maxChildren {
		return nil, fmt.Errorf("%w: %d children: %w (the limit is %d)", coordclient.ErrUnavailable, stat.NumChildren, coordclient.ErrTooLarge, maxChildren)
	}
	if err == nil {
		raw, err = c.children(ctx, dir)
	}
	if errors.Is(err, zk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, readError(err)
	}
	entries := make(map[string]bool, len(raw))
	var dirs []string
	for _, name := range raw {
		if bare, ok := strings.CutSuffix(name, dirMark); ok {
			dirs = append(dirs, bare)
		} else {
			entries[name] = true
		}
	}
	if err := c.addParents(ctx, dir, dirs, entries); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, unescape(name))
	}
	slices.Sort(names)
	return names, nil
}

// lookAhead is how many reads are made at once.
const lookAhead = 32

// each runs f for 0 to n-1, some at once, and gives the first error by number.
func each(n int, f func(i int) error) error {
	errs := make([]error, n)
	var running sync.WaitGroup
	tokens := make(chan struct{}, lookAhead)
	for i := range n {
		tokens <- struct{}{}
		running.Go(func() { // ends when f does
			defer func() { <-tokens }()
			errs[i] = f(i)
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// addParents adds the directories that have an entry somewhere below.
func (c *Client) addParents(ctx context.Context, dir string, names []string, entries map[string]bool) error {
	names = slices.DeleteFunc(names, func(name string) bool { return entries[name] })
	populated := make([]bool, len(names))
	err := each(len(names), func(i int) (err error) {
		populated[i], err = c.populated(ctx, dir+"/"+names[i]+dirMark)
		return err
	})
	for i, name := range names {
		if populated[i] {
			entries[name] = true
		}
	}
	return err
}

// certain is how many children make a directory populated without a look: only
// entries come in such numbers.
const certain = 1000

func (c *Client) populated(ctx context.Context, dir string) (bool, error) {
	stat, err := c.stat(ctx, dir)
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return false, nil
	case err != nil:
		return false, readError(err)
	case stat.NumChildren == 0 || stat.NumChildren > certain:
		return stat.NumChildren > 0, nil
	}
	names, err := c.children(ctx, dir)
	if err != nil && !errors.Is(err, zk.ErrNoNode) {
		return false, readError(err)
	}
	if slices.ContainsFunc(names, func(n string) bool { return !strings.HasSuffix(n, dirMark) }) {
		return true, nil
	}
	for _, name := range names {
		if ok, err := c.populated(ctx, dir+"/"+name); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
