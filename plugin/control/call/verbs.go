package call

// Reads tells whether a verb only tells something: a host that is asked it changes
// nothing.
func Reads(verb string) bool { return verb == verbRehearse || verb == verbFetch }
