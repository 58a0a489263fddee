package coordtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/coordclient"
)

// The names of the operations that Faulty can break.
const (
	OpGet         = "get"
	OpList        = "list"
	OpSync        = "sync"
	OpCommit      = "commit"
	OpMembers     = "members"
	OpSendReceive = "send"
	OpBroadcast   = "broadcast"
)

// Port is what a session offers to member and companion alike.
type Port interface {
	coordclient.Session
	coordclient.Members
	coordclient.Caller
	coordclient.KV
}

// Joined is what a member's session offers besides.
type Joined interface {
	Port
	coordclient.Handler
	coordclient.Elector
	ID() coordclient.MemberID
	Publish(ctx context.Context, value []byte) error
}

// ErrInjected is in the chain of every error that a Faulty made.
var ErrInjected = errors.New("injected fault")

// Call is one call about to be made.
type Call struct {
	Op  string // OpGet ...
	N   int    // which call of this operation it is, from 1
	Key string // of a get, list or sync; the verb of a send or broadcast
	Ops []coordclient.Op
}

// Fault is what happens to one call. The zero value: nothing.
type Fault struct {
	// Delay before the call, for which ctx is waited on too: if it ends, the
	// call is not made.
	Delay time.Duration
	// Drop answers without making the call, with ErrUnavailable, or with
	// ErrUnknownOutcome if LoseReply is set too.
	Drop bool
	// LoseReply makes the call and answers with ErrUnknownOutcome (for reads:
	// ErrUnavailable).
	LoseReply bool
	// Late answers at once as LoseReply does, and makes the call after this
	// time: the message that lay somewhere while its sender moved on.
	Late time.Duration
	// Hold delays the answer of a call that was made.
	Hold time.Duration
}

// Faulty puts faults between a session and its user. Safe for concurrent use.
type Faulty struct {
	Joined
	late sync.WaitGroup

	mu    sync.Mutex // guards what follows
	plan  func(Call) Fault
	calls map[string]int
}

// NewFaulty wraps a session. Without a plan nothing happens to its calls.
func NewFaulty(session Joined) *Faulty {
	return &Faulty{Joined: session, calls: make(map[string]int)}
}

// Plan decides the fault of each call from now on; nil: none. It is called one
// at a time, so that it may count, and draw from a seeded source.
func (f *Faulty) Plan(plan func(Call) Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = plan
}

// FailNth plans one fault: for the nth call, from now on, of the operation.
func (f *Faulty) FailNth(op string, n int, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n += f.calls[op]
	f.plan = func(c Call) Fault {
		if c.Op == op && c.N == n {
			return fault
		}
		return Fault{}
	}
}

// Calls is how many calls of the operation there were.
func (f *Faulty) Calls(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[op]
}

// Wait returns when every late call has been made.
func (f *Faulty) Wait() { f.late.Wait() }

func (f *Faulty) next(c Call) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[c.Op]++
	c.N = f.calls[c.Op]
	if f.plan == nil {
		return Fault{}
	}
	return f.plan(c)
}

// do makes the call as its fault has it.
func (f *Faulty) do(ctx context.Context, c Call, call func(context.Context) error) error {
	fault := f.next(c)
	lost := coordclient.ErrUnknownOutcome
	if c.Op != OpCommit && c.Op != OpSendReceive {
		lost = coordclient.ErrUnavailable
	}
	if err := sleep(ctx, fault.Delay); err != nil {
		return fmt.Errorf("%s: %w: %w", c.Op, coordclient.ErrUnavailable, err)
	}
	switch {
	case fault.Late > 0:
		late := context.WithoutCancel(ctx)
		// Ends when the late call was made.
		f.late.Go(func() {
			_ = sleep(late, fault.Late)
			_ = call(late)
		})
		return fmt.Errorf("%s: %w: %w", c.Op, lost, ErrInjected)
	case fault.Drop && fault.LoseReply:
		return fmt.Errorf("%s: %w: %w", c.Op, lost, ErrInjected)
	case fault.Drop:
		return fmt.Errorf("%s: %w: %w", c.Op, coordclient.ErrUnavailable, ErrInjected)
	}
	err := call(ctx)
	if herr := sleep(ctx, fault.Hold); herr != nil {
		return fmt.Errorf("%s: %w: %w", c.Op, lost, herr)
	}
	if fault.LoseReply {
		return fmt.Errorf("%s: %w: %w", c.Op, lost, ErrInjected)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get reads an entry, faults permitting. Here as below, a late call writes what
// nobody reads: the results are not its own.
func (f *Faulty) Get(ctx context.Context, key string) (coordclient.Entry, <-chan struct{}, error) {
	var e coordclient.Entry
	var watch <-chan struct{}
	err := f.do(ctx, Call{Op: OpGet, Key: key}, func(ctx context.Context) (err error) {
		e, watch, err = f.Joined.Get(ctx, key)
		return err
	})
	if err != nil {
		return coordclient.Entry{}, nil, err
	}
	return e, watch, nil
}

// List names the children, faults permitting.
func (f *Faulty) List(ctx context.Context, prefix string) ([]string, error) {
	var names []string
	err := f.do(ctx, Call{Op: OpList, Key: prefix}, func(ctx context.Context) (err error) {
		names, err = f.Joined.List(ctx, prefix)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Sync catches up, faults permitting.
func (f *Faulty) Sync(ctx context.Context, key string) error {
	return f.do(ctx, Call{Op: OpSync, Key: key}, func(ctx context.Context) error { return f.Joined.Sync(ctx, key) })
}

// Commit commits, faults permitting.
func (f *Faulty) Commit(ctx context.Context, ops ...coordclient.Op) error {
	return f.do(ctx, Call{Op: OpCommit, Ops: ops}, func(ctx context.Context) error { return f.Joined.Commit(ctx, ops...) })
}

// Members lists the group, faults permitting.
func (f *Faulty) Members(ctx context.Context) ([]coordclient.Member, <-chan struct{}, error) {
	var list []coordclient.Member
	var watch <-chan struct{}
	err := f.do(ctx, Call{Op: OpMembers}, func(ctx context.Context) (err error) {
		list, watch, err = f.Joined.Members(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return list, watch, nil
}

// SendReceive asks a member, faults permitting.
func (f *Faulty) SendReceive(ctx context.Context, to coordclient.MemberID, verb string, request []byte) ([]byte, error) {
	var answer []byte
	err := f.do(ctx, Call{Op: OpSendReceive, Key: verb}, func(ctx context.Context) (err error) {
		answer, err = f.Joined.SendReceive(ctx, to, verb, request)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// Broadcast tells every member, faults permitting.
func (f *Faulty) Broadcast(ctx context.Context, verb string, message []byte) error {
	return f.do(ctx, Call{Op: OpBroadcast, Key: verb}, func(ctx context.Context) error { return f.Joined.Broadcast(ctx, verb, message) })
}
