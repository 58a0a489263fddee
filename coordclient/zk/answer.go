package zk

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

// maxTaken bounds the requests that a member has taken and not finished; others
// wait where they are.
const maxTaken = 1024

// inbox is what a member knows of the requests in its directory. One goroutine
// owns it.
type inbox struct {
	m     *Member
	taken map[string]*taken
	ready chan string // names of those finished
}

// taken is a request that runs, or has run and is not yet seen to be gone.
type taken struct {
	cancel context.CancelFunc
	done   bool
}

// answerCalls takes the requests to this member, for as long as it lasts.
func (m *Member) answerCalls() {
	in := inbox{m: m, taken: make(map[string]*taken), ready: make(chan string, maxTaken)}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for {
		names, changed, err := m.watchedChildren(ctx, m.paths.callsOf(m.id))
		switch {
		case errors.Is(err, zk.ErrNoNode):
			// Somebody has swept a member that lives.
			err = m.ensureAgain(ctx)
			changed = nil
		case err == nil:
			in.take(ctx, names)
		}
		if err != nil || changed == nil {
			if m.again(ctx) != nil {
				return
			}
			continue
		}
		if !in.wait(changed) {
			return
		}
	}
}

// ensureAgain makes the member's directories anew.
func (m *Member) ensureAgain(ctx context.Context) error {
	m.dirs.forget()
	return errors.Join(m.ensure(ctx, m.paths.callsOf(m.id)), m.ensure(ctx, m.paths.piecesOf(m.id)))
}

// wait returns when the directory should be read again; false when the session
// is over.
func (in *inbox) wait(changed <-chan struct{}) bool {
	for {
		select {
		case <-changed:
			return true
		case name := <-in.ready:
			full := len(in.taken) >= maxTaken
			in.finish(name)
			if full {
				return true
			}
		case <-in.m.Done():
			return false
		}
	}
}

func (in *inbox) finish(name string) {
	if t := in.taken[name]; t != nil {
		t.done = true
	}
}

// take starts what is new, and ends what was called off.
func (in *inbox) take(ctx context.Context, names []string) {
	for drained := false; !drained; {
		select {
		case name := <-in.ready:
			in.finish(name)
		default:
			drained = true
		}
	}
	listed := make(map[string]bool, len(names))
	for _, name := range names {
		listed[name] = true
	}
	for name, t := range in.taken {
		if !listed[name] {
			t.cancel()
			if t.done {
				delete(in.taken, name)
			}
		}
	}
	for _, name := range names {
		if in.taken[name] != nil || len(in.taken) >= maxTaken {
			continue
		}
		run, cancel := context.WithCancel(ctx)
		in.taken[name] = &taken{cancel: cancel}
		in.m.background(func() { // ends with its handler, or with the session
			defer cancel()
			in.m.serveCall(ctx, run, name)
			select {
			case in.ready <- name:
			case <-in.m.Done():
			}
		})
	}
}

// serveCall answers one request. run ends when its caller calls it off.
func (m *Member) serveCall(ctx, run context.Context, name string) {
	path := m.paths.callsOf(m.id) + "/" + name
	base := m.paths.piecesOf(m.id) + "/" + name
	var h head
	var body []byte
	err := m.insist(run, func() error {
		v, err := m.value(run, path)
		if err == nil {
			h, body, err = m.unpack(run, v.data, base)
		}
		return err
	})
	if errors.Is(err, zk.ErrNoNode) || run.Err() != nil {
		return // it was called off
	}
	if !h.Reply && err == nil {
		run = ctx // a broadcast cannot be called off: it is removed here
		m.discard(ctx, base, h.Pieces)
		_ = m.insist(ctx, func() error { return m.deleteNode(ctx, path) })
	}
	var answer []byte
	if err == nil {
		answer, err = m.verbs.Call(run, h.Verb, body)
	} else {
		err = fmt.Errorf("read the request: %w: %w", coordclient.ErrUnavailable, err)
	}
	if h.Reply || h == (head{}) {
		m.reply(ctx, name, path, base, answer, err)
	}
}

// reply leaves the answer where the caller looks for it, and removes the
// request: the caller will not find it twice.
func (m *Member) reply(ctx context.Context, name, path, base string, answer []byte, cause error) {
	err := m.insist(ctx, func() error {
		data, err := m.pack(ctx, replyOf(cause), answer, base+".r", zk.FlagEphemeral)
		if err != nil {
			return err
		}
		_, err = m.multi(ctx,
			&zk.SetDataRequest{Path: m.paths.replies() + "/" + name, Data: data, Version: 0},
			&zk.DeleteRequest{Path: path, Version: -1})
		if errors.Is(err, zk.ErrBadVersion) {
			return nil // a try of which the answer was lost has left it
		}
		return err
	})
	if err != nil { // the caller has given up
		_ = m.insist(ctx, func() error { return m.deleteNode(ctx, path) })
		m.discard(ctx, base+".r", piecesIn(len(answer)))
	}
}

func (m *Member) deleteNode(ctx context.Context, path string) error {
	_, err := ask(ctx, m.Client, func() (struct{}, error) { return struct{}{}, m.conn.Delete(path, -1) })
	return err
}

// insist does again what got no answer, until it gets one, ctx ends or the
// session is lost.
func (m *Member) insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || answered(err) {
			return err
		}
		if m.again(ctx) != nil {
			return err
		}
	}
}

// answered tells whether an error is the servers' own word about a request, or
// what they gave is not what it should be: asking again changes neither.
func answered(err error) bool {
	for _, word := range []error{errMalformed, zk.ErrNoNode, zk.ErrNodeExists, zk.ErrBadVersion, zk.ErrNotEmpty, zk.ErrNoAuth, zk.ErrInvalidACL} {
		if errors.Is(err, word) {
			return true
		}
	}
	return false
}
