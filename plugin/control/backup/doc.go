// Package backup is the text of a backup: written and read in parts, without a
// store.
//
// A backup holds what administrators made: every calendar, and the definition of
// every task, whether it is paused, and the instants that it counts from. What
// hosts make of it (claims, runs, messages on their way) is not in it: restored
// tasks fire nothing that was due before they were restored, and go on in step.
//
// It is a line of JSON for its head, one for each calendar, one for each task,
// and one for its end, which has their numbers and the SHA-256 of all bytes before
// it. So one that was cut or damaged is found out.
package backup
