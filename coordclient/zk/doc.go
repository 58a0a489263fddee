// Package zk is the coordination port over ZooKeeper (3.6 and later): Join makes
// a member, Dial a companion that only looks and commits. It contains the known
// defects of the library github.com/go-zookeeper/zk, which no other package
// imports.
//
// # What is where
//
// Everything is below one root, made if it is missing; ZooKeeper's chroot is not
// used. Names are escaped: what ZooKeeper refuses in a path, '%' and '+' are
// written as %xx for each byte.
//
//	/keys/<a>+/<b>+/<c>     the entry /a/b/c. A directory's name ends in '+', an
//	                        entry's does not: an entry and the directory of the
//	                        same key are two znodes. So a version is the znode's
//	                        own, a mere parent is no entry, and an entry can go
//	                        while its children stay. Directories are made outside
//	                        the commit that needs them and stay when empty; List
//	                        does not show such
//	/members/<id>           ephemeral, made once in the session's life; its value
//	                        is what the member publishes
//	/beats/<id>             ephemeral; the heartbeat, apart from the member's node
//	                        because that is watched by everybody
//	/candidates/<role>/<token>-<seq>   ephemeral, sequential; each watches the one
//	                        before it. The term is the entry /election/<role>, its
//	                        version plus one
//	/calls/<id>/<call>      a request to that member: ephemeral, of its caller; or a
//	                        broadcast, which stays until it is taken
//	/replies/<call>         ephemeral, of the caller; set once, by the callee
//	/pieces/<id>/<call>...  the pieces of large messages, 512 KiB each
//
// What dead members leave in calls and pieces is swept by the living.
//
// # A session and its states
//
// One Client or Member is one session and one incarnation; a lost one is dead for
// good (Done closes), and its owner joins again. T is the time-out that the
// server granted, and times are counted from the sending of a request, by the
// monotonic clock.
//
//	            connected, and a write sent since then
//	              was acknowledged within T/4
//	┌───────────┐ ────────────────────────────────▶ ┌─────────┐
//	│ Suspended │                                   │ Healthy │
//	└───────────┘ ◀──────────────────────────────── └─────────┘
//	      │       disconnected; the process stood        │
//	      │       still for T/4; an answer took T/4;     │
//	      │       no write acknowledged for T/2          │
//	      │                                              │
//	      └──────────────▶  Lost  ◀──────────────────────┘
//	   no write acknowledged for 2/3 T; ZooKeeper says that it
//	   expired or moved; the member's node is gone; Close
//
// A member writes its heartbeat every T/4 and at once on a new connection; a
// companion does a sync instead. State and every request look at the clock
// themselves, so that a process that wakes from a freeze does nothing before it
// knows. The monotonic clock does not count a machine's sleep; a jump of the wall
// clock is taken for a stall.
//
// So a member is Lost before ZooKeeper expires it, if T is at least some ticks.
// But nothing rests on that: every write that needs an owner checks, at the
// server, that the znode of this incarnation is there.
//
// # The library's defects, and what contains them
//
// Each is shown by a test on real servers.
//
//	what waits in its queue when a       the connection's answer to the handshake is
//	session expires is sent in the next  read first: another session than the first is
//	                                     never let through, a lost one never dialled
//	                                     again; nothing is queued while disconnected;
//	                                     CheckMember names the incarnation
//	a server that takes connections and  dial, TLS and handshake have min(T/6, 1 s);
//	says nothing holds it for 6.7 T      servers in random order, those that failed
//	                                     lately last; one mute for T/8 after a
//	                                     heartbeat, or acknowledging nothing for T/4,
//	                                     is left
//	expiry is learnt on reconnecting     our own clock, above
//	the granted time-out is not told     read from the answer to the handshake
//	the event channel holds 6, the rest  its callback, which closes channels and never
//	is dropped                           blocks
//	watches that do not fire are never   one watch at the server for each path, at most
//	removed; ExistsW leaks               16384; never ExistsW; Read sets none
//	no contexts, no time limits          each request may be given up; at most 1024 are
//	                                     unanswered, and all end with the session
//	a lost connection does not tell      ErrUnknownOutcome; ErrUnavailable only if it
//	whether a request was done           was not sent, or refused
//	a request of 1 MiB costs the         limits are checked before sending; the list of
//	connection                           more than 100,000 names is refused
//	names are looked up once, and one    looked up at each dial
//	unknown host fails all
//	Lock leaves its node behind, and     not used: candidates have a token in their
//	CreateProtectedEphemeralSequential   name and are withdrawn until it is certain
//	panics on foreign names
//	a socket leaks with each expiry      closed by the connection's own wrapper
//	a data race on reconnecting with     none: tests that break connections run without
//	watches                              the race detector
//
// # Who may read
//
// With Digest or ACL set, everything is created with an ACL for them alone, and
// Join and Dial look, as a stranger, whether it can be read all the same:
// ErrReadable. An ACL that a root had before is not changed.
//
// # What servers must be
//
// A frozen or cut-off leader is noticed by its followers after syncLimit ticks,
// and then they elect: syncLimit x tickTime of at most T/2 keeps sessions alive
// through it. Reads are those of one server, which may be behind: Sync first, and
// trust versions only.
package zk
