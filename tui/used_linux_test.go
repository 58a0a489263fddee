package tui

import (
	"syscall"
	"time"
)

// used is the processor's time that this thread has had.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic(err) // of a call without a way to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
