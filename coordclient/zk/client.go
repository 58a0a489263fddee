package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/seed42aab489/belfry/coordclient"
)

var (
	_ coordclient.Session = (*Client)(nil)
	_ coordclient.Members = (*Client)(nil)
	_ coordclient.Caller  = (*Client)(nil)
	_ coordclient.KV      = (*Client)(nil)
	_ coordclient.Reader  = (*Client)(nil)

	_ coordclient.Replicated = (*Client)(nil)
)

const (
	// maxInFlight bounds the requests of one session that are not answered.
	maxInFlight = 1024
	// maxRequest bounds one request on the wire; ZooKeeper closes the
	// connection over one of 1 MiB (jute.maxbuffer).
	maxRequest = 1000 << 10
	// maxAnswer bounds what is read for one answer: a list of names.
	maxAnswer = 16 << 20
)

// Client is one session with an ensemble: of a companion, or of a Member. A
// lost one is dead for good; dial again. Safe for concurrent use.
type Client struct {
	o       Options
	paths   paths
	acl     []zk.ACL
	log     *slog.Logger
	id      coordclient.MemberID // "" for a companion
	conn    *zk.Conn
	hosts   *hosts
	health  *health
	line    *line
	watches *watches
	dirs    dirs
	slots   chan struct{} // one for each request not answered
	kick    chan struct{} // a beat is wanted now
	ended   chan struct{} // closed when the library's goroutines have ended

	mu      sync.Mutex // guards closed
	closed  bool
	running sync.WaitGroup
}

// Dial opens a session without joining the group, as the companion does. It
// waits for the session until ctx ends, or for the session's time-out. Errors:
// of the options; ErrUnavailable, with it ErrUnauthorised, ErrNoRoot or a
// *NoSessionError; that the root can be read by everybody although credentials
// are given.
func Dial(ctx context.Context, o Options) (*Client, error) {
	o, err := o.withDefaults(false)
	if err != nil {
		return nil, fmt.Errorf("ZooKeeper: %w", err)
	}
	c, err := open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("ZooKeeper: %w", err)
	}
	sent := time.Now()
	if err := c.Sync(ctx, "/"); err != nil {
		return nil, errors.Join(fmt.Errorf("ZooKeeper: %w", err), c.Close())
	}
	c.health.acked(sent, time.Now())
	c.running.Go(func() { c.beats(proveEvery, c.prove) }) // ends with the session
	return c, nil
}

// open makes a session and what everybody needs below the root.
func open(ctx context.Context, o Options) (*Client, error) {
	c, err := connect(o)
	if err != nil {
		return nil, err
	}
	if err := c.establish(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// connect begins a session.
func connect(o Options) (*Client, error) {
	now := time.Now()
	p := paths{o.Root}
	c := &Client{
		o: o, paths: p, acl: o.acl(), log: o.Logger,
		health:  newHealth(o.SessionTimeout, now),
		watches: newWatches(p.members()),
		slots:   make(chan struct{}, maxInFlight),
		kick:    make(chan struct{}, 1),
		ended:   make(chan struct{}),
	}
	c.line = &line{tls: o.TLS, health: c.health}
	c.health.onLost = c.sever
	c.hosts = newHosts(o.Servers, c.health.lost)
	c.line.fault = c.hosts.fault
	conn, events, err := zk.Connect(o.Servers, o.SessionTimeout,
		zk.WithDialer(c.line.dial), zk.WithHostProvider(c.hosts), zk.WithEventCallback(c.event),
		zk.WithLogger(libraryLog{c.log}), zk.WithLogInfo(false), zk.WithMaxBufferSize(maxAnswer))
	if err != nil {
		return nil, err
	}
	c.conn = conn
	// These end with the session, the first when the library's goroutines have.
	c.running.Go(func() {
		defer close(c.ended)
		for range events { // all have come through the callback
		}
	})
	c.running.Go(c.clock)
	c.running.Go(func() {
		<-c.health.lost
		c.lost()
	})
	return c, nil
}

// establish waits for the session and prepares the root.
func (c *Client) establish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.o.SessionTimeout)
	defer cancel()
	if err := c.wait(ctx); err != nil {
		return err
	}
	if c.o.Digest != (Digest{}) {
		auth := []byte(c.o.Digest.User + ":" + c.o.Digest.Password)
		if _, err := ask(ctx, c, func() (struct{}, error) { return struct{}{}, c.conn.AddAuth("digest", auth) }); err != nil {
			return fmt.Errorf("credentials: %w", readError(err))
		}
	}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	return c.checkPrivate(ctx)
}

// prepare makes the root and the directories below it, and looks whether they
// may be read.
func (c *Client) prepare(ctx context.Context) error {
	if c.o.Existing && c.id == "" {
		if _, err := c.children(ctx, c.paths.keys()); errors.Is(err, zk.ErrNoNode) {
			return fmt.Errorf("%w: %w: no %s", coordclient.ErrUnavailable, coordclient.ErrNoRoot, c.paths.root)
		} else if err != nil {
			return fmt.Errorf("list %s: %w", c.paths.keys(), readError(err))
		}
		return nil
	}
	for _, path := range c.paths.top() {
		if err := c.ensure(ctx, path); err != nil {
			return err
		}
	}
	if _, err := c.children(ctx, c.paths.keys()); err != nil {
		return fmt.Errorf("list %s: %w", c.paths.keys(), readError(err))
	}
	return nil
}

// event is the library's callback: it must not block, nor call the library.
func (c *Client) event(e zk.Event) {
	if e.Type != zk.EventSession {
		c.watches.wake(e.Path)
		return
	}
	switch e.State {
	case zk.StateHasSession:
		c.health.connect(time.Now())
		c.beatNow()
	case zk.StateDisconnected:
		c.health.disconnect(time.Now(), errCut)
	case zk.StateExpired:
		c.health.end(errExpired)
	case zk.StateAuthFailed:
		c.health.end(errAuth)
	}
}

// clock makes the session's own clock go.
func (c *Client) clock() {
	for {
		timer := time.NewTimer(tickEvery(c.health.t()))
		select {
		case <-timer.C:
			_ = c.usable() // for which it looks at the time
		case <-c.health.lost:
			timer.Stop()
			return
		}
	}
}

// sever is called the moment that the session is Lost. Unless it was closed in
// order, which the servers are still told, nothing more is sent.
func (c *Client) sever(cause error) {
	if !errors.Is(cause, errClosed) {
		c.line.seal()
		c.log.Warn("the session with ZooKeeper is lost", "member", c.id, "cause", cause)
	}
}

// lost ends what the session was, and returns when the library has ended.
func (c *Client) lost() {
	c.watches.end()
	c.conn.Close()
	c.line.seal()
	<-c.ended
}

// Close ends the session: a member leaves at once. It may take some seconds
// where servers do not answer. Nil; callable again.
func (c *Client) Close() error {
	c.health.end(errClosed)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
	return nil
}

// background runs what the session may do for a while yet, unless it is closed.
func (c *Client) background(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Go(f)
	}
}

// State is what the session is worth now; see coordclient.Session.
func (c *Client) State() (coordclient.State, <-chan struct{}) {
	state, changed, _ := c.health.look(time.Now())
	return state, changed
}

// Done closes when the session is Lost.
func (c *Client) Done() <-chan struct{} { return c.health.lost }

// Err says why the session is not Healthy; nil if it is.
func (c *Client) Err() error {
	_, _, cause := c.health.look(time.Now())
	return cause
}

// SessionTimeout is T as the server granted it.
func (c *Client) SessionTimeout() time.Duration { return c.health.t() }

func (c *Client) usable() error { return c.health.usable(time.Now()) }

// ask makes one request and waits for its answer or for ctx. Errors: those of
// the library; ErrUnavailable if it was not sent; errUnanswered if ctx ended
// first, and it may come to the server yet.
func ask[R any](ctx context.Context, c *Client, request func() (R, error)) (R, error) {
	var none R
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %d requests wait for ZooKeeper: %w", coordclient.ErrUnavailable, maxInFlight, ctx.Err())
	case <-c.health.lost:
		return none, c.usable()
	}
	if err := c.usable(); err != nil {
		<-c.slots
		return none, err
	}
	type answer struct {
		is  R
		err error
	}
	answered := make(chan answer, 1)
	// Ends when the library answers, which it does when the session is over at
	// the latest.
	go func() {
		is, err := request()
		<-c.slots
		answered <- answer{is, err}
	}()
	select {
	case a := <-answered:
		if errors.Is(a.err, zk.ErrSessionMoved) {
			c.health.end(errMoved)
		}
		return a.is, a.err
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %w", errUnanswered, ctx.Err())
	}
}

// libraryLog takes what the library logs, which is of use to its developers.
type libraryLog struct{ log *slog.Logger }

func (l libraryLog) Printf(format string, args ...any) {
	l.log.Debug("ZooKeeper client", "message", fmt.Sprintf(format, args...))
}
