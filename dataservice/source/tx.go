package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// Guard bounds a transaction, so that the database ends it if this process stops
// in its middle. Zero durations mean no bound. SQLite needs none: its lock dies
// with the process.
type Guard struct {
	LockWait  time.Duration // for a lock, until Relax
	Statement time.Duration // for each statement
	Idle      time.Duration // between statements
}

// TxOptions say what a transaction is for.
type TxOptions struct {
	ReadOnly bool
	Guard    *Guard // nil: none
}

// Tx is a transaction. Not safe for concurrent use.
type Tx struct {
	db    *DB
	tx    *sql.Tx
	conn  *sql.Conn // MySQL with a guard: its session was changed
	guard *Guard
	give  func()
}

// Snapshots tells that a guarded transaction goes on seeing the state at its
// first statement, not what was committed since.
func (d *DB) Snapshots() bool {
	switch d.settings.Isolation {
	case sql.LevelDefault, sql.LevelReadCommitted, sql.LevelReadUncommitted:
		return false
	}
	return true
}

// Begin starts a transaction. It waits for a connection, up to the pool's
// maxWait.
func (d *DB) Begin(ctx context.Context, o TxOptions) (*Tx, error) {
	read, write, err := d.pools()
	if err != nil {
		return nil, err
	}
	pool, slots := write, d.writes
	if o.ReadOnly {
		pool, slots = read, d.reads
	}
	give, err := d.take(ctx, slots)
	if err != nil {
		return nil, err
	}
	t := &Tx{db: d, guard: o.Guard, give: give}
	if err := t.begin(ctx, pool, o); err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

func (t *Tx) begin(ctx context.Context, pool *sql.DB, o TxOptions) (err error) {
	var opts *sql.TxOptions
	if t.db.addr.dialect != SQLite {
		opts = &sql.TxOptions{ReadOnly: o.ReadOnly && t.db.addr.dialect != SQLServer, Isolation: t.db.settings.Isolation}
		if opts.Isolation == sql.LevelDefault && t.guard != nil {
			opts.Isolation = sql.LevelReadCommitted // so that Snapshots is right, whatever the server's default
		}
	}
	if t.guard == nil || t.db.addr.dialect != MySQL {
		if t.tx, err = pool.BeginTx(ctx, opts); err != nil {
			return err
		}
		return t.guardPostgres(ctx)
	}
	if t.conn, err = pool.Conn(ctx); err != nil {
		return err
	}
	if err = t.guardMySQL(ctx); err != nil {
		return err
	}
	t.tx, err = t.conn.BeginTx(ctx, opts)
	return err
}

func (t *Tx) guardPostgres(ctx context.Context) error {
	if t.guard == nil || t.db.addr.dialect != Postgres {
		return nil
	}
	_, err := t.tx.ExecContext(ctx, fmt.Sprintf(
		"SET LOCAL lock_timeout = %d; SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %d",
		t.guard.LockWait.Milliseconds(), t.guard.Statement.Milliseconds(), t.guard.Idle.Milliseconds()))
	if err != nil {
		_ = t.tx.Rollback() // the first error says what happened
		t.tx = nil
	}
	return err
}

// guardMySQL sets the session, since MySQL has nothing for one transaction; end
// sets it back.
func (t *Tx) guardMySQL(ctx context.Context) error {
	version, err := t.db.serverVersion(ctx, t.conn)
	if err != nil {
		return err
	}
	set := fmt.Sprintf("SET SESSION innodb_lock_wait_timeout = %d, SESSION wait_timeout = %d",
		wholeSeconds(t.guard.LockWait, 50), wholeSeconds(t.guard.Idle, 28800))
	if t.guard.Statement > 0 {
		if strings.Contains(version, "MariaDB") {
			set += fmt.Sprintf(", SESSION max_statement_time = %d", wholeSeconds(t.guard.Statement, 0))
		} else {
			set += fmt.Sprintf(", SESSION max_execution_time = %d", t.guard.Statement.Milliseconds())
		}
	}
	_, err = t.conn.ExecContext(ctx, set)
	return err
}

// wholeSeconds rounds up, at least 1.
func wholeSeconds(d time.Duration, none int64) int64 {
	if d <= 0 {
		return none
	}
	return int64((d + time.Second - 1) / time.Second)
}

// serverVersion asks once.
func (d *DB) serverVersion(ctx context.Context, conn *sql.Conn) (string, error) {
	d.mu.Lock()
	v := d.version
	d.mu.Unlock()
	if v != "" {
		return v, nil
	}
	if err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&v); err != nil {
		return "", err
	}
	d.mu.Lock()
	d.version = v
	d.mu.Unlock()
	return v, nil
}

// Relax lifts the guard's bound on the wait for locks.
func (t *Tx) Relax(ctx context.Context) error {
	if t.guard == nil {
		return nil
	}
	var err error
	switch t.db.addr.dialect {
	case Postgres:
		_, err = t.tx.ExecContext(ctx, "SET LOCAL lock_timeout = 0")
	case MySQL:
		_, err = t.tx.ExecContext(ctx, "SET SESSION innodb_lock_wait_timeout = DEFAULT")
	}
	return err
}

// Query runs a statement that returns rows.
func (t *Tx) Query(ctx context.Context, text string, args ...any) (*Rows, error) {
	rows, err := t.tx.QueryContext(ctx, text, args...) //nolint:rowserrcheck // whoever reads the Rows asks them
	if err != nil {
		return nil, err
	}
	return &Rows{Rows: rows}, nil
}

// Exec runs a statement that does not.
func (t *Tx) Exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, text, args...)
}

// Commit ends the transaction. An error of class Lost leaves it unknown whether
// the commit happened.
func (t *Tx) Commit() error {
	err := t.tx.Commit()
	t.end()
	return err
}

// Rollback ends the transaction without effect. After Commit it does nothing.
func (t *Tx) Rollback() {
	if t.tx == nil {
		return
	}
	_ = t.tx.Rollback() // if it does not arrive, the database rolls back by itself
	t.end()
}

// resetTimeout bounds the setting back of a session.
const resetTimeout = 5 * time.Second

// end gives the connection back, its session as it was.
func (t *Tx) end() {
	t.tx = nil
	if t.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), resetTimeout)
		defer cancel()
		limit := "max_execution_time"
		t.db.mu.Lock()
		if strings.Contains(t.db.version, "MariaDB") {
			limit = "max_statement_time"
		}
		t.db.mu.Unlock()
		_, err := t.conn.ExecContext(ctx,
			"SET SESSION innodb_lock_wait_timeout = DEFAULT, SESSION wait_timeout = DEFAULT, SESSION "+limit+" = DEFAULT")
		if err != nil {
			_ = t.conn.Raw(func(any) error { return driver.ErrBadConn }) // do not use this one again
		}
		_ = t.conn.Close()
		t.conn = nil
	}
	if t.give != nil {
		t.give()
		t.give = nil
	}
}
