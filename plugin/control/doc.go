// Package control is what an administrator can ask and order: the commands and
// queries behind the command line, the terminal screens and the REST interface.
//
// It needs no host. Definitions, runs and what was deployed are read from the
// coordination store and replayed here by the same code that the owners of
// buckets use, so a query tells what an owner would tell, also when none is
// alive. Commands are edits of the store, which the owners must obey from the
// acknowledgement on. Only TryOperation calls a host, by SendReceive.
//
// The views in view.go are a JSON contract. Errors are *Error, with a code that
// one table maps to exit codes and HTTP statuses.
package control
