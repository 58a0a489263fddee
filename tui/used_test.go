//go:build !linux

package tui

import "time"

var epoch = time.Now()

// used is the time that has passed: more than the processor's.
func used() time.Duration { return time.Since(epoch) }

// processor is the same.
func processor() time.Duration { return used() }
