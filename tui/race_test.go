//go:build race

package tui

// slower is what the race detector costs at most.
const slower = 20
