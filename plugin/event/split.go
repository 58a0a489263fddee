package event

import "strings"

// Split takes a mailto: subscription of several addresses apart, so that each
// is a message of its own: a server that refuses one of them refuses no other,
// and none gets a second copy because of another. Any other subscription is
// given as it is.
func Split(to string) []string {
	scheme, rest, _ := strings.Cut(to, ":")
	if !strings.EqualFold(scheme, "mailto") || strings.ContainsAny(rest, "?") {
		return []string{to}
	}
	var all []string
	for a := range strings.SplitSeq(rest, ",") {
		all = append(all, "mailto:"+strings.TrimSpace(a))
	}
	return all
}
