// Package place decides which member owns which bucket, and says why one can be
// owned by nobody. It is pure: the same input gives the same plan.
//
// # The order of rules
//
//  1. While fewer different nodes are there than the start-up barrier wants,
//     nothing is placed ("waiting for servers: 2 of 3").
//  2. A bucket may go only where every task in it may: to members that are fit
//     (not being drained, their clocks right), have the services of its tasks
//     deployed, and are among those that the Resolver gives for the task. If no
//     member is left, the bucket is unplaced, with the reason.
//  3. A bucket stays where it is while it may be there. One that was placed on an
//     earlier incarnation of a node stays with the node.
//  4. Buckets without a place go, the heaviest first, to the member with the
//     least load for its weight, or as the resolver's Spread says.
//  5. Then load is evened out, by as few moves as help, and at most a share of
//     all buckets on their way at once (Input.Share). A bucket with open claims
//     is not moved for balance; one that may not stay where it is, is: its owner
//     lets its runs end before it gives it up.
//
// Load is made of tasks and expected firings, not of buckets: three tasks in
// three buckets on three members sit one each. Empty buckets weigh nothing; they
// are shared out by their number, since the next task may fall into one.
//
// # Resolvers
//
// A Resolver is what WSO2 calls a TaskLocationResolver. Standard has those of
// the original under their class names (the package before the name does not
// count) and under a plain one; a Registry is a map that a program adds its own
// to. Buckets, not single tasks, are placed; so the tasks of one bucket must
// have a member in common (Assignment.Apart: they have not). A bucket may have a
// resolver of its own, for tasks that have.
package place
