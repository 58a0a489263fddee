package plugin

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed42aab489/belfry/coordclient"
)

// Link is the coordination store through whatever membership there is now. It
// outlives memberships: while there is none, it is Suspended, and every call is
// coordclient.ErrUnavailable. Safe for concurrent use.
type Link struct {
	mu      sync.Mutex
	port    Port          // guarded by mu; nil while there is no membership
	changed chan struct{} // guarded by mu; closes when port changes
}

func newLink() *Link { return &Link{changed: make(chan struct{})} }

func (l *Link) set(p Port) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.port = p
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Link) get() (Port, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.port == nil {
		return nil, fmt.Errorf("%w: this host is not a member at the moment", coordclient.ErrUnavailable)
	}
	return l.port, nil
}

// State is that of the present session.
func (l *Link) State() (coordclient.State, <-chan struct{}) {
	l.mu.Lock()
	port, changed := l.port, l.changed
	l.mu.Unlock()
	if port == nil {
		return coordclient.Suspended, changed
	}
	state, moved := port.State()
	if state == coordclient.Lost {
		// The session is over, the link is not: what comes next is another session.
		return coordclient.Suspended, changed
	}
	return state, moved
}

// Members lists the group.
func (l *Link) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	p, err := l.get()
	if err != nil {
		return nil, nil, err
	}
	return p.Members(ctx)
}

// SendReceive asks a member.
func (l *Link) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	p, err := l.get()
	if err != nil {
		return nil, err
	}
	return p.SendReceive(ctx, to, verb, request)
}

// Broadcast tells every member.
func (l *Link) Broadcast(ctx context.Context, verb string, message []byte) error {
	p, err := l.get()
	if err != nil {
		return err
	}
	return p.Broadcast(ctx, verb, message)
}

// Get reads an entry.
func (l *Link) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	p, err := l.get()
	if err != nil {
		return coordclient.Entry{}, nil, err
	}
	return p.Get(ctx, key)
}

// List names the children of a prefix.
func (l *Link) List(ctx context.Context, prefix string) ([]string, error) {
	p, err := l.get()
	if err != nil {
		return nil, err
	}
	return p.List(ctx, prefix)
}

// Sync makes what is read next not older than now.
func (l *Link) Sync(ctx context.Context, key string) error {
	p, err := l.get()
	if err != nil {
		return err
	}
	return p.Sync(ctx, key)
}

// Commit does all operations or none. A commit bound to a membership that is
// over fails as it would in that session.
func (l *Link) Commit(ctx context.Context, ops ...coordclient.Op) error {
	p, err := l.get()
	if err != nil {
		return err
	}
	return p.Commit(ctx, ops...)
}
