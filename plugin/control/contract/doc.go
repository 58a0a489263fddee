// Package contract is what administrators and programs are shown: the JSON
// contract of the command line, of the REST interface and of any other reader.
// snake_case, lists are arrays and never null, times RFC 3339 in UTC. Fields may be
// added, none is renamed or removed. Nothing but values.
package contract
