// Package model is an explicit-state model of the protocol that the comments of
// packages bucket and engine describe: every interleaving of a small cluster, with
// crashes, sessions that expire while their process goes on, answers that are
// lost, requests that arrive late, edits, hand-overs and moves between buckets. It
// holds tests alone. Change the protocol only together with a model that stays
// clean.
//
// There are two members, one task (and its re-creation under another uid), two
// scheduled instants, a run asked for by hand, and one or two buckets. A request
// is built, sent, executed by the server and answered in separate steps; a member
// may stop between any two of them for as long as it likes, which is what a frozen
// process or a slow network does.
//
// # What is checked in every state
//
//   - each instant is decided at most once, by whichever bucket;
//   - nothing is claimed that was not due, nor after an acknowledged pause or
//     deletion, nor an instant of a pause, nor by a bucket that has not the task;
//   - at-most-once starts at most once; effectively-once has its effect at most
//     once; nothing starts that was not claimed;
//   - epochs grow, cursors never go back.
//
// And of every state some good end can be reached without further faults: all that
// was due is decided, all that was claimed has ended, effectively-once has had its
// effect, deleted tasks are dealt with, and the task is in a bucket that is served.
//
// Two rules cover for each other under expiry: without the check of the member the
// check of F keeps histories clean that lose a session. That rule is held at the
// store itself, where a late queued write of a lost session must fail (package
// coordclient/zk).
//
// # Time
//
// The model has no clock. That a claim may start only within W of its commit is
// the flag fresh, which may go at any moment. Whoever waits for W and a time-out
// (before an inherited at-most-once claim becomes UNKNOWN) takes away the
// freshness of all others: that much time has passed.
//
// # Not modelled
//
// Several pages, windows and deferred firings, the version of the calendars (which
// is checked with F and moved by edits as F is), replies, retries by the same owner,
// the outbox, the leader's placement (any member may acquire what is free), and a
// store that loses what it acknowledged.
package model
