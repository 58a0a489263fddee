// Package firecheck judges histories of firing: what was committed to the claim
// log, which definitions there were, and what reached the targets. It finds the
// promises of package bucket that a history breaks, and knows nothing of the
// packages that make it but the form of their records. Which instants are due it
// finds by trying every second, not by package trigger.
//
// A history comes from the simulation of package engine, or from hosts and
// servers that are real: then the commits are read from ZooKeeper's own
// transaction log, and the runs from the targets, which know nothing of who calls
// them. Merge puts the two in order.
//
// Whoever judges is judged: Mutations break one promise each in a history that
// breaks none, and every one of them must be found.
//
// It is for tests, and nothing of it is in any program.
package firecheck
