// Package explain says why: why a task does what it does or does not (Task), and
// what in a group is well and what is not (Group), the most telling first, each
// finding with a stable code and with command lines that help.
//
// Values in, values out: plugin/control looks, this judges what was seen.
package explain
