// Package engine owns buckets: what is due in them is claimed, invoked and
// settled. It keeps the promise that package bucket states, by the protocol
// below. What it needs of the world are small ports: Log and Watcher (package
// store), Invoker, Targets, Announcer, Session.
//
// # Owning a bucket
//
// Acquire makes this member the owner, with a new epoch, then reads page, log
// and definitions and replays them. Definitions may come of a copy that the leader
// keeps (package store, Rolls): what was edited since it was made is read afresh,
// and what is edited meanwhile moves F. The data version of the bucket's node at
// that moment is the fence F. Every write checks the membership, which binds it
// to the session, and F. One goroutine owns a bucket's state, and at most one
// request of it to the store is on its way: a claim, an edit and a hand-over
// never race inside the process.
//
// Safety never rests on clocks or leases, only on versions that the store
// checks. Clocks decide when, never how often. The wall clock is read again at
// least once a second while anything is armed, so one that is set is followed.
//
// # Claiming
//
// When the next instant comes, the owner takes every firing due for which a
// worker can be reserved, decides skips and deferrals, and commits them with the
// settlements since the last batch as one log entry. What becomes due meanwhile
// rides in the next one; a settlement waits at most 20 ms for company. So the
// cost is a commit per bucket and moment, not per firing.
//
// Where the store takes long to answer, fewer buckets have a batch on its way at
// once, and the others wait for their turn before they send theirs. A session's
// requests are answered in order, and what else it asks must not wait behind
// claims that the store is too busy for: heartbeats, releases, what the leader
// reads. Buckets that are being released wait for no turn.
//
// A claim may start until W = min(T/4, 1 s) after its commit was first sent, by
// the monotonic clock, and only while the session is healthy. One that missed
// that waits for the next committed write under the same F, an empty batch if
// need be, which opens a new W.
//
//	the commit answers                then
//	ok                                hand the claims to their workers
//	exists, with my operation id      an earlier try of mine landed: ok
//	exists, with another one          impossible under the fence: stop the bucket, alarm
//	F moved, still my epoch           an edit. The log entry is there with my operation id: ok.
//	                                  It is absent: it never can be, since F moved; take the
//	                                  new F and the edits, decide afresh at the same number
//	no member, another owner          fenced: start nothing more, leave
//	a request is gone                 taken or cancelled: drop it, decide afresh
//	no answer                         commit the identical batch again; in a new session: fenced
//
// After 200 batches, or 30 s, the log is folded into the page, by a commit like
// any other.
//
// # Edits
//
// An edit is one commit of the definition (of several, if tasks are created
// together) and of the bucket's node, so it moves F: the batch on its way fails at
// the check, and the edit holds from its acknowledgement on, also against a frozen
// owner. The watch on the node, and a comparison about once a minute in case a
// watch stayed silent, only make its owner hear of it sooner. Requests for a run by hand and for a cancellation are
// edits of the node too; each is deleted by the commit that answers it.
//
// An edit of a calendar is an edit of all tasks that name it: a bucket with such
// tasks checks the version of the calendars in each commit, beside F, and F moved
// when that did. Its owner watches both.
//
// # Runs
//
// Every attempt after the first commits a RECLAIM before it starts. A run has
// its task's time-out; one that panics has FAILED. If nothing is deployed behind
// the operation, that is a failed attempt that reached nothing, and is retried;
// one whose address the host's own rules refuse reached nothing either, and is
// final: no time changes a rule.
// Task alerts (failed, late, missed, silent) become messages in the very commit
// of the record that made them true. Messages of event triggers are none of the
// engine's business: the Invoker has them accepted into the outbox, each under
// an id of its own, before it returns.
//
// A run that is WAITING for a reply is over for the engine: its worker is free,
// and nothing of it holds up a release. Its reply, and its deadline, are decided
// like any other thing that is due.
//
// # Leaving
//
// Release and Stop claim nothing more, start what is claimed, let runs end, and
// interrupt them shortly before the context's end; what they came to is settled,
// the log folded, the bucket released. Whatever does not fit into that time is
// left as by a crash: the next owner finds it open. A member that is fenced
// leaves at once; its runs go on to their end, but what they came to is for the
// next owner to find out.
//
// # Simulation
//
// TestSimulation runs the engine on package store over a store in memory, in
// fake time, with random tasks, edits, crashes at every step, lost and late
// messages, hand-overs and clocks that are set. A judge that shares no code with
// the packages under test, package firecheck, reads the history, and names the
// promise that it breaks. TestPlantedFaultsAreFound leaves out a rule of the
// protocol at a time and expects to be caught. Hosts and servers that are real
// are judged by the same package, in cmd/e2e.
//
// Package model explores every interleaving of a small cluster instead, to
// exhaustion: change the protocol there too.
package engine
