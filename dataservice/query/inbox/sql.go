package inbox

import (
	"strings"

	"github.com/seed42aab489/belfry/dataservice/source"
)

// horizonID is the row that holds the horizon, in claimed_at. No fire id looks
// like it.
const horizonID = "!horizon"

// statements are the inbox's, in a dialect.
type statements struct {
	create                        []string
	insert, update, load, horizon string
	raise, found, sweep           string
}

// The table in each dialect. Times are Unix milliseconds. The documentation shows
// these, for whoever creates it by hand.
const (
	tableSQLite = `CREATE TABLE IF NOT EXISTS {table} (
  fire_id TEXT NOT NULL PRIMARY KEY, claimed_at INTEGER NOT NULL, executed_at INTEGER NOT NULL,
  service TEXT, request TEXT, state TEXT NOT NULL, row_count INTEGER NOT NULL DEFAULT 0,
  answer BLOB, hits BLOB, fault TEXT)`
	tablePostgres = `CREATE TABLE IF NOT EXISTS {table} (
  fire_id varchar(255) COLLATE "C" NOT NULL PRIMARY KEY, claimed_at bigint NOT NULL, executed_at bigint NOT NULL,
  service text, request text, state varchar(8) NOT NULL, row_count bigint NOT NULL DEFAULT 0,
  answer bytea, hits bytea, fault text)`
	tableMySQL = `CREATE TABLE IF NOT EXISTS {table} (
  fire_id VARBINARY(255) NOT NULL PRIMARY KEY, claimed_at BIGINT NOT NULL, executed_at BIGINT NOT NULL,
  service VARCHAR(255), request VARCHAR(255), state VARCHAR(8) NOT NULL, row_count BIGINT NOT NULL DEFAULT 0,
  answer LONGBLOB, hits LONGBLOB, fault TEXT, INDEX {index} (claimed_at))
  ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`
	indexAside = `CREATE INDEX IF NOT EXISTS {index} ON {table} (claimed_at)`
)

// sweepBatch is how many rows a sweep removes in one transaction.
const sweepBatch = "1000"

func newStatements(d source.Dialect, table string, snapshots bool) statements {
	s := statements{
		insert:  "INSERT INTO {table} (fire_id, claimed_at, executed_at, service, request, state) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		update:  "UPDATE {table} SET state = ?, row_count = ?, answer = ?, hits = ?, fault = ? WHERE fire_id = ?",
		load:    "SELECT state, row_count, answer, hits, fault FROM {table} WHERE fire_id = ?",
		horizon: "SELECT claimed_at FROM {table} WHERE fire_id = '" + horizonID + "'",
		raise:   "UPDATE {table} SET claimed_at = ?, executed_at = ? WHERE fire_id = '" + horizonID + "' AND claimed_at < ?",
		found:   "INSERT INTO {table} (fire_id, claimed_at, executed_at, state) VALUES ('" + horizonID + "', ?, ?, '" + stateDone + "') ON CONFLICT DO NOTHING",
		sweep: "DELETE FROM {table} WHERE fire_id IN (SELECT fire_id FROM {table} WHERE claimed_at < ? AND fire_id <> '" +
			horizonID + "' LIMIT " + sweepBatch + ")",
	}
	switch d {
	case source.SQLite:
		s.create = []string{tableSQLite, indexAside}
	case source.Postgres:
		s.create = []string{tablePostgres, indexAside}
		if snapshots {
			// The snapshot may be older than the horizon; a lock sees, or refuses, what
			// came after it.
			s.horizon += " FOR SHARE"
		}
	case source.MySQL:
		s.create = []string{tableMySQL}
		s.insert = strings.TrimSuffix(s.insert, " ON CONFLICT DO NOTHING") // a duplicate key is an error that ends nothing
		s.found = strings.Replace(strings.TrimSuffix(s.found, " ON CONFLICT DO NOTHING"), "INSERT", "INSERT IGNORE", 1)
		s.sweep = "DELETE FROM {table} WHERE claimed_at < ? AND fire_id <> '" + horizonID + "' LIMIT " + sweepBatch
	}
	return s.named(d, table)
}

// named puts in the table's name and the dialect's placeholders.
func (s statements) named(d source.Dialect, table string) statements {
	_, bare, ok := strings.Cut(table, ".")
	if !ok {
		bare = table
	}
	names := strings.NewReplacer("{table}", table, "{index}", bare+"_claimed")
	for i := range s.create {
		s.create[i] = names.Replace(s.create[i])
	}
	for _, text := range []*string{&s.insert, &s.update, &s.load, &s.horizon, &s.raise, &s.found, &s.sweep} {
		stmt, err := source.Parse(names.Replace(*text), d, nil)
		if err != nil {
			panic("inbox: " + *text + ": " + err.Error()) // the texts above are constants
		}
		*text = stmt.SQL(nil, nil)
	}
	return s
}
