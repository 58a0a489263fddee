//go:build !race

package tui

const slower = 1
