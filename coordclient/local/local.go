package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/tree"
	"github.com/seed42aab489/belfry/coordclient/internal/verbs"
)

var (
	_ coordclient.Session = (*Local)(nil)
	_ coordclient.Members = (*Local)(nil)
	_ coordclient.Caller  = (*Local)(nil)
	_ coordclient.Handler = (*Local)(nil)
	_ coordclient.Elector = (*Local)(nil)
	_ coordclient.KV      = (*Local)(nil)
)

var (
	errClosed = errors.New("the store is closed")
	errBroken = errors.New("an earlier write may have been lost; restart to read what is on disk")
)

// Options say where the store is and whose member it is.
type Options struct {
	// Path of the database file. Its directory is made if missing. Required.
	Path string
	// Node is the member's name, which survives restarts. Required; without a
	// slash.
	Node string
	// Value is what the member publishes of itself at first; see Publish.
	Value []byte
	// Logger for what no caller is told. Nil: nothing is logged.
	Logger *slog.Logger
	// Now is the store's clock, by which entries are dated. Nil: time.Now.
	Now func() time.Time
}

// Local is an open store and its one member. Safe for concurrent use.
type Local struct {
	id    coordclient.MemberID
	now   func() time.Time
	log   *slog.Logger
	lock  *lockFile
	disk  *disk
	verbs *verbs.Table
	roles roles

	intake  intake
	writing sync.WaitGroup

	mu      sync.RWMutex // guards what follows
	tree    *tree.Tree[int64]
	value   []byte
	joined  time.Time
	members chan struct{} // closes when value changes, or with changed
	state   coordclient.State
	changed chan struct{} // closes when state changes
	cause   error         // why the state is Lost
}

// Open opens the store, or makes it, and joins as a new member. It fails if
// another process has it open, if the file is damaged, not a store, or of a
// newer format, and if it cannot be written; then nothing was changed.
func Open(ctx context.Context, o Options) (*Local, error) {
	if o.Path == "" {
		return nil, errors.New("open store: no path")
	}
	if o.Node == "" || strings.ContainsAny(o.Node, "/\x00") {
		return nil, fmt.Errorf("open store %s: node name %q: want a name without a slash", o.Path, o.Node)
	}
	l := &Local{
		now:     o.Now,
		log:     o.Logger,
		verbs:   verbs.New(),
		tree:    tree.New[int64](),
		value:   append([]byte(nil), o.Value...),
		members: make(chan struct{}),
		changed: make(chan struct{}),
		state:   coordclient.Healthy,
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.id = newMember(o.Node)
	l.joined = l.now().Truncate(time.Millisecond)
	if err := l.open(ctx, o); err != nil {
		return nil, fmt.Errorf("open store %s: %w", o.Path, err)
	}
	l.intake.init()
	// Ends when Close closes the intake.
	l.writing.Go(l.write)
	return l, nil
}

func (l *Local) open(ctx context.Context, o Options) (err error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
		return fmt.Errorf("make its directory: %w", err)
	}
	if l.lock, err = takeLock(o.Path+".lock", o.Node, l.now()); err != nil {
		return err
	}
	if l.disk, err = openDisk(ctx, o.Path); err != nil {
		return errors.Join(err, l.lock.release())
	}
	if err := l.disk.load(ctx, l.tree); err != nil {
		return errors.Join(err, l.disk.close(), l.lock.release())
	}
	return nil
}

// newMember gives the node a new incarnation.
func newMember(node string) coordclient.MemberID {
	var incarnation [16]byte
	_, _ = rand.Read(incarnation[:]) // documented never to fail
	return coordclient.MemberID(node + "." + hex.EncodeToString(incarnation[:]))
}

// ID is the member's id, new with each Open.
func (l *Local) ID() coordclient.MemberID { return l.id }

// State is Healthy from Open to Close, unless a write is in doubt: then the
// session is Lost.
func (l *Local) State() (coordclient.State, <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.state, l.changed
}

// Close answers the commits accepted, ends handlers and leaderships, and gives
// the store free for the next process. Nil after the first call.
func (l *Local) Close() error {
	if !l.intake.close() {
		return nil
	}
	l.writing.Wait()
	l.lose(errClosed)
	l.verbs.Close()
	err := errors.Join(l.disk.close(), l.lock.release())
	if err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// lose ends the session for good.
func (l *Local) lose(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == coordclient.Lost {
		return
	}
	l.state, l.cause = coordclient.Lost, cause
	close(l.changed)
	l.changed = make(chan struct{}) // never closes: nothing changes any more
	close(l.members)
	l.tree.WakeAll()
}

// usable is nil while the session is Healthy. Needs mu.
func (l *Local) usable() error {
	if l.state == coordclient.Lost {
		return fmt.Errorf("%w: %w", coordclient.ErrUnavailable, l.cause)
	}
	return nil
}
