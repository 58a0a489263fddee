package source

import (
	"fmt"
	"regexp"
	"strings"
)

// Mapping sends the sources that match a pattern to another database.
type Mapping struct {
	// Match is compared with the source's JDBC address, its id, and
	// "Service/id"; * stands for anything, also / and :. Case counts.
	Match string
	// URL is an address as the package comment shows them. Its credentials win;
	// without any, the descriptor's apply if it is the same kind of database.
	URL string
}

// Check refuses a mapping to an address that no source can have.
func (m Mapping) Check() error {
	if _, err := parseAddress(m.URL, credentials{}); err != nil {
		return fmt.Errorf("mapping of %q: %w", m.Match, err)
	}
	return nil
}

// matches tells whether the whole of s fits the pattern.
func (m Mapping) matches(s string) bool {
	pieces := strings.Split(m.Match, "*")
	if len(pieces) == 1 {
		return s == m.Match
	}
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, p := range pieces[1 : len(pieces)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// find gives the first mapping that matches one of the names.
func find(rules []Mapping, names ...string) (Mapping, bool) {
	for _, m := range rules {
		for _, n := range names {
			if n != "" && m.matches(n) {
				return m, true
			}
		}
	}
	return Mapping{}, false
}

var userInfo = regexp.MustCompile(`//[^/@\s]*@`)

// redactURL hides user and password of an address.
func redactURL(s string) string {
	s = userInfo.ReplaceAllString(s, "//***@")
	if i := strings.IndexAny(s, "?;"); i >= 0 {
		s = s[:i+1] + "…"
	}
	return s
}
