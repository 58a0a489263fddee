// Package control is what an administrator can ask and order: the commands and
// queries behind the command line, the terminal screens and the REST interface.
//
// It needs no host. Definitions, runs and what was deployed are read from the
// coordination store and replayed here by the same code that the owners of
// buckets use, so a query tells what an owner would tell, also when none is
// alive. Commands are edits of the store, which the owners must obey from the
// acknowledgement on. Hosts are asked for little (package call): to try an
// operation, to fetch a WSDL document, to rehearse a placement.
//
// # Rooms
//
// What needs no edits has rooms of its own, from the ground up:
//
//	contract    what is shown: the JSON contract
//	failure     how it fails: codes, hints, and how they cross the group
//	definition  a definition as text: documents, patches, what differs
//	check       what is wrong with a definition as it is written
//	standing    how the tasks of a bucket stand, and their runs
//	group       how the hosts stand, who leads, where the buckets are
//	explain     why a task does what it does; what in a group is not well
//	preview     what a definition would do, while it is written
//	timeline    what has fired and is to fire, in equal parts of time
//	follow      a picture of the group that is kept up to date
//	backup      the text of a backup
//	call        what one host is asked to do, and how it answers
//
// All but group and follow do without the store. What stays here asks and edits
// it.
package control
