// Package proc turns calls of stored procedures, as JDBC writes them, into what
// each database takes:
//
//	{call name(?, :b)}   {? = call name(?)}   call name(?, ?)
//
// MariaDB and MySQL give the values of OUT and INOUT parameters in variables of
// the session, which are asked for after the call. PostgreSQL gives them as the
// columns of a row. As its JDBC driver does, a call in braces is one of a
// function (select * from name(…)), and one without is one of a procedure. SQLite
// has neither.
package proc
