// Package local is the coordination port for a host that stands alone: an
// embedded store that survives kill -9 and power cuts, and a group with one
// member.
//
// # What is kept where
//
// Which keys exist and at which versions is in memory (package tree); values
// are only in the file, so that a million entries cost memory for their keys
// alone. The file is an SQLite database in WAL mode with synchronous=FULL: a
// commit is answered when the write-ahead log that holds it has been synced.
//
//	Commit ─▶ queue ─▶ writer: stage a group in memory ─▶ one SQLite
//	                   transaction ─▶ sync ─▶ apply in memory, wake, answer
//
// One goroutine writes. While it waits for the disk, commits gather in its
// queue, and all of them go into the next transaction: the cost of a sync is
// shared by everybody who waits for it. Each still succeeds or fails alone.
//
// # Who may open it
//
// One process at a time, which holds an advisory lock (flock) on "<path>.lock"
// for its whole life. The kernel releases it when the process dies, however it
// dies; so whoever has the store open knows that every former member is dead.
// The directory must be on a local file system.
//
// # When the disk fails
//
// A group that could not be written is rolled back, and each of its commits is
// answered with ErrUnavailable: a full disk can be emptied, and the store goes
// on. When the database does not say whether a group is durable (a failed
// sync), its commits get ErrUnknownOutcome, the session is Lost, and nothing
// more is written: only a new Open reads what really became of it.
package local
