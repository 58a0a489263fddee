package conf

import (
	"fmt"
	"regexp"
	"strings"
)

// Mapping sends the data sources that match to another database.
type Mapping struct {
	// Match is compared with the source's JDBC URL, its id, and "Service/id". In
	// it, * stands for anything, also for / and :.
	Match string
	// URL is sqlite:PATH, postgres://…, mysql://… or a JDBC one. Its credentials
	// win over those of the descriptor. It may hold a password: print String.
	URL string
}

var target = regexp.MustCompile(`=(?:sqlite|postgres|postgresql|mysql|mariadb|sqlserver|jdbc):`)

const targetForms = "sqlite:PATH, postgres://…, mysql://… or jdbc:…"

// ParseMapping reads PATTERN=URL. The pattern may hold = itself: the last one
// that a URL of a known kind follows is the border.
func ParseMapping(text string) (Mapping, error) {
	borders := target.FindAllStringIndex(text, -1)
	if len(borders) == 0 {
		return Mapping{}, fmt.Errorf("%q is not PATTERN=URL, with a URL like %s", withoutPassword(text), targetForms)
	}
	i := borders[len(borders)-1][0]
	m := Mapping{Match: strings.TrimSpace(text[:i]), URL: strings.TrimSpace(text[i+1:])}
	return m, m.check()
}

func (m Mapping) check() error {
	if m.Match == "" {
		return fmt.Errorf("the pattern is empty; * matches everything")
	}
	if !target.MatchString("=" + m.URL) {
		return fmt.Errorf("%q is not a URL like %s", withoutPassword(m.URL), targetForms)
	}
	if _, rest, _ := strings.Cut(m.URL, ":"); rest == "" {
		return fmt.Errorf("%q names no database", m.URL)
	}
	return nil
}

// String gives PATTERN=URL without passwords.
func (m Mapping) String() string { return m.Match + "=" + withoutPassword(m.URL) }

// GoString hides passwords from %#v.
func (m Mapping) GoString() string { return fmt.Sprintf("%q", m.String()) }

// MarshalText hides passwords from JSON, YAML and the like.
func (m Mapping) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

var (
	passwordParameter = regexp.MustCompile(`(?i)((?:password|passwd|pwd|secret|token)=)(?:\{(?:[^}]|\}\})*\}?|[^&;\s]*)`)
	userinfo          = regexp.MustCompile(`(//[^/?#@:]*):[^/?#]*@`)
)

func withoutPassword(text string) string {
	text = userinfo.ReplaceAllString(text, "$1:"+redacted+"@")
	return passwordParameter.ReplaceAllString(text, "${1}"+redacted)
}
