package query

import (
	"log/slog"
	"time"

	"github.com/seed42aab489/belfry/dataservice/query/inbox"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Limits bound a request. A zero field means its default.
type Limits struct {
	Rows    int           // rows of a request, nested ones included; default 100,000
	Depth   int           // queries nested in queries; default 8
	Array   int           // values of one array parameter; default 1,000
	Bytes   int64         // of a result kept until its transaction has ended, or of rows kept for nested queries; default 32 MiB
	Events  int           // observations shown to event triggers by one request; default 1,000
	Timeout time.Duration // of a statement whose descriptor sets no queryTimeout; default 30 s
}

// The defaults of Limits.
const (
	DefaultRows    = 100_000
	DefaultDepth   = 8
	DefaultArray   = 1000
	DefaultBytes   = 32 << 20
	DefaultEvents  = 1000
	DefaultTimeout = 30 * time.Second
)

func (l Limits) withDefaults() Limits {
	set := func(n *int, to int) {
		if *n <= 0 {
			*n = to
		}
	}
	set(&l.Rows, DefaultRows)
	set(&l.Depth, DefaultDepth)
	set(&l.Array, DefaultArray)
	set(&l.Events, DefaultEvents)
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.Timeout <= 0 {
		l.Timeout = DefaultTimeout
	}
	return l
}

// InboxOptions configure the inbox.
type InboxOptions = inbox.Options

// ErrRecorded is in the chain of a fault that the inbox keeps: whoever asks again
// with the same fire key gets the same fault, and nothing is executed.
var ErrRecorded = inbox.ErrRecorded

// Options configure an Engine.
type Options struct {
	Sources *source.Set // required
	Limits  Limits
	// LimitsOf gives the Limits of a service, by its name. Nil: Limits are those of
	// all.
	LimitsOf func(service string) Limits
	Inbox    InboxOptions
	Log      *slog.Logger     // default: nothing is logged
	Now      func() time.Time // default time.Now
}
