// Package definition is a task's definition as text: what programs write and read as
// JSON (Document, Read, Patch), what people keep in files (Plain, and as YAML File), and by which fields
// one definition differs from another (Changes). Of task.Info it leaves out what
// the store and the owner keep for themselves (Kept). Values in, values out.
package definition
