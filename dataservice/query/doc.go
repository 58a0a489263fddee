// Package query executes the queries of a data service: it binds and checks
// parameters, runs statements in transactions, nests queries in results, shows
// requests to event triggers, and records firings in an inbox so that their
// effect happens once.
package query
