package event

import "time"

// Limits bounds the dispatcher. A zero field means its default.
type Limits struct {
	// Concurrency is how many messages are sent at once, PerTarget how many of
	// them to the same host (all mail counts as one). Defaults 8 and 2.
	Concurrency, PerTarget int
	// SendTimeout bounds one attempt. Default 60 s.
	SendTimeout time.Duration
	// Backoff before the second attempt; it doubles, up to MaxBackoff. Half of
	// each is random. Defaults 2 s and 10 min.
	Backoff, MaxBackoff time.Duration
	// A message is given up after MaxAge since it was raised, or MaxAttempts.
	// Defaults 3 days and 1000.
	MaxAge      time.Duration
	MaxAttempts int
	// DeadRetention is how long a message that was given up is kept to be seen.
	// Default 30 days.
	DeadRetention time.Duration
}

func (l Limits) normal() Limits {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	count := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	count(&l.Concurrency, 8)
	count(&l.PerTarget, 2)
	count(&l.MaxAttempts, 1000)
	set(&l.SendTimeout, time.Minute)
	set(&l.Backoff, 2*time.Second)
	set(&l.MaxBackoff, 10*time.Minute)
	set(&l.MaxAge, 72*time.Hour)
	set(&l.DeadRetention, 30*24*time.Hour)
	return l
}
