package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrExhausted says that all connections of a pool stayed in use for maxWait.
var ErrExhausted = errors.New("no connection became free")

// ErrClosed says that the database was closed.
var ErrClosed = errors.New("the data source is closed")

// errOpen says that a pool could not be made: there is no driver, no folder.
var errOpen = errors.New("open the data source")

// The most statements that a DB keeps prepared; beyond it they are prepared for
// each use.
const maxPrepared = 256

// DB is a database with its pool. Safe for concurrent use.
type DB struct {
	addr     *address
	settings Settings
	users    int // guarded by the Set
	release  func() bool

	reads, writes chan struct{} // a token for each connection in use

	mu       sync.Mutex
	ready    bool
	closed   bool
	read     *sql.DB
	write    *sql.DB // the same as read, but for SQLite files
	prepared map[string]*sql.Stmt
	version  string // MySQL: what the server says it is
}

func newDB(a *address, s Settings) *DB {
	db := &DB{addr: a, settings: s, prepared: map[string]*sql.Stmt{}}
	if a.dialect == SQLite && a.path == "" {
		db.settings.MaxOpen, db.settings.MaxIdle = 1, 1
	}
	db.reads = make(chan struct{}, db.settings.MaxOpen)
	db.writes = db.reads
	if a.dialect == SQLite && a.path != "" {
		db.writes = make(chan struct{}, 1)
	}
	return db
}

// Dialect of the database.
func (d *DB) Dialect() Dialect { return d.addr.dialect }

// String is the address without credentials.
func (d *DB) String() string { return d.addr.display }

// Close gives the database back. The pool is closed when its last user has done
// so, after the statements that are running.
func (d *DB) Close() error {
	if !d.release() {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if !d.ready {
		return nil
	}
	var errs []error
	for _, s := range d.prepared {
		errs = append(errs, s.Close())
	}
	d.prepared = nil
	errs = append(errs, d.read.Close())
	if d.write != d.read {
		errs = append(errs, d.write.Close())
	}
	return errors.Join(errs...)
}

// pools opens the pools when they are first used. It does not connect.
func (d *DB) pools() (read, write *sql.DB, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, nil, ErrClosed
	case d.ready:
		return d.read, d.write, nil
	case d.addr.dialect == SQLite:
		err = d.openFile()
	default:
		d.read, err = open(d.addr.dialect, d.addr.dsn)
		d.write = d.read
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errOpen, err)
	}
	for _, p := range []*sql.DB{d.read, d.write} {
		p.SetMaxOpenConns(d.settings.MaxOpen)
		p.SetMaxIdleConns(d.settings.MaxIdle)
		p.SetConnMaxLifetime(d.settings.MaxLife)
		if d.addr.dialect != SQLite {
			p.SetConnMaxIdleTime(d.settings.MaxIdleTime)
		}
	}
	if d.write != d.read {
		d.write.SetMaxOpenConns(1)
	}
	d.ready = true
	return d.read, d.write, nil
}

// open asks database/sql for a pool. What the driver says about an address is
// not repeated: it may hold the password.
func open(dialect Dialect, dsn string) (*sql.DB, error) {
	db, err := sql.Open(dialect.driver(), dsn)
	if err != nil {
		if strings.Contains(err.Error(), "unknown driver") {
			return nil, fmt.Errorf("this program was built without a driver for %s", dialect)
		}
		return nil, fmt.Errorf("the address of the %s database is not understood by its driver", dialect)
	}
	return db, nil
}

// openFile opens the readers and the writer of an SQLite file.
func (d *DB) openFile() (err error) {
	if d.addr.path == "" {
		d.read, err = open(SQLite, "file::memory:?_txlock=immediate&_pragma=foreign_keys(1)")
		d.write = d.read
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.addr.path), 0o750); err != nil {
		return fmt.Errorf("folder of the SQLite database: %w", err)
	}
	const pragmas = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)"
	file := "file:" + (&url.URL{Path: d.addr.path}).EscapedPath() + "?" + pragmas
	if d.write, err = open(SQLite, file+"&_txlock=immediate"); err != nil {
		return err
	}
	d.read, err = open(SQLite, file+"&_pragma=query_only(1)")
	return err
}

// take waits for a connection's turn.
func (d *DB) take(ctx context.Context, slots chan struct{}) (func(), error) {
	give := func() { <-slots }
	select {
	case slots <- struct{}{}:
		return give, nil
	default:
	}
	t := time.NewTimer(d.settings.MaxWait)
	defer t.Stop()
	select {
	case slots <- struct{}{}:
		return give, nil
	case <-t.C:
		return nil, fmt.Errorf("%w within %s: all %d are in use (maxActive, maxWait)", ErrExhausted, d.settings.MaxWait, cap(slots))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Rows are those of a query, to be closed.
type Rows struct {
	*sql.Rows
	give func()
}

// Close ends the query and gives its connection back; it may be called again.
func (r *Rows) Close() error {
	err := r.Rows.Close()
	if r.give != nil {
		r.give()
		r.give = nil
	}
	return err
}

// Query runs a statement that only reads, outside any transaction. An SQLite
// database refuses one that writes (ReadOnly).
func (d *DB) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	read, _, err := d.pools()
	if err != nil {
		return nil, err
	}
	give, err := d.take(ctx, d.reads)
	if err != nil {
		return nil, err
	}
	var rows *sql.Rows
	if stmt := d.prepare(ctx, read, text); stmt != nil { //nolint:sqlclosecheck // it stays prepared until Close
		rows, err = stmt.QueryContext(ctx, args...) //nolint:rowserrcheck // whoever reads the Rows asks them
	} else {
		rows, err = read.QueryContext(ctx, text, args...) //nolint:rowserrcheck // as above
	}
	if err != nil {
		give()
		return nil, err
	}
	return &Rows{Rows: rows, give: give}, nil
}

// prepare gives the prepared statement of a text; nil if it is not to be
// prepared, or cannot be, which the query itself will then say. PostgreSQL's
// driver keeps its own.
func (d *DB) prepare(ctx context.Context, db *sql.DB, text string) *sql.Stmt {
	if d.addr.dialect == Postgres {
		return nil
	}
	d.mu.Lock()
	stmt, full := d.prepared[text], len(d.prepared) >= maxPrepared
	d.mu.Unlock()
	if stmt != nil || full {
		return stmt
	}
	stmt, err := db.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if other := d.prepared[text]; other != nil || d.closed {
		defer stmt.Close()
		return other
	}
	d.prepared[text] = stmt
	return stmt
}

// Ping connects, if need be, and asks whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	query := d.settings.ValidateQuery
	if query == "" {
		query = "select 1"
	}
	rows, err := d.Query(ctx, query)
	if err != nil {
		return err
	}
	return rows.Close()
}
