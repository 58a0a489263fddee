// Package chain lets tasks follow others: when a firing of one has ended, the
// other fires, once for each such end, across crashes and hand-overs.
//
// # How
//
// A task names those that it follows (task.After); each of them names its
// followers (task.Info.Followers), which package control keeps in step. The
// owner of the one that ended raises a message for each follower in the very
// commit that settles the firing, to the address "task:<tenant>/<type>/<name>"
// (Announcer). The outbox keeps it until it is delivered (Deliverer): a request
// for a firing of the follower, in whatever bucket that is, committed together
// with a receipt of the end that caused it. So an end that is announced twice,
// delivered twice or by two hosts is followed once; and none is lost.
//
// A task that waits for all of several fires when each of them has ended since
// it last fired; which have is kept beside it, in the same commit as the receipt.
//
// # What follows
//
// The follower's firing is like one by hand: beside its own schedule, refused
// while it is paused, subject to its overlap policy. Its fire id is
// "<uid>:m:after<n>-<hash>", n being how many have followed one another; beyond
// task.MaxChain nothing follows, so that a circle ends. Values that After.With
// makes of the end go with it, and are the same at each attempt.
package chain
