// Package source opens the databases that data services name and hides how they
// differ: addresses, placeholders, errors, transactions.
//
// A Set belongs to a host. It gives a DB for a service's source; services whose
// sources come to the same database and settings share one. A DB connects when it
// is first used, so a service can be deployed while its database is down, and its
// calls fail with Unreachable until it is back.
//
// The drivers are not imported here. They are looked up in database/sql under the
// names sqlite, pgx, mysql and sqlserver, and the program that is built decides which are
// there.
//
// # Addresses
//
//	jdbc:postgresql://host:port/database?…   jdbc:mysql://…   jdbc:mariadb://…
//	jdbc:sqlite:PATH   sqlite:PATH   postgres://user:password@host/database
//	mysql://user:password@host/database
//	jdbc:sqlserver://host:port;databaseName=name;…   sqlserver://user:password@host?database=name
//
// Parameters of a JDBC address that mean something to the driver are translated,
// the others are dropped with a notice. A Mapping sends a source elsewhere.
//
// # SQLite
//
// A database file has one writer at a time. A DB therefore keeps one connection
// for what writes, which begins its transactions with the lock (BEGIN IMMEDIATE),
// so that writers wait in order within the process instead of failing, and others
// that may only read. The file is in WAL mode, synced at each commit, with foreign
// keys enforced. Its folder is created.
//
// # Errors
//
// Errors carry no credentials. Classify sorts a driver's errors by what a caller
// can do about them.
package source
