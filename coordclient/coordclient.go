package coordclient

import (
	"context"
	"strings"
	"time"
)

// Limits that every implementation holds.
const (
	// MaxValue is the largest value of one entry in bytes.
	MaxValue = 512 << 10
	// MaxCommit is the largest sum of keys and values of one commit in bytes.
	MaxCommit = 512 << 10
	// MaxOps is the largest number of operations of one commit.
	MaxOps = 1024
	// MaxMessage is the largest request or reply of SendReceive, and the
	// largest message of Broadcast, in bytes.
	MaxMessage = 4 << 20
)

// State is what a session is worth at this moment.
type State uint8

// The states of a session.
const (
	// Suspended: the connection is gone or in doubt; claim nothing.
	Suspended State = iota
	// Healthy: connected, and a write was acknowledged in this session.
	Healthy
	// Lost: the session is over for good; what it owned is no longer owned.
	Lost
)

// String names the state.
func (s State) String() string {
	switch s {
	case Healthy:
		return "healthy"
	case Lost:
		return "lost"
	default:
		return "suspended"
	}
}

// Session tells what the connection is worth.
type Session interface {
	// State gives the present state and a channel that closes when it changes.
	State() (State, <-chan struct{})
}

// MemberID is "<node>.<incarnation>". The incarnation is 128 random bits in
// hexadecimal, new for every session.
type MemberID string

// Node is the node's name, which survives its incarnations.
func (m MemberID) Node() string {
	if i := strings.LastIndexByte(string(m), '.'); i >= 0 {
		return string(m)[:i]
	}
	return string(m)
}

// Member is a host in the group.
type Member struct {
	ID     MemberID
	Joined time.Time
	// Value is what the member publishes of itself (JSON), opaque here.
	Value []byte
}

// Members lists the group (WSO2: Group.getMemberIds).
type Members interface {
	// Members lists the group, oldest first, and gives a channel that closes
	// when it may have changed. Error: ErrUnavailable.
	Members(ctx context.Context) ([]Member, <-chan struct{}, error)
}

// Caller talks to members (WSO2: Group.sendReceive, Group.broadcast).
type Caller interface {
	// SendReceive asks a member and waits for its answer or for ctx. Errors:
	// ErrNotFound (no such member), ErrNoSuchVerb, ErrTooLarge, ErrUnavailable,
	// ErrUnknownOutcome, a *RemoteError from the handler.
	SendReceive(ctx context.Context, to MemberID, verb string, request []byte) ([]byte, error)
	// Broadcast tells every member, the sender too, without waiting for what
	// they make of it. Errors: ErrTooLarge, ErrUnavailable.
	Broadcast(ctx context.Context, verb string, message []byte) error
}

// Handler is a member's side of Caller.
type Handler interface {
	// Handle installs f for a verb, replacing an earlier one; nil removes it. f
	// runs in a goroutine of its own and ends with ctx. At most MaxHandlers run
	// at once.
	Handle(verb string, f HandlerFunc)
}

// HandlerFunc answers one request. Its error reaches the caller as a
// *RemoteError; a broadcast's answer is dropped.
type HandlerFunc func(ctx context.Context, request []byte) ([]byte, error)

// MaxHandlers bounds the handlers that run at once in one member.
const MaxHandlers = 64

// Term is one leadership. It grows with each.
type Term int64

// Elector makes leaders.
type Elector interface {
	// Lead runs f each time that this member leads the role, until ctx ends. The
	// context of f ends when the session is no longer Healthy, not later. Lead
	// returns f's first error, or ctx's.
	Lead(ctx context.Context, role string, f func(ctx context.Context, term Term) error) error
}

// Entry is a key's value.
type Entry struct {
	Key      string
	Value    []byte
	Version  int64
	Modified time.Time // by the store's clock, to the millisecond
}

// Rollover tells how far a store is from numbering its writes anew, which it
// does with a pause. The zero value: nothing is known.
type Rollover struct {
	Used   float64 // the part of the numbers that is used, 0 to 1
	PerDay float64 // writes, of late; 0: not known
	Days   float64 // until it comes, at that pace; 0: not known
}

// Reader is a KV that can also read an entry without watching it, which leaves
// nothing behind at the store's server. Errors as of KV.Get.
type Reader interface {
	Read(ctx context.Context, key string) (Entry, error)
}

// Replicated is a session that one of several servers answers. Leave lets another
// one answer it: what this one gave does not add up. It returns at once; the
// session goes on. Where there is one server it does nothing of use.
type Replicated interface {
	Leave(why string)
}

// KV is a small transactional store. Safe for concurrent use.
type KV interface {
	// Get reads an entry, and gives a channel that closes when it may have
	// changed or gone. Errors: ErrNotFound (then without a channel),
	// ErrUnavailable.
	Get(ctx context.Context, key string) (Entry, <-chan struct{}, error)
	// List names the direct children of prefix, sorted; none is no error.
	// Error: ErrUnavailable.
	List(ctx context.Context, prefix string) ([]string, error)
	// Sync: what this session reads next at or below key is not older than now.
	// Error: ErrUnavailable.
	Sync(ctx context.Context, key string) error
	// Commit does all operations or none, durably. Errors: *CommitError,
	// ErrTooLarge, ErrUnavailable, ErrUnknownOutcome.
	Commit(ctx context.Context, ops ...Op) error
}

// OpKind is what an operation does.
type OpKind uint8

// The operations.
const (
	OpCreate OpKind = iota + 1
	OpSet
	OpDelete
	OpCheck
	OpCheckMember
)

// String names the kind.
func (k OpKind) String() string {
	switch k {
	case OpCreate:
		return "create"
	case OpSet:
		return "set"
	case OpDelete:
		return "delete"
	case OpCheck:
		return "check"
	case OpCheckMember:
		return "check member"
	default:
		return "operation"
	}
}

// Op is one operation of a commit. Make it with Create, Set, Delete, Check or
// CheckMember.
type Op struct {
	Kind    OpKind
	Key     string
	Value   []byte
	Version int64
}

// AnyVersion makes a Delete indifferent to the version.
const AnyVersion = -1

// Create makes an entry, with version 0. Fails with ErrExists.
func Create(key string, value []byte) Op { return Op{Kind: OpCreate, Key: key, Value: value} }

// Set replaces a value at the version read; the entry then has version+1.
// Fails with ErrNotFound or ErrConflict.
func Set(key string, value []byte, version int64) Op {
	return Op{Kind: OpSet, Key: key, Value: value, Version: version}
}

// Delete removes an entry at its version, or at AnyVersion. Its children stay,
// except in ZooKeeper, which refuses: delete them first. Fails with
// ErrNotFound or ErrConflict.
func Delete(key string, version int64) Op { return Op{Kind: OpDelete, Key: key, Version: version} }

// Check fails the commit with ErrNotFound or ErrConflict unless key has the version.
func Check(key string, version int64) Op { return Op{Kind: OpCheck, Key: key, Version: version} }

// CheckMember fails the commit with ErrNotMember unless the member id is in the
// group, and its session is the one that commits.
func CheckMember(id MemberID) Op { return Op{Kind: OpCheckMember, Key: string(id)} }
