// Package cluster is one member's part in a group of hosts that share buckets.
// A lone host is a group of one.
//
// # Who decides what
//
// The leader, elected for a term, writes the placement: which member each bucket
// belongs to, on paper. It reads the group, the drains, the barrier, what members
// have deployed, their clocks, and what the buckets hold, and asks package place.
// What a bucket holds it measures when its definitions were edited, and keeps for
// the next leader; the definitions that it read for that it keeps packed, so that
// others need not read them one by one (package store, Rolls). Each of its commits
// checks its membership and /leader, which the next leader raises; so a leader of
// an old term cannot write.
//
// Every member follows the placement: it acquires what is its own on paper as
// soon as that is free, and releases what is not. Only the bucket's node says
// who owns it, and only a commit of the engine takes it: so two members that
// read the paper differently never own a bucket both. Without a leader nothing
// moves, and firing goes on.
//
//	placement says mine?   owned?   then
//	yes                    no       wait until the owner has released it or is gone; acquire
//	no                     yes      release: claim nothing more, let runs end, fold, set it free
//	no                     no       if the node says it is mine (an acquisition given up half-way): set it free
//
// Everything is level-triggered: watches (placement, group, a bucket waited for)
// and the engine's word that a bucket was lost make a member look again; so does
// the clock, in case they stay silent.
//
// # Locations
//
// Tasks with a location of their own share a few buckets, which package place
// puts where the location's resolver says; a task whose location changes is
// handed to another bucket by its owner (see package bucket). Where nobody may
// own a bucket, the leader sorts what is in it: tasks that need different members
// (services, rules) are sent to buckets of their own, and tasks that are to leave
// are seen off by the leader's engine, which owns the bucket for just that long.
//
// # The start-up barrier
//
// While the barrier is closed nothing is placed. It opens, in one commit with the
// first placement, when as many different nodes are there as task.server.count
// says, or when an administrator lifts it, or when its time limit is over. It
// closes when the group has been empty: when none of the members that the last
// placement knew of is there any more, nor a process that was one of them and has
// joined again, as all have after ZooKeeper was without a quorum. A member that joins a living group does
// not wait.
//
// # Leaving
//
// Stop asks to be drained and goes on firing until the leader has given its
// buckets to others and they are released. A few are on their way at a time, from
// release to acquisition: what others have no hands for yet goes on firing here,
// so that no task is silent for longer than its own bucket takes. What is left
// then, as with a host that is alone, the engine releases when it is stopped. A
// leader breaks off whatever it measures when somebody asks to be drained.
//
// # Losing the session
//
// While the session is suspended nothing can be acquired or released. When it is
// lost, everything here ends and Done closes. A Cluster is bound to one
// membership: whoever made it joins again and makes a new one.
//
// # Clocks
//
// Each member compares its clock with the store's, and writes down what it
// found. One whose clock is off by more than MaxSkew owns nothing and says so.
package cluster
