// Package coordclient is the port through which Belfry coordinates: a session,
// the members of a group, calls between them, elections, and a small
// transactional key-value store. The words are those of WSO2's coordination
// component (CoordinationService, Group), the semantics those of ZooKeeper
// made explicit.
//
// Implementations, which all pass the contract suite in coordtest:
//
//   - local: embedded, durable, one process (SQLite).
//   - socket: the port of a running host, dialled over its unix socket.
//   - coordtest's Cluster: in memory, any number of members, for simulations.
//
// Which of them a host uses is said in coordination-client-config.xml, which
// LoadConfig reads.
//
// A host joins and is a member; the companion only connects and is none.
//
// # Keys and versions
//
// Keys are absolute slash-separated paths ("/tasks/17/abc"). A key may hold a
// value and have children. Parents need not be created, and do not exist of
// themselves unless something was created there: Get of a mere parent is
// ErrNotFound, List of it names its children. A created entry has version 0;
// each set adds exactly one. So whoever commits a set at version v knows that
// the entry now has v+1.
//
// # Notifications
//
// Watches are level-triggered: a closed channel means "read again". It may be
// closed without a change; changes may be merged. On a change of the session's
// state to Lost, all are closed.
//
// # Errors
//
// Each method documents the sentinel errors it returns, always wrapped. The
// two that a caller must never confuse: ErrUnavailable says that nothing
// happened; ErrUnknownOutcome says that the commit may have happened, so
// commit the same again or read back.
package coordclient
