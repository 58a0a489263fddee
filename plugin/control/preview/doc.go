// Package preview tells what a definition would do, and what is wrong with it,
// while somebody writes it: when it fires next, how often in a year, what its
// calendars and changes of clocks do to that. It needs no store.
package preview
