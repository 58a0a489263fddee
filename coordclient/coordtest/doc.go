// Package coordtest is what tests of the coordination port need: Exercise, the
// contract that every implementation passes; Cluster, an in-memory store with
// any number of members, for simulations in fake time; and Faulty, which puts
// faults between a member and any implementation.
//
// Cluster and Faulty start goroutines only for handlers and late commits, use
// no clock but package time and the one injected, and so work inside a
// testing/synctest bubble.
package coordtest
