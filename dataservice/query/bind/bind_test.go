package bind

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source"
)

func TestCompilePattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		java    string
		yes, no []string
	}{
		{`[A-Z]{2}\d+`, []string{"AB1", "XY999"}, []string{"AB", "AB1 ", "xAB1", "ab1", "AB1\n"}},
		{`a|b`, []string{"a", "b"}, []string{"ab", "ba"}},
		{`\p{Alpha}+`, []string{"abC"}, []string{"a1", ""}},
		{`[\p{Alpha}\d_]+`, []string{"a1_"}, []string{"a-"}},
		{`\P{Upper}`, []string{"a", "1"}, []string{"A"}},
		{`\p{L}+`, []string{"Größe"}, []string{"a1"}},
		{`\Qa.b\E+`, []string{"a.b", "a.bb"}, []string{"axb"}},
		{`\u0041\x42`, []string{"AB"}, []string{"ab"}},
		{`^\s*x$`, []string{"x", " \tx"}, []string{"x "}},
		{`[a\-z]+`, []string{"a-z"}, []string{"b"}},
		{`[^\[\]]+`, []string{"ab"}, []string{"a[b"}},
		{`(?i)yes`, []string{"YES", "yes"}, []string{"no"}},
		{`(?<y>\d{4})-(?:\d\d)`, []string{"2024-01"}, []string{"24-01"}},
		{`\/\-\.\ü`, []string{"/-.ü"}, []string{"/-x"}},
		{`[&]`, []string{"&"}, []string{"a"}},
	} {
		re, err := compilePattern(c.java)
		if err != nil {
			t.Errorf("%s: %v", c.java, err)
			continue
		}
		for _, s := range c.yes {
			if !re.MatchString(s) {
				t.Errorf("%s does not match %q (%s)", c.java, s, re)
			}
		}
		for _, s := range c.no {
			if re.MatchString(s) {
				t.Errorf("%s matches %q (%s)", c.java, s, re)
			}
		}
	}
	for java, why := range map[string]string{
		`a++`: "possessive", `a*+b`: "possessive", `a{2}+`: "possessive", `(?>a)`: "atomic", `(?=a)b`: "look-around", `(?<!a)b`: "look-around",
		`(a)\1`: "references back", `\k<x>`: "references back", `[a-z&&[^b]]`: "intersections", `[a[bc]]`: "class within a class", `\Gx`: `\G is not supported`,
		`(`: "missing closing )", `a)|(b`: "unexpected )", `[a`: "missing closing ]", `a{1001}`: "invalid repeat count", `\`: "ends with a backslash", `\p{Nope}`: "invalid character class", `\p{L`: "does not end", `\07`: "octal",
	} {
		if _, err := compilePattern(java); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", java, err, why)
		}
	}
}

func TestValidators(t *testing.T) {
	t.Parallel()
	f := func(n float64) *float64 { return &n }
	for _, c := range []struct {
		v       dataservice.Validator
		yes, no []string
	}{
		{dataservice.Validator{Kind: dataservice.ValidateLong, Minimum: f(-2), Maximum: f(10)}, []string{"-2", "10", " 3 "}, []string{"-3", "11", "1.5", "", "x", "99999999999999999999"}},
		{dataservice.Validator{Kind: dataservice.ValidateDouble, Minimum: f(-2000), Maximum: f(2000)}, []string{"1999.99", "-2e3", "0"}, []string{"2000.01", "NaN", "inf", "", "1_0"}},
		{dataservice.Validator{Kind: dataservice.ValidateLength, Minimum: f(2), Maximum: f(3)}, []string{"ab", "äöü"}, []string{"a", "abcd", ""}},
		{dataservice.Validator{Kind: dataservice.ValidateLength, Maximum: f(3)}, []string{"", "abc"}, []string{"abcd"}},
	} {
		check, err := compileValidator(c.v)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.yes {
			if err := check(s); err != nil {
				t.Errorf("%s %q: %v", c.v.Kind, s, err)
			}
		}
		for _, s := range c.no {
			if check(s) == nil {
				t.Errorf("%s took %q", c.v.Kind, s)
			}
		}
	}
	if _, err := compileValidator(dataservice.Validator{Kind: dataservice.ValidateCustom, Class: "x.Y"}); err == nil || !strings.Contains(err.Error(), "x.Y") {
		t.Errorf("%v", err)
	}
}

// clock stands still.
func clock() time.Time {
	return time.Date(2024, 5, 6, 7, 8, 9, 500_000_000, time.FixedZone("", 2*3600))
}

// TestArrayDefaults holds how a default becomes the values of an array.
func TestArrayDefaults(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a": "[a]", "a,b": "[a b]", "a, b": "[a  b]", "": "[]", "a,": "[a ]", `'a,b',"c'd",e`: "[a,b c'd e]", `it\'s,x\ty`: "[it's x\ty]", `'a`: "does not end", `'a'b`: "behind a quote", `a\`: "backslash",
	} {
		got, err := splitDefault(in)
		if text := fmt.Sprint(got); (err != nil || text != want) && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %q (%v), want %s", in, got, err, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		name  string
		p     dataservice.Param
		v     []string
		given bool
		want  string // "null" for a null
		fails string
	}{
		{"given", dataservice.Param{Default: text("d")}, []string{"x"}, true, "x", ""},
		{"absent", dataservice.Param{Default: text("d")}, nil, false, "d", ""},
		{"empty", dataservice.Param{Default: text("d")}, []string{""}, true, "", ""},
		{"empty, forced", dataservice.Param{Default: text("d"), ForceDefault: true}, []string{""}, true, "d", ""},
		{"null", dataservice.Param{Default: text("d")}, []string{}, true, "null", ""},
		{"null, forced", dataservice.Param{Default: text("d"), ForceDefault: true}, []string{}, true, "d", ""},
		{"default null", dataservice.Param{Default: text("#{NULL}")}, nil, false, "null", ""},
		{"the caller", dataservice.Param{Default: text("#{USERNAME}")}, nil, false, "ann", ""},
		{"optional", dataservice.Param{Optional: true}, nil, false, "null", ""},
		{"missing", dataservice.Param{}, nil, false, "", "is missing"},
		{"an array's", dataservice.Param{Array: true, Default: text("'a,b'")}, nil, false, "a,b", ""},
		{"the tenant", dataservice.Param{Default: text("#{TENANT_ID}")}, nil, false, "-1234", ""},
		{"the time", dataservice.Param{SQLType: "TIMESTAMP", Default: text("#{CURRENT_TIMESTAMP}")}, nil, false, "2024-05-06T05:08:09.500Z", ""},
		{"of roles the first", dataservice.Param{Default: text("#{USER_ROLES}")}, nil, false, "a", ""},
		{"two for one", dataservice.Param{}, []string{"a", "b"}, true, "", "2 values were given\nField Name: p"},
	} {
		c.p.Name = "p"
		p, err := New(&c.p, clock)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Resolve(c.v, c.given, &dataservice.Principal{Name: "ann", Roles: []string{"a", "b"}})
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", c.name, err, c.fails)
			}
		case err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want == "null":
			if len(got) != 0 {
				t.Errorf("%s: %q", c.name, got)
			}
		case len(got) != 1 || got[0] != c.want:
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p, err := New(&dataservice.Param{Name: "p", SQLType: "UUID", Default: text("#{UUID}")}, clock)
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.fallback(nil)[0], p.fallback(nil)[0]
	if _, err := readUUID(a, source.SQLite); err != nil || a == b || a[14] != '4' {
		t.Errorf("%s, %s, %v", a, b, err)
	}
	if p, err = New(&dataservice.Param{Name: "p", Array: true, Default: text("#{USER_ROLES}")}, clock); err != nil || len(p.fallback(nil)) != 0 {
		t.Errorf("roles of nobody: %v", err)
	}
	pattern := func(s string) []dataservice.Validator {
		return []dataservice.Validator{{Kind: dataservice.ValidatePattern, Pattern: s}}
	}
	if _, err := New(&dataservice.Param{SQLType: "QUERY_STRING", Validators: pattern(`[A-Za-z_]+( (asc|desc))?`)}, clock); err != nil {
		t.Errorf("a QUERY_STRING with a pattern: %v", err)
	}
	for _, refused := range []dataservice.Param{
		{Default: text("#{WEATHER}")},
		{Mode: "OUT", Array: true},
		{SQLType: "QUERY_STRING"},
		{SQLType: "QUERY_STRING", Validators: pattern(".*")},
		{SQLType: "QUERY_STRING", Validators: pattern(`[\w ()]+`)},
		{SQLType: "QUERY_STRING", Array: true, Validators: pattern("[a-z]+")},
		{SQLType: "ORACLE_REF_CURSOR"},
		{SQLType: "NOPE"},
		{Validators: []dataservice.Validator{{Kind: dataservice.ValidatePattern, Pattern: "a++"}}},
	} {
		if _, err := New(&refused, clock); err == nil {
			t.Errorf("%+v was taken", refused)
		}
	}
}

// FuzzPattern checks that no pattern makes the compiler fail badly, and that what
// compiles matches in whole.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"a", "[a-z]+", `\p{Alpha}`, `\Qx\E`, `(?=a)`, "a++", `[\]]`, `\`, `[^a]`, `\u00e9`} {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		re, err := compilePattern(pattern)
		if err != nil {
			return
		}
		if loc := re.FindStringIndex(s); loc != nil && (loc[0] != 0 || loc[1] != len(s)) {
			t.Fatalf("%q matches %v of %q", pattern, loc, s)
		}
	})
}
