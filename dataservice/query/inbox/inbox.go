package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Options configure the inbox. A zero field means its default.
type Options struct {
	// Off: no operation of this host is effectively-once.
	Off bool
	// Table is the inbox's name in each database, perhaps with a schema's before
	// it; default belfry_inbox.
	Table string
	// Retention is how long the row of a firing is kept; default 7 days. A firing
	// that was claimed longer ago is refused.
	Retention time.Duration
	// LockWait is how long a firing waits for another transaction that holds its
	// key, before it is told that it is in progress; default 2 s.
	LockWait time.Duration
	// Idle is how long the database keeps a transaction in which nothing happens,
	// because this process is frozen; default 30 s.
	Idle time.Duration
}

// The defaults of Options.
const (
	DefaultTable     = "belfry_inbox"
	DefaultRetention = 7 * 24 * time.Hour
	DefaultLockWait  = 2 * time.Second
	DefaultIdle      = 30 * time.Second
)

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	if o.Table == "" {
		o.Table = DefaultTable
	}
	set(&o.Retention, DefaultRetention)
	set(&o.LockWait, DefaultLockWait)
	set(&o.Idle, DefaultIdle)
	return o
}

// MaxFireID bounds the length of a fire id in bytes.
const MaxFireID = 255

// Errors.
var (
	// ErrNoTable says that the inbox's table is not there: see Box.Create.
	ErrNoTable = errors.New("the inbox's table is not there")
	// ErrRecorded is in the chain of a fault that the inbox keeps: whoever asks
	// again with the same fire key gets the same fault, and nothing is executed.
	ErrRecorded = errors.New("recorded in the inbox")
)

// Inbox has a Box for each database in use. Safe for concurrent use.
type Inbox struct {
	opts Options
	now  func() time.Time

	mu    sync.Mutex
	boxes map[*source.DB]*Box
}

// Box is the inbox in one database. Safe for concurrent use.
type Box struct {
	inbox *Inbox
	db    *source.DB
	sql   statements
	users int // guarded by the Inbox

	mu      sync.Mutex
	loose   map[string]bool // tables on engines without transactions
	looseAt time.Time
}

// New makes an Inbox without boxes. The error is that of an option.
func New(o Options, now func() time.Time) (*Inbox, error) {
	o = o.withDefaults()
	for part := range strings.SplitSeq(o.Table, ".") {
		if !source.PlainName(part) {
			return nil, fmt.Errorf("inbox: %q cannot be the name of a table: letters, digits and _ only", o.Table)
		}
	}
	return &Inbox{opts: o, now: now, boxes: map[*source.DB]*Box{}}, nil
}

// Options are those in force.
func (i *Inbox) Options() Options { return i.opts }

// Serves tells whether there is an inbox for a kind of database. SQL Server has
// none: what an inbox promises has to be seen to hold.
func Serves(d source.Dialect) bool { return d != source.SQLServer }

// Watch takes note of a database that a service uses; Forget undoes it.
func (i *Inbox) Watch(db *source.DB) {
	if !Serves(db.Dialect()) {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.boxes[db] == nil {
		i.boxes[db] = &Box{inbox: i, db: db, sql: newStatements(db.Dialect(), i.opts.Table, db.Snapshots())}
	}
	i.boxes[db].users++
}

// Forget undoes a Watch.
func (i *Inbox) Forget(db *source.DB) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if b := i.boxes[db]; b != nil {
		if b.users--; b.users <= 0 {
			delete(i.boxes, db)
		}
	}
}

// Of gives the box of a database; nil if it has none, nobody watches it, or the inbox
// is off.
func (i *Inbox) Of(db *source.DB) *Box {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.opts.Off {
		return nil
	}
	return i.boxes[db]
}

// Claim inserts the row of a firing of a service's operation. It is the first
// statement of the transaction. False means that the firing was executed before.
func (b *Box) Claim(ctx context.Context, tx *source.Tx, fire *dataservice.FireKey, service, request string) (fresh bool, err error) {
	if fire.ID == "" || len(fire.ID) > MaxFireID || fire.ID == horizonID {
		return false, &dataservice.Fault{
			Code: dataservice.UnknownError, Kind: dataservice.FaultInput,
			Message: fmt.Sprintf("%q cannot be a fire id: 1 to %d bytes", cut(fire.ID), MaxFireID),
		}
	}
	res, err := tx.Exec(ctx, b.sql.insert, fire.ID, fire.ClaimedAt.UnixMilli(), b.inbox.now().UnixMilli(),
		cut(service), cut(request), stateOpen)
	switch source.Classify(err) {
	case source.NoTable:
		return false, ErrNoTable
	case source.Duplicate:
		return false, nil
	case source.Locked:
		return false, &dataservice.Fault{
			Code: dataservice.DatabaseError, Kind: dataservice.FaultInProgress,
			Message: "the same firing is being executed elsewhere", Err: err,
		}
	}
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	return true, b.checkHorizon(ctx, tx, fire)
}

// cut keeps a name within its column.
func cut(s string) string {
	if len(s) > MaxFireID {
		s = strings.ToValidUTF8(s[:MaxFireID], "")
	}
	return s
}

// checkHorizon refuses a firing that was claimed so long ago that its row may
// have been swept. The row was inserted before: had a sweep removed it, then that
// sweep's horizon is committed and seen here.
func (b *Box) checkHorizon(ctx context.Context, tx *source.Tx, fire *dataservice.FireKey) error {
	rows, err := tx.Query(ctx, b.sql.horizon)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	var horizon int64
	if rows.Next() {
		if err := rows.Scan(&horizon); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if fire.ClaimedAt.UnixMilli() < horizon {
		return Expired(fire.ID)
	}
	return nil
}

// Expired is the fault of a firing whose row may have been swept.
func Expired(id string) error {
	return &dataservice.Fault{
		Code: dataservice.UnknownError, Kind: dataservice.FaultExpired,
		Message: fmt.Sprintf("firing %s was claimed before the inbox's horizon: whether it was executed is no longer known", id),
	}
}

// Finish completes the firing's row.
func (b *Box) Finish(ctx context.Context, tx *source.Tx, id string, e Entry) error {
	answer, hits, fault, err := e.encode()
	if err != nil {
		return err
	}
	res, err := tx.Exec(ctx, b.sql.update, e.state(), e.Rows, answer, hits, fault, id)
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	if n, err := res.RowsAffected(); err == nil && n != 1 {
		return fmt.Errorf("inbox: the row of firing %s is gone", id)
	}
	return nil
}

// Load reads the row of a firing; nil if there is none.
func (b *Box) Load(ctx context.Context, id string) (*Entry, error) {
	rows, err := b.db.Query(ctx, b.sql.load, id)
	if err != nil {
		if source.Classify(err) == source.NoTable {
			return nil, nil
		}
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it was only read
	if !rows.Next() {
		if err := rows.Err(); source.Classify(err) != source.NoTable {
			return nil, err
		}
		return nil, nil
	}
	var e Entry
	var state string
	var answer, hits, fault []byte
	if err := rows.Scan(&state, &e.Rows, &answer, &hits, &fault); err != nil {
		return nil, err
	}
	return &e, e.decode(state, answer, hits, fault)
}

// Create makes the table. Several members may do so at the same moment.
func (b *Box) Create(ctx context.Context) error {
	err := b.create(ctx)
	if err == nil {
		return nil
	}
	if rows, there := b.db.Query(ctx, b.sql.horizon); there == nil {
		return rows.Close() // another member was faster
	}
	return &dataservice.Fault{
		Code: dataservice.DatabaseError, Kind: dataservice.FaultInternal, Err: fmt.Errorf("create the inbox: %w", err),
		Final:   true, // without the table nothing was executed
		Message: fmt.Sprintf("the inbox %s could not be created: create it as the documentation shows and grant SELECT, INSERT, UPDATE and DELETE on it, or switch the inbox off", b.inbox.opts.Table),
	}
}

func (b *Box) create(ctx context.Context) error {
	tx, err := b.db.Begin(ctx, source.TxOptions{})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range b.sql.create {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}
