// Package socket is the coordination port of a running host, served on a unix
// socket and dialled by the companion, which so needs no store of its own.
//
// Whoever dials joins nothing: it is no member, handles no verbs, leads no
// role, and a commit that it binds to a membership fails with ErrNotMember.
//
// # Protocol
//
// The dialler sends a hello of 8 bytes ("BELFRY", then the protocol's version
// as two bytes, big-endian), the host answers with its own, and each hangs up
// on another version. What follows is frames in both directions:
//
//	length of payload (4 bytes) | stream (4) | kind (1) | payload
//
// A message longer than one frame's payload is sent as several frames of its
// stream, all but the last with the more bit of their kind set; frames of
// different streams mix. The dialler numbers its requests; the reply has the
// request's stream.
//
//	request  → operation, arguments
//	cancel   → the context of this request has ended
//	reply    ← outcome, results; of get and members also the number of a watch
//	changed  ← stream: the watch has closed
//	state    ← stream: the state of the host's own session
//
// A reply that mentions a watch is complete before the watch is said to have
// closed, because both are put on the wire under one lock.
//
// # States
//
// A dialled session is Healthy while it is connected to a host whose own
// session is; otherwise it is Suspended, fails its calls with ErrUnavailable,
// and dials again with backoff. Calls under way when the connection breaks get
// ErrUnknownOutcome if they could have changed something, and all watches
// close. It is Lost only by Close.
package socket
