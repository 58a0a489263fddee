package bucket

import (
	"errors"

	"github.com/seed42aab489/belfry/plugin/calendar"
	"github.com/seed42aab489/belfry/plugin/task"
)

// The errors that a bucket's durable side answers an owner with. Test with
// errors.Is.
var (
	// ErrFenced: another owner, another epoch, or no member any more. Drop the
	// timers, cancel what has not started, leave.
	ErrFenced = errors.New("fenced: no longer the owner")
	// ErrMoved: the bucket node is not at F, or the calendars not at theirs. Refresh, and see whether it was an
	// edit.
	ErrMoved = errors.New("the bucket node moved")
	// ErrSeqTaken: the log holds an entry of this sequence number already.
	ErrSeqTaken = errors.New("log entry exists")
	// ErrNoRequest: a request to be taken is gone.
	ErrNoRequest = errors.New("request is gone")
	// ErrUnavailable: nothing was done.
	ErrUnavailable = errors.New("store unavailable")
	// ErrUnknownOutcome: it may have been done. Commit the same again.
	ErrUnknownOutcome = errors.New("store did not answer")
	// ErrTaken: the bucket has a living owner.
	ErrTaken = errors.New("bucket has an owner")
)

// Fence is an owner's hold on a bucket. Version is F: the data version of the
// bucket node, checked by every write of the owner.
type Fence struct {
	Bucket  int
	Epoch   int64
	Version int64
	Edit    int64 // the edit number at Version
	// Calendars is the revision of the calendars by which the owner decides, which
	// its writes check too. Zero: no task of the bucket names any.
	Calendars int64
}

// Loaded is all that is stored of a bucket, read after a sync.
type Loaded struct {
	Page        Blob   // Version -1: none yet
	Log         []Blob // by Seq
	Runs        Blob   // the ring of recent runs; Version -1: none yet
	Definitions []task.Info
	Requests    []task.Request
	// Calendars are there if any definition names some.
	Calendars *calendar.Book
}

// Blob is a stored value with its version; Seq only of log entries.
type Blob struct {
	Seq     int64
	Version int64
	Data    []byte
}

// Write is one commit of an owner. Beside what it names, it checks membership
// and F.
type Write struct {
	Seq   int64
	Batch []byte // log entry to create at Seq; nil: none
	// Take lists the requests that the batch decides; they are deleted with it.
	Take []string
	// Messages go to the bucket's outbox with it. One that is there already, by
	// its id, is left alone.
	Messages []task.Message
	// Fold, if any, replaces the page and drops folded log entries.
	Fold *Fold
	// Drop lists tombstones that are dealt with, by key, at their revision.
	Drop []task.Info
	// Give lists tasks that are handed to the buckets that their definitions
	// name, Adopt those that have been taken in, both at their revision.
	Give  []Given
	Adopt []task.Info
}

// Fold replaces the page and the ring of runs at their versions and deletes
// the log entries From..To, both included.
type Fold struct {
	Page     Blob
	Runs     Blob
	From, To int64
}

// Changes is what a refresh found.
type Changes struct {
	Definitions []task.Info // edited since the fence was last read
	All         bool        // Definitions is all there is: too many edits went by
	Removed     []task.Key  // edited, and there no more
	Requests    []task.Request
	// Calendars as they are now. Nil: nothing changed.
	Calendars *calendar.Book
	// Landed tells whether the log entry asked about is there, and holds it.
	Landed Blob
}
