// Package inbox remembers, in the databases themselves, which firings were executed
// and how. The protocol, the rights it needs and its limits are in the comment of
// package query; the statements are in sql.go.
package inbox
