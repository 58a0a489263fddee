package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice/source"
)

// Sweep removes what is older than the retention from the inboxes of all open
// sources. It is to be called now and then; hourly will do. Several members may
// do so at once.
func (e *Engine) Sweep(ctx context.Context) error {
	if e.inbox.opts.Off {
		return nil
	}
	e.inbox.mu.Lock()
	dbs := maps.Clone(e.inbox.dbs)
	e.inbox.mu.Unlock()
	var errs []error
	for db, in := range dbs {
		if err := e.inbox.sweep(ctx, db, in); err != nil && source.Classify(err) != source.NoTable {
			errs = append(errs, fmt.Errorf("sweep the inbox of %s: %w", db, err))
		}
	}
	return errors.Join(errs...)
}

// sweep raises the horizon, commits, and only then removes rows: a firing whose
// row is gone always finds the horizon that refuses it.
func (i *inbox) sweep(ctx context.Context, db *source.DB, in *inboxDB) error {
	now := i.now().UnixMilli()
	cut := now - i.opts.Retention.Milliseconds()
	step := func(text string, args ...any) (int64, error) {
		tx, err := db.Begin(ctx, source.TxOptions{Guard: &source.Guard{LockWait: i.opts.LockWait, Idle: i.opts.Idle}})
		if err != nil {
			return 0, err
		}
		defer tx.Rollback()
		res, err := tx.Exec(ctx, text, args...)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		return n, tx.Commit()
	}
	n, err := step(in.sql.raise, cut, now, cut)
	if err == nil && n == 0 {
		_, err = step(in.sql.found, cut, now)
	}
	for n = 1; err == nil && n > 0; {
		n, err = step(in.sql.sweep, cut)
	}
	return err
}

// looseFor is how long it is believed which tables have no transactions.
const looseFor = time.Minute

// looseTables lists the tables of the current database on engines without
// transactions (MyISAM, MEMORY, Aria).
const looseTables = `SELECT t.TABLE_NAME FROM information_schema.TABLES t
 LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
 WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' AND COALESCE(e.TRANSACTIONS, 'NO') <> 'YES' LIMIT 10000`

// loosely names a table without transactions that the query's statements
// mention; empty: none.
func (i *inbox) loosely(ctx context.Context, in *inboxDB, c *compiled) (string, error) {
	if c.db.Dialect() != source.MySQL {
		return "", nil
	}
	in.mu.Lock()
	loose, at := in.loose, in.looseAt
	in.mu.Unlock()
	if loose == nil || i.now().Sub(at) > looseFor {
		var err error
		if loose, err = readLoose(ctx, c.db); err != nil {
			return "", err
		}
		in.mu.Lock()
		in.loose, in.looseAt = loose, i.now()
		in.mu.Unlock()
	}
	for _, name := range slices.Sorted(maps.Keys(loose)) {
		if c.words[name] {
			return name, nil
		}
	}
	return "", nil
}

func readLoose(ctx context.Context, db *source.DB) (map[string]bool, error) {
	rows, err := db.Query(ctx, looseTables)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	loose := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		loose[strings.ToLower(name)] = true
	}
	return loose, rows.Err()
}

// Transactional tells whether a firing of the query has its effect once: whether
// its source can record the fire id in the transaction of the effect. If not, why
// says so, and the query offers at-least-once only. A query that only reads is
// always safe to repeat. It may ask the database; an error means that it did not
// answer.
func (r *Runtime) Transactional(ctx context.Context, queryID string) (ok bool, why string, err error) {
	c := r.queries[queryID]
	switch {
	case c == nil:
		return false, fmt.Sprintf("there is no query %q", queryID), nil
	case c.refused != "":
		return false, "not supported: " + c.refused, nil
	case !c.writes:
		return true, "", nil
	case r.engine.inbox.opts.Off:
		return false, "the inbox is switched off", nil
	}
	in := r.engine.inbox.of(c.db)
	if in == nil {
		return false, "the service is closed", nil
	}
	table, err := r.engine.inbox.loosely(ctx, in, c)
	if err != nil {
		return false, "", err
	}
	if table != "" {
		return false, fmt.Sprintf("the table %s is on a storage engine without transactions", table), nil
	}
	return true, "", nil
}
