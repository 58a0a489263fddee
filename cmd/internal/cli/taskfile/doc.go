// Package taskfile reads and writes task files: YAML documents, each the
// definition of one task, for belfry apply, diff, plan, validate and export.
//
// A document has the JSON names of task.Info, those left out that the store
// sets (definition.Plain), so that whatever a task can be given can be kept in
// a file. "format: 1" may go first. Names, tenants and types are those of the
// task; times are RFC 3339, lengths of time as Go writes them.
//
//	format: 1
//	name: nightly
//	service: Stock
//	operation: getLowStock
//	trigger: {cron: "0 30 2 * * ?", tz: Europe/Berlin}
//	retry: {max: 2, backoff: 30s}
//	paused: false
//
// What a file does not say has its default, but for three things that stay as
// they are in the store: whether the task is paused, its delivery, and the start
// that its interval counts from. An interval without a count goes on for ever,
// as with task create. Unknown fields are refused.
//
// What a Writer makes of a task, applied to the same task, changes nothing.
package taskfile
