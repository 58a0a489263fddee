// Package control is what an administrator can ask and order: the commands and
// queries behind the command line, the terminal screens and the REST interface.
//
// It needs no host. Definitions, runs and what was deployed are read from the
// coordination store and replayed here by the same code that the owners of
// buckets use, so a query tells what an owner would tell, also when none is
// alive. Commands are edits of the store, which the owners must obey from the
// acknowledgement on. Only TryOperation calls a host, by SendReceive.
//
// # Rooms
//
// What needs no store has rooms of its own, from the ground up: contract (what is
// shown), failure (how it fails), definition (a definition as text), check (what is
// wrong with one). Errors are *failure.Error.
package control
