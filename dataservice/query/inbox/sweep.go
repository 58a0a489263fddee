package inbox

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

// Sweep removes what is older than the retention from all boxes. Several members
// may do so at once.
func (i *Inbox) Sweep(ctx context.Context) error {
	if i.opts.Off {
		return nil
	}
	i.mu.Lock()
	boxes := slices.Collect(maps.Values(i.boxes))
	i.mu.Unlock()
	var errs []error
	for _, b := range boxes {
		if err := b.sweep(ctx); err != nil && source.Classify(err) != source.NoTable {
			errs = append(errs, fmt.Errorf("sweep the inbox of %s: %w", b.db, err))
		}
	}
	return errors.Join(errs...)
}

// sweep raises the horizon, commits, and only then removes rows: a firing whose
// row is gone always finds the horizon that refuses it.
func (b *Box) sweep(ctx context.Context) error {
	o := b.inbox.opts
	now := b.inbox.now().UnixMilli()
	cut := now - o.Retention.Milliseconds()
	step := func(text string, args ...any) (int64, error) {
		tx, err := b.db.Begin(ctx, source.TxOptions{Guard: &source.Guard{LockWait: o.LockWait, Idle: o.Idle}})
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
	n, err := step(b.sql.raise, cut, now, cut)
	if err == nil && n == 0 {
		_, err = step(b.sql.found, cut, now)
	}
	for n = 1; err == nil && n > 0; {
		n, err = step(b.sql.sweep, cut)
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

// Loose names a table without transactions that is among the words of a query's
// statements, lower case; empty: none.
func (b *Box) Loose(ctx context.Context, words map[string]bool) (string, error) {
	if b.db.Dialect() != source.MySQL {
		return "", nil
	}
	now := b.inbox.now()
	b.mu.Lock()
	loose, at := b.loose, b.looseAt
	b.mu.Unlock()
	if loose == nil || now.Sub(at) > looseFor {
		var err error
		if loose, err = readLoose(ctx, b.db); err != nil {
			return "", err
		}
		b.mu.Lock()
		b.loose, b.looseAt = loose, now
		b.mu.Unlock()
	}
	for _, name := range slices.Sorted(maps.Keys(loose)) {
		if words[name] {
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
	defer rows.Close() //nolint:errcheck // it was only read
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
