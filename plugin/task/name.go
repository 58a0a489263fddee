package task

import "fmt"

// MaxName bounds the name of a task in bytes.
const MaxName = 128

// NameFault says what is wrong with a name of at most limit bytes; empty: nothing.
// It takes letters, digits, underscore and hyphen as in the original (DSTaskUtils),
// and dots; the first is no hyphen and no dot.
func NameFault(name string, limit int) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > limit:
		return fmt.Sprintf("it has %d bytes, the limit is %d", len(name), limit)
	case name[0] == '-' || name[0] == '.':
		return "it must begin with a letter, a digit or an underscore"
	}
	for i := range len(name) {
		if !InName(name[i]) {
			return "use letters, digits, underscore, hyphen and dot"
		}
	}
	return ""
}

// InName tells whether a byte may be part of a name.
func InName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}
