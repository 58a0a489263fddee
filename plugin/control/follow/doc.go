// Package follow keeps a picture of the group, for screens and for commands that
// watch: what changes is pushed by watches of the store, and what has no watch is
// read when it is due.
package follow
