// Package group tells how the hosts stand, as one look at the store finds them: who
// is there and who leads, which node is healthy, draining or gone and why, where
// the buckets belong and who has them, and what a group that is waited for lacks.
//
// Values in, values out: plugin/control reads a Group and asks it.
package group
