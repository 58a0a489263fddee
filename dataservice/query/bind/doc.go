// Package bind turns the values of a request into a driver's arguments: defaults,
// validators, the lexical forms of sqlTypes. It is pure. What it means to the
// author of a descriptor is in the comment of package query.
package bind
