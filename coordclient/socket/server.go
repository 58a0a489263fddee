package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// Bounds of a server.
const (
	// MaxConns bounds the connections served at once; the next ones are closed.
	MaxConns = 128
	// maxInFlight bounds the requests of one connection that run at once.
	maxInFlight = 512
	// maxRequest bounds one request.
	maxRequest = coordclient.MaxMessage + 64<<10
	// acceptRetry is the wait after a failed accept (no file descriptors left).
	acceptRetry = 100 * time.Millisecond
)

// Port is what a host offers to companions.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Caller
	coordclient.KV
}

// ServeOptions are for Serve. The zero value is usable.
type ServeOptions struct {
	// Logger for connections that broke the protocol. Nil: nothing is logged.
	Logger *slog.Logger
}

// Serve answers companions until ctx ends: then it closes the listener and all
// connections, waits for the calls under way, and returns nil. It returns
// earlier, with an error, if the listener breaks.
func Serve(ctx context.Context, listener net.Listener, port Port, o ServeOptions) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	places := make(chan struct{}, MaxConns)
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("serve %s: %w", listener.Addr(), err)
			}
			o.Logger.Warn("companion not accepted", "err", err)
			pause(ctx, acceptRetry)
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			o.Logger.Warn("companion refused: too many are connected", "limit", MaxConns)
			_ = conn.Close()
			continue
		}
		conns.Go(func() { // ends with the connection
			defer func() { <-places }()
			if err := serveConn(ctx, conn, port); err != nil {
				o.Logger.Warn("companion cut off", "err", err)
			}
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
