package source

import (
	"strings"
	"testing"
)

func TestParseMapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, match, url, err string }{
		{"jdbc:h2:*=sqlite:var/samples.db", "jdbc:h2:*", "sqlite:var/samples.db", ""},
		{"a=b=postgres://u:p@h/d?x=sqlite", "a=b", "postgres://u:p@h/d?x=sqlite", ""},
		{"jdbc:mysql://h/d?a=b=jdbc:postgresql://h/d", "jdbc:mysql://h/d?a=b", "jdbc:postgresql://h/d", ""},
		{"Svc/default=mysql://h/d", "Svc/default", "mysql://h/d", ""},
		{"nothing", "", "", "want PATTERN=URL"},
		{"a=http://h", "", "", "want PATTERN=URL"},
		{"=sqlite:x", "", "", "the pattern is empty"},
		{"a=sqlite:", "", "", "lacks its path"},
		{"a=jdbc:oracle:thin", "", "", `"oracle" are not supported`},
		{"a=jdbc:h2:mem", "", "", "H2 is a Java database"},
		{"secret=ftp://user:pass@h", "", "", "***"},
	} {
		m, err := ParseMapping(c.in)
		switch {
		case c.err == "" && (err != nil || m.Match != c.match || m.URL != c.url):
			t.Errorf("%s: %+v, %v", c.in, m, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", c.in, err, c.err)
		case err != nil && strings.Contains(err.Error(), "user:pass"):
			t.Errorf("%s: the error tells the password: %v", c.in, err)
		}
	}
}

func TestMappingMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"*", "jdbc:h2:file:./a/b", true},
		{"jdbc:h2:*", "jdbc:h2:file:./a/b", true},
		{"jdbc:h2:*", "jdbc:h2", false},
		{"*/default", "Group/Svc/default", true},
		{"*/default", "default", false},
		{"a*b*c", "aXXbYYc", true},
		{"a*b*c", "aXXcYYb", false},
		{"a*a", "a", false},
		{"exact", "exact", true},
		{"exact", "Exact", false},
		{"*x*", "axb", true},
		{"**", "q", true},
		{"a.c", "abc", false},
	} {
		if got := (Mapping{Match: c.pattern}).matches(c.s); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.s, got)
		}
	}
}
