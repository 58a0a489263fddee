// Package bucket holds the state of one bucket of tasks: the records of its
// claim log, the page into which they are folded, and what follows from them:
// what is due, what is open, what became of each firing. It is pure. It reads
// no clock, touches no store and starts no goroutine; its owner, package
// engine, does. Readers such as the companion use Replay, View and Runs alone.
//
// # The promise
//
//  1. One decision. For each task and each scheduled instant exactly one of
//     these is ever committed: a claim, or a skip record that says why (overlap,
//     paused, outside the window, missed, deleted, refused). Nothing is lost in
//     silence.
//  2. Delivery, chosen per task. At-most-once: a claimed firing whose run may
//     have started is never run again; it is settled as UNKNOWN and shown.
//     At-least-once: it is run again by the next owner, with the same fire id
//     and a higher attempt. Effectively-once: at-least-once, and the target
//     records the fire id in the transaction of its own effect, so that the
//     effect happens exactly once. No one can promise exactly-once calls to a
//     foreign server.
//  3. Never early, beyond 5 ms, and never at an instant that was not scheduled,
//     so not "once more" after a failover or a resume.
//  4. Never later than it must be.
//  5. Edits hold. When a pause or a delete has been acknowledged, no further
//     firing of that task is claimed, and instants of a pause never fire later.
//     Runs already claimed finish; a re-run or retry of a paused task waits for
//     its resumption. One of a deleted task does not wait: it is finished.
//
// # Records
//
//	CLAIM    the firing is to run; it is open from here on
//	RECLAIM  a further attempt at an open firing may start
//	SETTLE   an attempt ended; with Final the firing did, else it is retried, or
//	         waits for a reply
//	SKIP     an instant, or every undecided one up to Until, never runs
//	DEFER    the instant is decided, and claimed later, in order
//	ALERTED  a task's silence was reported, so that a restart does not repeat it
//	FORGET   a deleted task is dealt with; its cursor and tombstone go
//	GIVE     the task goes to another bucket, with its cursor and open claims
//	ADOPT    it has come from another bucket, with these in the record
//
// A batch of records is one entry of the log and one commit. Its operation id,
// (epoch, op), tells the owner its own entry from another's. Messages that
// records raise, and the requests that they answer, are part of the same commit
// (Write); so is the tombstone that a FORGET drops. UNKNOWN is an outcome of
// SETTLE, not a record of its own.
//
// # The cursor
//
// An instant is decided only if it lies after the cursor, which is the last
// decided instant: claimed, skipped or deferred. So a clock that is set back, an
// hour that comes twice or an edited trigger decides nothing twice. A firing
// asked for by hand has the request in its fire id and does not move the
// cursor.
//
// A definition's From moves with creation, resumption and each change of the
// trigger: instants up to it are past. What was undecided then gets one range
// SKIP. If the owner that knew the earlier definition died before it wrote that
// record, the next one cannot know what was scheduled, and skips the whole range
// in any case, perhaps with a count of zero. The first record about a new task
// is such a range up to its From: from there on its cursor is durable.
//
// A pause that was to last until a time (task.Info.PauseUntil) is over then
// without an edit: whoever owns the bucket sees by its clock that it is, and
// takes the definition as if it had been resumed at that time. So it does not
// matter who is alive at that moment. Between owners whose clocks differ the
// cursor decides, as ever.
//
// # Late and overlapping
//
// An instant that is late by no more than Rules.Misfire fires late. Beyond that
// its task's policy decides: fire-once lets the last missed instant fire and
// skips those before it; skip skips them all; fire-all defers the oldest
// Rules.CatchUp of them within Rules.Window, to be claimed Rules.Spread apart,
// and skips the others. While a run of the task is open, overlap queue defers
// what is due, at most Rules.Queue firings, and overlap skip skips it. A
// deferred firing that an edit makes past is skipped.
//
// # Outside its windows
//
// A task with Info.Windows begins a run only while they are open, by its owner's
// clock; the calendars that they name are part of what the owner has read, at a
// revision that each of its commits checks. An instant is outside if they are
// closed at it, or closed already when it is decided. Then the task's policy says:
// skip skips it, with what else is due in the same closed time as one range; defer
// defers it, and once the first of them, skipping those that come while it waits.
// What is deferred, for whatever reason, is claimed when they are open, as the
// calendars say then: nothing of them is written down. With the policy agent they
// hold up nothing, and go with the call. What was missed is first for the misfire
// policy: fire-once fires the last missed instant, with skip the last one inside.
//
// A run by hand is not held up, nor is a further attempt at one that has begun. One
// that follows another task is: its request waits, or is skipped. While a calendar
// that a task names is missing or cannot be read, nothing is decided about its
// instants; they are late when it is back.
//
// # Waiting for a reply
//
// A run of a task with Info.Reply does not end when its call returns. Its attempt
// is settled as WAITING, not final: the claim stays open, with a deadline, in log
// and page. It holds no worker, counts as open for overlap, and is nobody's to run
// again: its request was sent. Its end is the first of: a reply, a request of the
// kind "reply" about its fire id, which the commit that settles it takes; the
// deadline, at which it is TIMED_OUT, or attempted again under the same fire id if
// its task says so and has retries left; a cancellation.
//
// A reply is final: OK, or FAILED with an exception. It counts if it was stored,
// by the store's clock, up to the deadline of an attempt, or while the next one is
// still to come. One that overtakes the answer to its own call waits until the
// attempt ends, and then is how it ended. One that finds its owner dead before
// WAITING was recorded ends the firing all the same. Whatever comes after the end
// changes nothing. A pause stops neither replies nor deadlines.
//
// # Moving to another bucket
//
// A task with a location of its own is decided by a bucket that it shares with
// tasks of the same location. When its location changes, its owner decides
// nothing new about it; when no run of it is going, and no request for it is
// open, one commit logs GIVE here, writes the cursor into the definition, which
// names the new bucket from then on, and tells that bucket's owner by an edit.
// The new owner decides nothing about it but ADOPT, which copies the cursor into
// its own log and takes it off the definition, in one commit. So each instant is
// decided by whoever has the cursor, and only one of them has. Owners of both
// buckets may die at any step: what is committed says whose turn it is.
//
// # What a crash leaves open
//
// Replay finds claims without an end. Inherit says how long an earlier owner's
// attempt may still go. Then at-most-once becomes UNKNOWN; effectively-once is
// reclaimed at once, since the inbox decides; at-least-once is reclaimed when
// the wait is over. Time waited is kept in the page. An attempt is made only
// with what the claim was made for: the definition must still mean the same
// service and operation, and the target must have the hash that was recorded.
// Otherwise the firing ends with the definite answer of its last attempt, or
// UNKNOWN: it is never run with a new meaning. The delivery is that of the
// claim. An at-most-once claim that may wait for a reply becomes WAITING, since a
// reply would tell that its request was sent; UNKNOWN at its deadline.
//
// An effectively-once firing whose answer is open (refused, in progress, timed
// out, connection lost) is asked again with backoff. Attempts are bounded by
// task.MaxReclaims and by Rules.OpenFor; then UNKNOWN. The first final SETTLE
// wins; a late one replaces an UNKNOWN, never the reverse.
//
// # Stored forms
//
// Batches, pages and the ring of recent runs are binary: a magic letter, a
// format number, variable-length numbers, each text once, and a CRC-32C over all
// of it. A reader refuses what is corrupt (ErrCorrupt) or of a newer format
// (ErrNewer) as a whole. A writer uses the lowest format that can say it: hosts of
// an earlier version read on until the first run waits for a reply. Replay takes the page and then only log entries above
// its Folded, which must be contiguous (ErrGap): a late copy of an entry that
// was folded lands below it and is ignored. Sequence numbers never start again.
package bucket
