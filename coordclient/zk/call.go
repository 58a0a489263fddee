package zk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

const (
	// maxQueued bounds the requests that lie at one member.
	maxQueued = 4096
	// tidyTime bounds the removal of what a call has left.
	tidyTime = 10 * time.Second
)

var errLeft = errors.New("it left the group before it answered")

// SendReceive asks a member; see coordclient.Caller. The request is a node in
// the member's directory, which the end of ctx removes: that ends the handler's
// context too.
func (c *Client) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	answer, err := c.call(ctx, to, verb, request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	return answer, nil
}

func (c *Client) call(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	if err := checkMessage(verb, request); err != nil {
		return nil, err
	}
	if err := c.reach(ctx, to); err != nil {
		return nil, err
	}
	name := random()
	reply := c.paths.replies() + "/" + name
	base := c.paths.piecesOf(to) + "/" + name
	answered := 0
	defer func() {
		c.background(func() { c.tidy(c.paths.callsOf(to)+"/"+name, reply, base, piecesIn(len(request)), answered) })
	}()
	data, err := c.pack(ctx, head{Verb: verb, Reply: true}, request, base, zk.FlagEphemeral)
	if err != nil {
		return nil, unsent(err)
	}
	failed, err := c.multi(ctx,
		&zk.CheckVersionRequest{Path: c.paths.member(to), Version: -1},
		&zk.CreateRequest{Path: reply, Data: []byte{}, Acl: c.acl, Flags: zk.FlagEphemeral},
		&zk.CreateRequest{Path: c.paths.callsOf(to) + "/" + name, Data: data, Acl: c.acl, Flags: zk.FlagEphemeral})
	switch {
	case failed >= 0 && errors.Is(err, zk.ErrNoNode):
		return nil, fmt.Errorf("%w: it is not in the group", coordclient.ErrNotFound)
	case failed >= 0:
		return nil, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	case err != nil:
		return nil, writeError(err)
	}
	v, err := c.await(ctx, to, reply)
	if err != nil {
		return nil, err
	}
	h, body, err := c.unpack(ctx, v.data, base+".r")
	answered = h.Pieces
	if err != nil {
		return nil, fmt.Errorf("%w: its answer: %w", coordclient.ErrUnknownOutcome, err)
	}
	return body, h.err()
}

// unsent is the error for a request of which no head was made: nobody has seen it.
func unsent(err error) error {
	if errors.Is(err, zk.ErrNoNode) {
		return fmt.Errorf("%w: it is not in the group", coordclient.ErrNotFound)
	}
	return readError(err)
}

func checkMessage(verb string, message []byte) error {
	if len(verb) > maxVerb {
		return fmt.Errorf("verb of %d bytes: %w (the limit is %d)", len(verb), coordclient.ErrTooLarge, maxVerb)
	}
	return verbs.CheckMessage(message)
}

// reach tells whether a member is there and has room for a request.
func (c *Client) reach(ctx context.Context, to coordclient.MemberID) error {
	if err := c.sync(ctx); err != nil {
		return err
	}
	absent := fmt.Errorf("%w: it is not in the group", coordclient.ErrNotFound)
	if coordclient.CheckKey("/"+escape(string(to))) != nil {
		return absent
	}
	_, err := c.stat(ctx, c.paths.member(to))
	var stat zk.Stat
	if err == nil {
		stat, err = c.stat(ctx, c.paths.callsOf(to))
	}
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return absent
	case err == nil && stat.NumChildren > maxQueued:
		return fmt.Errorf("%w: %d requests wait there already", coordclient.ErrUnavailable, stat.NumChildren)
	}
	return readError(err)
}

// await returns the reply when it is there. While the connection is gone it
// waits for the next: request and reply live as long as the session.
func (c *Client) await(ctx context.Context, to coordclient.MemberID, reply string) (value, error) {
	for {
		v, answered, err := c.watched(ctx, reply)
		if err == nil && v.stat.Version > 0 {
			return v, nil
		}
		if errors.Is(err, zk.ErrNoNode) {
			return value{}, fmt.Errorf("%w: the place for the answer was removed", coordclient.ErrUnknownOutcome)
		}
		var left <-chan struct{}
		if err == nil {
			_, left, err = c.watched(ctx, c.paths.member(to))
		}
		if errors.Is(err, zk.ErrNoNode) {
			return c.lastWord(ctx, reply)
		}
		if err != nil {
			err = c.again(ctx)
		} else {
			select {
			case <-answered:
			case <-left:
			case <-c.health.lost:
				err = c.Err()
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			return value{}, fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, err)
		}
	}
}

// again waits until what failed may be tried once more. Error: ctx's, or why
// the session is lost, without the sentinel.
func (c *Client) again(ctx context.Context) error {
	timer := time.NewTimer(retryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.health.lost:
		return c.Err()
	}
	for {
		ok, next := c.health.connections()
		if ok {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.health.lost:
			return c.Err()
		}
	}
}

// retryAfter is the least time between two tries of what goes on until it is
// done.
const retryAfter = 20 * time.Millisecond

// lastWord is the answer of a member that has left, or that there is none.
func (c *Client) lastWord(ctx context.Context, reply string) (value, error) {
	v, err := c.value(ctx, reply)
	if err == nil && v.stat.Version > 0 {
		return v, nil
	}
	return value{}, fmt.Errorf("%w: %w", coordclient.ErrUnknownOutcome, errLeft)
}

// tidy removes what a call has left at the servers.
func (c *Client) tidy(call, reply, base string, asked, answered int) {
	ctx, cancel := context.WithTimeout(context.Background(), tidyTime)
	defer cancel()
	c.remove(ctx, call)
	c.remove(ctx, reply)
	c.discard(ctx, base, asked)
	c.discard(ctx, base+".r", answered)
}

// Broadcast tells every member; see coordclient.Caller. Where it is in doubt
// whether all were told, the error is ErrUnknownOutcome.
func (c *Client) Broadcast(ctx context.Context, verb string, message []byte) error {
	if err := c.tellAll(ctx, verb, message); err != nil {
		return fmt.Errorf("broadcast %s: %w", verb, err)
	}
	return nil
}

func (c *Client) tellAll(ctx context.Context, verb string, message []byte) error {
	if err := checkMessage(verb, message); err != nil {
		return err
	}
	if err := c.sync(ctx); err != nil {
		return err
	}
	names, err := c.children(ctx, c.paths.members())
	if err != nil {
		return readError(err)
	}
	told := false
	for _, name := range names {
		err := c.tell(ctx, coordclient.MemberID(unescape(name)), verb, message)
		switch {
		case err == nil:
			told = true
		case errors.Is(err, coordclient.ErrNotFound): // it has left meanwhile
		case told:
			return fmt.Errorf("%w: not all were told: %w", coordclient.ErrUnknownOutcome, errors.New(err.Error()))
		default:
			return err
		}
	}
	return nil
}

// tell leaves a message at one member. It outlives the sender's session.
func (c *Client) tell(ctx context.Context, to coordclient.MemberID, verb string, message []byte) error {
	if err := c.reach(ctx, to); err != nil {
		return err
	}
	name := random()
	base := c.paths.piecesOf(to) + "/" + name
	data, err := c.pack(ctx, head{Verb: verb}, message, base, 0)
	if err != nil {
		return unsent(err)
	}
	failed, err := c.multi(ctx,
		&zk.CheckVersionRequest{Path: c.paths.member(to), Version: -1},
		&zk.CreateRequest{Path: c.paths.callsOf(to) + "/" + name, Data: data, Acl: c.acl})
	if failed >= 0 {
		return unsent(err)
	}
	return writeError(err)
}
