package tui

import (
	"syscall"
	"time"
)

// used is the processor's time that this thread has had.
func used() time.Duration { return usage(syscall.RUSAGE_THREAD) }

// processor is the processor's time that this process has had.
func processor() time.Duration { return usage(syscall.RUSAGE_SELF) }

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // of a call without a way to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
