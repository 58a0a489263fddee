// Package failure is how the commands and queries of plugin/control fail: with an
// Error that has a stable code, a message, and often a hint at the next step. One
// table maps codes to exit codes of a shell and to HTTP statuses.
//
// Of is the one place where errors of the stores become codes; Sent and Received
// take an Error over the group. Nothing here is state.
package failure
