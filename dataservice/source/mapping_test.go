package source

import (
	"strings"
	"testing"
)

func TestMappingCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, err string }{
		{"sqlite:var/samples.db", ""},
		{"postgres://u:p@h/d?x=sqlite", ""},
		{"jdbc:postgresql://h/d", ""},
		{"mysql://h/d", ""},
		{"sqlite:", "lacks its path"},
		{"jdbc:oracle:thin", `"oracle" are not supported`},
		{"jdbc:h2:mem", "H2 is a Java database"},
	} {
		err := Mapping{Match: "a", URL: c.url}.Check()
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", c.url, err, c.err)
		}
	}
}

// A mapping is found by the source's URL, its id, or "Service/id".
func TestSetMaps(t *testing.T) {
	t.Parallel()
	s := NewSet(Options{Mappings: []Mapping{{Match: "jdbc:h2:*"}, {Match: "S/main"}, {Match: "other"}}})
	for _, c := range []struct {
		service, id, url string
		want             bool
	}{
		{"T", "x", "jdbc:h2:mem", true},
		{"S", "main", "", true},
		{"T", "main", "", false},
		{"T", "other", "jdbc:mysql://h/d", true},
		{"T", "x", "", false},
	} {
		if got := s.Maps(c.service, c.id, c.url); got != c.want {
			t.Errorf("%+v: %v", c, got)
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
