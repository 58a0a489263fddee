package local

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/seed42aab489/belfry/coordclient"
	"github.com/seed42aab489/belfry/coordclient/internal/tree"
)

const (
	// applicationID marks a database as a store of Belfry ("Belf").
	applicationID = 0x42656c66
	// format is the newest layout that this release reads and writes.
	format = 1
	// readers bounds the values read at once.
	readers = 4
)

const schema = `
CREATE TABLE entries (
	id       INTEGER PRIMARY KEY, -- of one entry from its creation to its deletion
	key      TEXT    NOT NULL,    -- unique; the writer sees to it
	version  INTEGER NOT NULL,
	modified INTEGER NOT NULL,    -- Unix milliseconds
	value    BLOB    NOT NULL
) STRICT`

// disk is the database file. write is for one goroutine, read for any.
type disk struct {
	path   string
	writer *sql.DB
	conn   *sql.Conn // the writer's only one
	reader *sql.DB
	nextID int64

	create, set, remove, begin, commit, rollback *sql.Stmt
	get                                          *sql.Stmt
}

func openDisk(ctx context.Context, path string) (_ *disk, err error) {
	fresh, err := probe(path)
	if err != nil {
		return nil, err
	}
	d := &disk{path: path, nextID: 1}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.writer, err = sql.Open("sqlite", dsn(path, "journal_mode(wal)", "synchronous(full)", "journal_size_limit(67108864)", "busy_timeout(5000)")); err != nil {
		return nil, err
	}
	d.writer.SetMaxOpenConns(1)
	if d.conn, err = d.writer.Conn(ctx); err != nil {
		return nil, explain(err)
	}
	if err := d.checkFormat(ctx); err != nil {
		return nil, explain(err)
	}
	if fresh {
		if err := syncDir(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	if d.reader, err = sql.Open("sqlite", dsn(path, "query_only(1)", "busy_timeout(5000)", "cache_size(-4096)")); err != nil {
		return nil, err
	}
	d.reader.SetMaxOpenConns(readers)
	d.reader.SetMaxIdleConns(readers)
	return d, explain(d.prepare(ctx))
}

// probe opens the file for writing, so that a read-only one is refused before
// SQLite meets it, and tells whether it is new.
func probe(path string) (fresh bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	return err == nil && info.Size() == 0, errors.Join(err, f.Close())
}

func dsn(path string, pragmas ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = url.Values{"_pragma": pragmas}.Encode()
	return u.String()
}

// syncDir makes the names of new files durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkFormat lays out a new file, and refuses one that is not ours or newer.
func (d *disk) checkFormat(ctx context.Context) error {
	var app, version, tables int64
	row := d.conn.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)`)
	if err := row.Scan(&app, &version, &tables); err != nil {
		return err
	}
	switch {
	case app == 0 && version == 0 && tables == 0:
		_, err := d.conn.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			schema, applicationID, format))
		return err
	case app != applicationID:
		return errors.New("it is an SQLite database, but not a coordination store: name another file")
	case version > format:
		return fmt.Errorf("it was written by a newer release (format %d, this one knows up to %d): start that release again, or restore a copy from before the upgrade", version, format)
	}
	return nil
}

func (d *disk) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&d.begin, "BEGIN IMMEDIATE"},
		{&d.commit, "COMMIT"},
		{&d.rollback, "ROLLBACK"},
		{&d.create, "INSERT INTO entries (id, key, version, modified, value) VALUES (?, ?, 0, ?, ?)"},
		{&d.set, "UPDATE entries SET version = ?, modified = ?, value = ? WHERE id = ? AND version = ?"},
		{&d.remove, "DELETE FROM entries WHERE id = ? AND version = ?"},
	} {
		var err error
		if *p.stmt, err = d.conn.PrepareContext(ctx, p.text); err != nil { //nolint:sqlclosecheck // close does
			return err
		}
	}
	var err error
	d.get, err = d.reader.PrepareContext(ctx, "SELECT key, version, modified, value FROM entries WHERE id = ?")
	return err
}

// load reads which keys there are.
func (d *disk) load(ctx context.Context, into *tree.Tree[int64]) error {
	rows, err := d.conn.QueryContext(ctx, "SELECT id, key, version FROM entries ORDER BY id")
	if err != nil {
		return explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, version int64
		var key string
		if err := rows.Scan(&id, &key, &version); err != nil {
			return explain(err)
		}
		if err := coordclient.CheckKey(key); err != nil {
			return fmt.Errorf("%w: row %d: %w", errDamaged, id, err)
		}
		if version < 0 || !into.Put(key, version, id) {
			return fmt.Errorf("%w: row %d: key %s is there twice or has version %d", errDamaged, id, key, version)
		}
		d.nextID = id + 1
	}
	return explain(rows.Err())
}

// read gives the entry that has the id now.
func (d *disk) read(ctx context.Context, id int64) (coordclient.Entry, error) {
	// A read of one row is not worth the goroutine that the driver starts to
	// interrupt it.
	ctx = context.WithoutCancel(ctx)
	var e coordclient.Entry
	var modified int64
	if err := d.get.QueryRowContext(ctx, id).Scan(&e.Key, &e.Version, &modified, &e.Value); err != nil {
		return coordclient.Entry{}, err
	}
	e.Modified = time.UnixMilli(modified).UTC()
	return e, nil
}

// errDoubt: whether the group is durable is not known.
var errDoubt = errors.New("the disk did not confirm the write")

// write makes a group durable, or nothing of it, or says errDoubt.
func (d *disk) write(writes []tree.Write[int64], now time.Time) error {
	ctx := context.Background() // a group once begun is not abandoned
	if _, err := d.begin.ExecContext(ctx); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, w := range writes {
		if err := d.put(ctx, w, now.UnixMilli()); err != nil {
			if _, rerr := d.rollback.ExecContext(ctx); rerr != nil && d.inTransaction(ctx) {
				return fmt.Errorf("%w: %w, and then: %w", errDoubt, err, rerr)
			}
			return err
		}
	}
	if _, err := d.commit.ExecContext(ctx); err != nil {
		return d.failedCommit(ctx, err)
	}
	return nil
}

// failedCommit tells a commit that surely did not happen from one in doubt: a
// full disk cut the group short, and a busy database did not begin with it.
func (d *disk) failedCommit(ctx context.Context, err error) error {
	_, rerr := d.rollback.ExecContext(ctx)
	sure := isCode(err, sqlite3.SQLITE_FULL) || isCode(err, sqlite3.SQLITE_BUSY)
	if sure && (rerr == nil || !d.inTransaction(ctx)) {
		return fmt.Errorf("commit: %w", err)
	}
	return fmt.Errorf("%w: %w", errDoubt, err)
}

// inTransaction tells whether a rollback is still due. SQLite rolls back by
// itself after some errors, and then refuses the statement.
func (d *disk) inTransaction(ctx context.Context) bool {
	if _, err := d.begin.ExecContext(ctx); err != nil {
		return true
	}
	_, err := d.rollback.ExecContext(ctx)
	return err != nil
}

func (d *disk) put(ctx context.Context, w tree.Write[int64], now int64) error {
	var res sql.Result
	var err error
	switch w.Kind {
	case coordclient.OpCreate:
		_, err = d.create.ExecContext(ctx, w.Payload, w.Key, now, notNil(w.Value))
		return wrapWrite(w, err)
	case coordclient.OpSet:
		res, err = d.set.ExecContext(ctx, w.Version, now, notNil(w.Value), w.Payload, w.Version-1)
	default:
		res, err = d.remove.ExecContext(ctx, w.Payload, w.Version)
	}
	if err != nil {
		return wrapWrite(w, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return wrapWrite(w, errors.Join(fmt.Errorf("%w: another program changed row %d", errDamaged, w.Payload), err))
	}
	return nil
}

func wrapWrite(w tree.Write[int64], err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", w.Kind, w.Key, err)
}

func notNil(value []byte) driver.Value {
	if value == nil {
		return []byte{}
	}
	return value
}

func (d *disk) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{d.get, d.begin, d.commit, d.rollback, d.create, d.set, d.remove} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	if d.reader != nil {
		errs = append(errs, d.reader.Close())
	}
	if d.conn != nil {
		errs = append(errs, d.conn.Close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.Close())
	}
	return errors.Join(errs...)
}

var errDamaged = errors.New("the file is damaged")

func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == code
}

// explain adds to an error of SQLite what to do about it.
func explain(err error) error {
	switch {
	case isCode(err, sqlite3.SQLITE_CORRUPT), isCode(err, sqlite3.SQLITE_NOTADB):
		return fmt.Errorf("%w: %w: restore a copy, or move the file away to begin with an empty store", errDamaged, err)
	case isCode(err, sqlite3.SQLITE_FULL):
		return fmt.Errorf("%w: make room on its disk", err)
	case isCode(err, sqlite3.SQLITE_READONLY), isCode(err, sqlite3.SQLITE_CANTOPEN):
		return fmt.Errorf("%w: the host's user must be able to write the file and its directory", err)
	}
	return err
}
