// Package query executes the queries of a data service: it binds and checks
// parameters, runs statements in transactions, nests queries in results, shows
// requests to event triggers, and records firings in an inbox so that their
// effect happens once.
//
// An Engine makes a Runtime for each version of a service. Opening compiles every
// query: its statement for the source's dialect, its parameters, validators and
// result. What is wrong is an error with its place; what is only not supported is
// refused alone (Runtime.Unsupported), and its calls fail with FaultUnsupported.
// Nothing is connected until a request needs it.
//
// # Parameters
//
// Values are always bound, never pasted into a statement. Placeholders are :name,
// or ? in the order of the ordinals; in a statement with both, a ? is the parameter
// whose ordinal is its place among all. An array stands for as many placeholders as
// it has values; an empty one for NULL, so that "in (:list)" holds for no row.
//
// A request's value for a parameter is found through the call's with-param. One
// that is not given takes the default, is null if it is optional, else it is a
// fault. A null takes the default only where forceDefault says so, which does the
// same to an empty value. #{NULL}, #{UUID} and the like are made at each request
// (package bind). An UPDATE leaves the columns of optional parameters that are not
// given.
// Validators see each value after the defaults, and no nulls; lengths are counted
// in characters. A value that does not have the lexical form of its sqlType is an
// INCOMPATIBLE_PARAMETERS_ERROR, one that a validator refuses a VALIDATION_ERROR;
// both name the parameter and not the value.
//
// PostgreSQL is told the type of numbers, booleans and binaries by a cast
// ($1::int4), as its JDBC driver tells it; the types of texts, dates and times it
// infers. A timestamp with a zone is turned to UTC, one without is taken as it is.
// A QUERY_STRING, which is text of the statement, is served only with a pattern that
// keeps a request from changing what it does (see bind.Param), and the statement it
// becomes is read again: it must stay one, of the same kind.
//
// Values that a stored procedure gives back are columns of its rows, or of one row
// if it has none; package proc says how it is called.
//
// # Results
//
// A row's fields are written while rows are read. A query whose result calls
// others reads its rows to the end first, bounded by Limits, and gives its
// connection back: a request never holds one connection while it waits for
// another of the same source, so a pool of one connection is enough. A nested
// call finds a parameter where its with-param says (column or query-param), and
// else in the other place. Column names are compared in any case. Elements with
// requiredRoles are left out unless the caller has one of the roles; so are calls
// of queries with requiredRoles. An optional field that is null is left out. A value
// that is exported is a parameter of the queries after it, where nothing else gives
// them one of that name.
//
// The descriptor's maxRows leaves out what is beyond it, as JDBC does; Limits are
// the host's, and a request that exceeds them fails with FaultLimit.
//
// returnGeneratedKeys asks PostgreSQL with RETURNING (keyColumns, else all
// columns, as its JDBC driver does), SQLite too if keyColumns are named; SQLite
// and MySQL otherwise give the last key, under whatever name the result asks for.
// returnUpdatedRowCount gives the rows found by the statement, changed or not.
//
// # Transactions
//
// A request that may write, itself or in a nested query, is one transaction on
// its source, whatever autocommit says: one statement commits alone either way. A
// query that is nested on another source may only read. A request that only reads
// has no transaction, and is written to the Sink as it comes. The answer to any
// other, and to one that an event trigger looks at, is kept (Limits.Bytes) until
// its transaction is over and its events are accepted.
//
// A box is one transaction too: its requests are executed in their order, and their
// hits are accepted in one call after the commit. Those that write are on one
// source, or the box is refused before anything is executed.
//
// # Event triggers
//
// A trigger sees what a query was given, as <queryId><param>value</param>…
// </queryId> without a namespace, or the whole result of the request's query. It
// sees it after the statements have succeeded and before the commit. Triggers on
// what is given also work on nested queries; those on results do not, as in the
// original. Nothing that a trigger does makes a request fail.
//
// # The inbox
//
// A request with a fire key is executed at most once, however often it is asked
// for, by whichever member. The inbox is a table beside the data, made when it is
// first needed:
//
//  1. The first statement of the transaction inserts the fire id. If another
//     transaction holds it, then after a short wait (LockWait) the answer is
//     FaultInProgress. If it is there, nothing is executed: the recorded answer or
//     fault is given, and the recorded hits go to Hook.Accept again.
//  2. A firing that was claimed before the horizon to which the inbox has been
//     swept is refused (FaultExpired).
//  3. The request is executed. Its outcome and its hits are put into the row, and
//     all is committed together.
//  4. A failure of the business (a constraint, a value, a statement that is wrong,
//     a bound that is exceeded) is rolled back to before the effect, and committed
//     in the row: it is the answer from then on, and ErrRecorded is in its chain.
//     Any other failure leaves no row, and the firing can be asked for again.
//  5. The hits are given to Hook.Accept after the commit. If that fails the call
//     fails, and asking again gives the same hits.
//
// Should this process freeze in the middle, the database ends its transaction:
// PostgreSQL by statement_timeout and idle_in_transaction_session_timeout, MariaDB
// and MySQL by max_statement_time (max_execution_time) and wait_timeout, set for
// the transaction. With SQLite the lock is the process's own and ends with it.
//
// A firing that only reads has no row, unless an event trigger raised a hit: it is
// recorded then, so that the event outlives a crash though the condition may not
// hold any more. Servers execute it in a read-only transaction; if the database
// refuses, because a function of it writes, it is executed as one that writes.
//
// The inbox needs SELECT, INSERT, UPDATE and DELETE on its table, and CREATE TABLE
// once, unless an administrator has created it (the statements are in
// inbox_sql.go and in the documentation). InboxOptions name it, say how long rows
// are kept (Retention; Engine.Sweep removes older ones), and switch it off.
// Tables on engines without transactions (MyISAM, MEMORY, Aria) are recognised
// when a statement names them: their operations are executed at least once, and
// Runtime.Transactional says so. Tables that such a statement reaches through a
// view, a trigger or a foreign server are not recognised.
package query
