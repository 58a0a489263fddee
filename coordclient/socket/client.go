package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

var (
	_ Port                = (*Client)(nil)
	_ coordclient.Session = (*Client)(nil)
)

// Bounds of a client.
const (
	// maxAsking bounds the requests under way; the next ones wait.
	maxAsking = 256
	// The wait before dialling again grows from the one to the other.
	redialFirst = 50 * time.Millisecond
	redialMost  = 2 * time.Second
)

var (
	errClosed = errors.New("the connection was closed by this side")
	errGone   = errors.New("the connection to the host broke")
	errHost   = errors.New("the host has lost its own session")
)

// DialOptions are for Dial. The zero value is usable.
type DialOptions struct {
	// Logger for connections lost and found again. Nil: nothing is logged.
	Logger *slog.Logger
}

// Client is a companion's session with a host. Safe for concurrent use.
type Client struct {
	path   string
	log    *slog.Logger
	asking chan struct{}
	end    context.CancelCauseFunc
	run    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	link    *link      // nil while not connected
	cause   error      // why the state is not Healthy
	state   coordclient.State
	changed chan struct{}
}

// Dial connects to the host that serves the socket. Error: ErrUnavailable if
// none does, with the next step in its text. When the connection breaks later,
// the client dials again by itself, until Close.
func Dial(ctx context.Context, path string, o DialOptions) (*Client, error) {
	conn, err := connect(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &Client{
		path:    path,
		log:     o.Logger,
		asking:  make(chan struct{}, maxAsking),
		changed: make(chan struct{}),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	alive, end := context.WithCancelCause(context.WithoutCancel(ctx))
	c.end = end
	first := newLink(conn)
	told := make(chan struct{})
	c.run.Go(func() { c.keep(alive, first, told) }) // ends with Close
	select {
	case <-told: // the host has said that it is healthy, or hung up
		return c, nil
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("dial: host at %s: %w: %w", path, coordclient.ErrUnavailable, ctx.Err()), c.Close())
	}
}

// State is Healthy while connected to a host that is Healthy itself.
func (c *Client) State() (coordclient.State, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.changed
}

// Close ends the session: it is Lost, its watches close, and calls under way
// end as they do when the connection breaks.
func (c *Client) Close() error {
	c.end(errClosed)
	c.run.Wait()
	return nil
}

// keep holds the connection and makes new ones until the client is closed.
// told closes when the first has told its state or broken.
func (c *Client) keep(alive context.Context, l *link, told chan struct{}) {
	once := sync.OnceFunc(func() { close(told) })
	wait := redialFirst
	for {
		err := c.serve(alive, l, func() {
			wait = redialFirst
			once()
		})
		once()
		if alive.Err() != nil {
			c.turn(coordclient.Lost, nil, errClosed)
			return
		}
		c.log.Warn("connection to the host lost, dialling again", "path", c.path, "err", err)
		if l = c.redial(alive, &wait); l == nil {
			c.turn(coordclient.Lost, nil, errClosed)
			return
		}
		c.log.Info("connected to the host again", "path", c.path)
	}
}

// redial gives the next connection, or nil when the client is closed.
func (c *Client) redial(alive context.Context, wait *time.Duration) *link {
	for {
		pause(alive, *wait)
		*wait = min(2**wait, redialMost)
		conn, err := connect(alive, c.path)
		if alive.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err == nil {
			return newLink(conn)
		}
		c.turn(coordclient.Suspended, nil, err)
	}
}

// serve receives until the connection breaks.
func (c *Client) serve(alive context.Context, l *link, told func()) error {
	stop := context.AfterFunc(alive, func() { _ = l.conn.Close() })
	defer stop()
	err := l.listen(func(state coordclient.State) {
		switch state {
		case coordclient.Healthy:
			c.turn(coordclient.Healthy, l, nil)
		default:
			c.turn(coordclient.Suspended, nil, fmt.Errorf("host at %s: %w", c.path, errHost))
		}
		told()
	})
	state := coordclient.Suspended
	cause := fmt.Errorf("host at %s: %w", c.path, errGone)
	if alive.Err() != nil {
		state, cause = coordclient.Lost, errClosed
	}
	c.turn(state, nil, cause)
	l.breakOff(cause)
	return err
}

// turn sets the state. It is Healthy with a link, and else not.
func (c *Client) turn(state coordclient.State, l *link, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.state
	c.state, c.link, c.cause = state, l, cause
	if state != was {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// ask sends a request and waits for its reply, or for ctx.
func (c *Client) ask(ctx context.Context, req request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, fmt.Errorf("%w: %w", coordclient.ErrUnavailable, err)
	}
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return answer{}, fmt.Errorf("%w: %d requests are under way: %w", coordclient.ErrUnavailable, maxAsking, ctx.Err())
	}
	c.mu.Lock()
	l, cause := c.link, c.cause
	c.mu.Unlock()
	if l == nil {
		if cause == nil {
			cause = errGone
		}
		return answer{}, unavailable(cause)
	}
	a, err := l.ask(ctx, req)
	if err == nil {
		err = a.err
	}
	return a, err
}

// unavailable wraps a cause that may be ErrUnavailable already.
func unavailable(cause error) error {
	if errors.Is(cause, coordclient.ErrUnavailable) {
		return cause
	}
	return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, cause)
}
