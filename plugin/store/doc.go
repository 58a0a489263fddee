// Package store keeps what scheduling must not forget in a coordclient.KV:
// definitions of tasks, who owns which bucket, claim logs and pages, requests,
// messages on their way out, states of event triggers, what hosts have
// deployed and what happened. It caches only the number of buckets, which never
// changes; any process may open it, a host or not.
//
// # Keys
//
// All keys are below one root, which may be empty.
//
//	/cluster                      Cluster: uuid, number of buckets, format
//	/buckets/<b>                  Node: owner, epoch, edit number, the last edits. Its version is the fence F
//	/buckets/<b>/page/0           the folded state of the bucket; opaque here
//	/buckets/<b>/log/<seq>        one batch of records; opaque here; seq has twelve digits or more
//	/runs/<b>                     the ring of recent runs; opaque here
//	/tasks/<b>/<task>             a definition, or its tombstone
//	/history/<b>/<task>           the definitions before it, at most MaxHistory
//	/audit/<b>, /audit/group      who edited what, the last MaxAudit each
//	/places                       the locations that tasks have, each with buckets of its own
//	/placed/<b>/<task>            a task that bucket b decides for, though its name belongs to another
//	/requests/<b>/<id>            a manual run, a cancellation, or the reply to a firing
//	/secrets/reply                what the tokens of replies are derived from
//	/outbox/<b>/<message>         a message to be delivered
//	/triggers/<service>/<trigger> the state of an event trigger; opaque here
//	/memory/<uid>                 what is remembered of a task; opaque here
//	/fills/<uid>                  which past instants of a task were made up for
//	/remotes/<service>            a service of another system, known by its WSDL
//	/calendars                    its version moves with each edit of any calendar
//	/calendars/<calendar>         a named calendar
//	/catalogue                    raised whenever a host has published something
//	/catalogue/<node>/<service>   what a host has deployed; opaque here
//	/placement                    which member each bucket belongs to, written by the leader
//	/leader                       the leader's term; its version fences what it writes
//	/cluster/barrier              the start-up barrier
//	/drains                       the nodes that are to own nothing
//	/surveys/<b>                  what the leader measured of a bucket
//	/rolls/<b>                    the definitions that it measured, packed in one record
//	/clocks/<member>              how far a member's clock is off
//	/joins/<uid>                  which of the tasks that another waits for have ended
//	/receipts/<shard>/<hash>      that a request with an idempotency key was carried out
//	/events/<node>                the ring of what administrators want to know
//
// A task's bucket is fixed by its name (Home): one name, one place. Its key is
// tenant, type and name with "~" between them. Whatever is made of a name is
// percent-encoded (Segment), so that no name can leave its place.
//
// A task with a location of its own keeps its definition there, but another
// bucket decides for it (task.Seat); edits and requests go by that bucket's node.
//
// Records are JSON objects with a format number. A reader refuses a number
// that is higher than its own, and ignores members that it does not know. A
// record that cannot be read is a *CorruptError, which names its key: lists
// leave it out, report it, and go on.
//
// # Edits
//
// An edit of an administrator is one commit: the definition (or request) at
// the version that was read, and the bucket's node with the edit number raised
// and the edit's mark added to the last MaxEdited ones. So an edit moves F: a
// batch of claims on its way fails, and the edit holds from its
// acknowledgement on. When the node alone moved meanwhile, the edit is
// committed again with the new one; when the definition moved, the caller is
// told (coordclient.ErrConflict).
//
// An answer that was lost is settled by committing the same again. Versions
// let at most one of the copies land; one that fails reads back whose edit id
// is stored. Only when later edits have covered that is the answer
// coordclient.ErrUnknownOutcome.
//
// Many tasks are created together: one commit holds as many of one bucket as its
// node tells marks, so that its owner reads these and no others. It counts as so
// many edits, lands as a whole or not at all, and is otherwise an edit like any
// other. If it is refused, its tasks are created one by one.
//
// Each edit adds to the bucket's audit who made it and what it changed, and an
// edit of a definition keeps the one before, in the same commit.
//
// From, Edited, PausedAt and DeletedAt of a definition, and Asked of a request,
// are the time of a commit by the store's own clock. They are stored as zero, read
// as Entry.Modified, and written out with the next edit.
//
// # Rolls
//
// The leader keeps the definitions that it measured of a bucket in one record, with
// the number of the edit that they are at least as new as. Whoever wants all
// definitions of a bucket takes its node, then its roll, and reads each by itself
// what was marked since, and what the roll only names: tombstones, tasks on their
// way to another bucket, and those that could not be read. Without a roll, or with
// more marks than the node tells, definitions are read one by one. So every edit of
// a task at rest must mark its bucket's node. Store.Reporting reads no rolls.
//
// # Calendars
//
// Tasks name calendars, so an edit of one is an edit of all that name it. It is
// one commit of the calendar and of /calendars, whose version every commit of an
// owner checks if tasks of its bucket name calendars: like an edit of a task it
// holds from its acknowledgement on. A commit that lets a task begin to name
// calendars checks that version too, having seen that they exist; one that deletes
// a calendar checks the nodes of all buckets, having seen that no task names it.
//
// # Owners
//
// Owner binds one membership to the store and is what the engine calls Log and
// Watcher. Each of its writes checks the membership and F. An owner that lost
// HoldAfter batches in a row to edits sets a hold of HoldTime on the node,
// which administrators wait out.
package store
