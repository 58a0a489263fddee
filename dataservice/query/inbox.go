package query

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

// InboxOptions configure the inbox. A zero field means its default.
type InboxOptions struct {
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

// The defaults of InboxOptions.
const (
	DefaultInbox     = "belfry_inbox"
	DefaultRetention = 7 * 24 * time.Hour
	DefaultLockWait  = 2 * time.Second
	DefaultIdle      = 30 * time.Second
)

func (o InboxOptions) withDefaults() InboxOptions {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	if o.Table == "" {
		o.Table = DefaultInbox
	}
	set(&o.Retention, DefaultRetention)
	set(&o.LockWait, DefaultLockWait)
	set(&o.Idle, DefaultIdle)
	return o
}

// maxFireID bounds the length of a fire id in bytes.
const maxFireID = 255

// inbox remembers executed firings in the databases themselves. The package
// comment tells how.
type inbox struct {
	opts InboxOptions
	now  func() time.Time

	mu  sync.Mutex
	dbs map[*source.DB]*inboxDB
}

// inboxDB is what is known of one database.
type inboxDB struct {
	users int
	sql   inboxSQL

	mu      sync.Mutex
	loose   map[string]bool // tables on engines without transactions
	looseAt time.Time
}

func newInbox(o Options) (*inbox, error) {
	io := o.Inbox.withDefaults()
	for part := range strings.SplitSeq(io.Table, ".") {
		if !plainName(part) {
			return nil, fmt.Errorf("inbox: %q cannot be the name of a table: letters, digits and _ only", io.Table)
		}
	}
	return &inbox{opts: io, now: o.Now, dbs: map[*source.DB]*inboxDB{}}, nil
}

// watch takes note of a database that a service uses; forget undoes it.
func (i *inbox) watch(db *source.DB) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.dbs[db] == nil {
		i.dbs[db] = &inboxDB{sql: newInboxSQL(db.Dialect(), i.opts.Table)}
	}
	i.dbs[db].users++
}

func (i *inbox) forget(db *source.DB) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if d := i.dbs[db]; d != nil {
		if d.users--; d.users <= 0 {
			delete(i.dbs, db)
		}
	}
}

func (i *inbox) of(db *source.DB) *inboxDB {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dbs[db]
}

// errNoInbox says that the inbox's table is not there.
var errNoInbox = errors.New("the inbox's table is not there")

// claim inserts the firing's row. It is the first statement of the transaction.
// False means that the firing was executed before.
func (i *inbox) claim(ctx context.Context, tx *source.Tx, db *inboxDB, req *Request) (fresh bool, err error) {
	fire := req.Fire
	res, err := tx.Exec(ctx, db.sql.insert, fire.ID, fire.ClaimedAt.UnixMilli(), i.now().UnixMilli(),
		cut(req.Service.Name), cut(req.Name), stateOpen)
	switch source.Classify(err) {
	case source.NoTable:
		return false, errNoInbox
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
	return true, i.checkHorizon(ctx, tx, db, fire)
}

// cut keeps a name within its column.
func cut(s string) string {
	if len(s) > maxFireID {
		s = strings.ToValidUTF8(s[:maxFireID], "")
	}
	return s
}

// checkHorizon refuses a firing that was claimed so long ago that its row may
// have been swept. The row was inserted before: had a sweep removed it, then that
// sweep's horizon is committed and seen here.
func (i *inbox) checkHorizon(ctx context.Context, tx *source.Tx, db *inboxDB, fire *dataservice.FireKey) error {
	rows, err := tx.Query(ctx, db.sql.horizon)
	if err != nil {
		return err
	}
	defer rows.Close()
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
		return expired(fire.ID)
	}
	return nil
}

func expired(id string) error {
	return &dataservice.Fault{
		Code: dataservice.UnknownError, Kind: dataservice.FaultExpired,
		Message: fmt.Sprintf("firing %s was claimed before the inbox's horizon: whether it was executed is no longer known", id),
	}
}

// finish completes the firing's row.
func (i *inbox) finish(ctx context.Context, tx *source.Tx, db *inboxDB, id string, e entry) error {
	answer, hits, fault, err := e.encode()
	if err != nil {
		return err
	}
	res, err := tx.Exec(ctx, db.sql.update, e.state, e.rows, answer, hits, fault, id)
	if err != nil {
		return fmt.Errorf("inbox: %w", err)
	}
	if n, err := res.RowsAffected(); err == nil && n != 1 {
		return fmt.Errorf("inbox: the row of firing %s is gone", id)
	}
	return nil
}

// load reads the row of a firing; nil if there is none.
func (i *inbox) load(ctx context.Context, db *source.DB, in *inboxDB, id string) (*entry, error) {
	rows, err := db.Query(ctx, in.sql.load, id)
	if err != nil {
		if source.Classify(err) == source.NoTable {
			return nil, nil
		}
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); source.Classify(err) != source.NoTable {
			return nil, err
		}
		return nil, nil
	}
	var e entry
	var answer, hits, fault []byte
	if err := rows.Scan(&e.state, &e.rows, &answer, &hits, &fault); err != nil {
		return nil, err
	}
	return &e, e.decode(answer, hits, fault)
}

// create makes the table. Several members may do so at the same moment.
func (i *inbox) create(ctx context.Context, db *source.DB, in *inboxDB) error {
	err := createInbox(ctx, db, in)
	if err == nil {
		return nil
	}
	if rows, there := db.Query(ctx, in.sql.horizon); there == nil {
		return rows.Close() // another member was faster
	}
	return &dataservice.Fault{
		Code: dataservice.DatabaseError, Kind: dataservice.FaultInternal, Err: fmt.Errorf("create the inbox: %w", err),
		Message: fmt.Sprintf("the inbox %s could not be created: create it as the documentation shows and grant SELECT, INSERT, UPDATE and DELETE on it, or switch the inbox off", i.opts.Table),
	}
}

func createInbox(ctx context.Context, db *source.DB, in *inboxDB) error {
	tx, err := db.Begin(ctx, source.TxOptions{})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, s := range in.sql.create {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	return tx.Commit()
}
