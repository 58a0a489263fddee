package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	all := func(string) bool { return true }
	none := func(string) bool { return false }
	for _, c := range []struct {
		d        Dialect
		in       string
		declared func(string) bool
		want     string // the statement with placeholders
		params   string
		err      string
	}{
		{SQLite, "select * from t where a=:a and b = :b", all, "select * from t where a=? and b = ?", "a b", ""},
		{Postgres, "select :a, :a", all, "select $1, $2", "a a", ""},
		{Postgres, "select ?::int, x::text from t", all, "select $1::int, x::text from t", " ", ""},
		{
			MySQL, "select ':a', \":b\", `:c`, 'it''s :d', 'x\\':e' -- :f\n, :g /* :h */ # :i", all,
			"select ':a', \":b\", `:c`, 'it''s :d', 'x\\':e' -- :f\n, ? /* :h */ # :i\n", "g", "",
		},
		{Postgres, `select E'\':a', 'x\', :b`, all, `select E'\':a', 'x\', $1`, "b", ""},
		{Postgres, "select $$ :a $$, $t$ ? $t$, :b, $1x", all, "select $$ :a $$, $t$ ? $t$, $1, $1x", "b", ""},
		{Postgres, "select /* a /* :b */ :c */ :d", all, "select /* a /* :b */ :c */ $1", "d", ""},
		{SQLite, "select /* a /* :b */ :c", all, "select /* a /* :b */ ?", "c", ""},
		{SQLite, "select [a :b], x from t;  -- end", all, "select [a :b], x from t  -- end\n", "", ""},
		{Postgres, "select a[1:n], b from t", none, "select a[1:n], b from t", "", ""},
		{Postgres, "select a ?? 'k' from t where b = ?", all, "select a ? 'k' from t where b = $1", " ", ""},
		{MySQL, "set @a := 1", all, "set @a := 1", "", ""},
		{SQLite, "select 1", all, "select 1", "", ""},
		{Postgres, "select :a, ?", all, "select $1, $2", "a ", ""},
		{SQLite, "select :b", none, "", "", "placeholder :b has no <param>"},
		{SQLite, "select 1; select 2", all, "", "", "more than one"},
		{SQLite, "select 'a", all, "", "", "does not end"},
		{SQLite, "select /* a", all, "", "", "does not end"},
		{Postgres, "select $x$ a $y$", all, "", "", "does not end"},
		{SQLite, " -- nothing", all, "", "", "no statement"},
		{SQLite, "", all, "", "", "no statement"},
		{Postgres, "select 'a:b', time '12:30'", none, "select 'a:b', time '12:30'", "", ""},
	} {
		s, err := Parse(c.in, c.d, c.declared)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.in, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := s.SQL(nil, nil); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.in, got, c.want)
		}
		want := strings.Split(c.params, " ")
		switch c.params {
		case "":
			want = nil
		case " ":
			want = []string{""}
		}
		if strings.Join(s.Params, ",") != strings.Join(want, ",") || len(s.Params) != len(want) {
			t.Errorf("%s: parameters %q, want %q", c.in, s.Params, want)
		}
	}
}

func TestParseKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in              string
		writes, returns bool
	}{
		{"select 1", false, true},
		{"(select 1) union (select 2)", false, true},
		{"/* update */ SELECT 'delete' from t", false, true},
		{"with x as (select 1) select * from x", false, true},
		{"with x as (delete from t returning *) select * from x", true, true},
		{"select * from t for update", true, true},
		{"insert into t values (1)", true, false},
		{"insert into t values (1) returning id", true, true},
		{"Update t set a=1", true, false},
		{"delete from t", true, false},
		{"call p()", true, false},
		{"create table t (a int)", true, false},
		{"show tables", false, true},
	} {
		s, err := Parse(c.in, Postgres, nil)
		if err != nil || s.Writes != c.writes || s.Returns != c.returns {
			t.Errorf("%s: %+v, %v", c.in, s, err)
		}
	}
}

func TestStatementExpands(t *testing.T) {
	t.Parallel()
	s, err := Parse("update t set a=:a where k in (:ks) and b=:b", Postgres, func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	casts := []string{"float8", "int4", ""}
	for counts, want := range map[[3]int]string{
		{1, 3, 1}: "update t set a=$1::float8 where k in ($2::int4, $3::int4, $4::int4) and b=$5",
		{1, 0, 1}: "update t set a=$1::float8 where k in (NULL) and b=$2",
	} {
		if got := s.SQL(counts[:], casts); got != want {
			t.Errorf("got %s", got)
		}
	}
}

func TestWithoutAssignments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, drop, want, kept string }{
		{"update t set a=:a, b = :b where id=:id", "", "update t set a=?, b = ? where id=?", "[0 1 2]"},
		{"update t set a=:a, b = :b where id=:id", "a", "update t set b = ? where id=?", "[1 2]"},
		{"update t set a=:a, b = :b where id=:id", "b", "update t set a=? where id=?", "[0 2]"},
		{"update t set a=:a, n = 1, b = f(:b, :a) where id=:id", "a", "update t set n = 1 where id=?", "[3]"},
		{"UPDATE t SET a = ',', b=(select max(x) from y where z=:b limit 1), c=:c", "b", "UPDATE t SET a = ',', c=?", "[1]"},
		{"update t set a=:a, b=:b;", "a", "update t set b=?", "[1]"},
		{"update t set a=:a from x where t.id = :a", "id", "update t set a=? from x where t.id = ?", "[0 1]"},
		{"update t set a=:a, b=:b where id=:id", "a b", "", ""},
		{"insert into t (a, b) values (:a, :b)", "a", "insert into t (a, b) values (?, ?)", "[0 1]"},
	} {
		s, err := Parse(c.in, SQLite, func(string) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		st, kept, ok := s.WithoutAssignments(func(i int) bool { return slices.Contains(strings.Fields(c.drop), s.Params[i]) })
		switch {
		case ok != (c.want != ""):
			t.Errorf("%s without %s: %v", c.in, c.drop, ok)
		case ok && (strings.Join(strings.Fields(st.SQL(nil, nil)), " ") != c.want || fmt.Sprint(kept) != c.kept):
			t.Errorf("%s without %s:\n got %q, %v\nwant %q, %s", c.in, c.drop, st.SQL(nil, nil), kept, c.want, c.kept)
		}
	}
}

// FuzzParse checks that a statement without placeholders keeps its text, and that
// what stands in literals is never a placeholder.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"select 1", "a=:b", "'x'", "$$", "/*/**/*/", "?", "??", "E'\\'", "-- \n", "`a`", "[b]", ";"} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, d uint8) {
		dialect := []Dialect{SQLite, Postgres, MySQL}[d%3]
		s, err := Parse(text, dialect, nil)
		if err != nil {
			return
		}
		sql := s.SQL(nil, nil)
		if len(s.Params) == 0 && !strings.Contains(text, "??") && strings.TrimRight(sql, " \n") != strings.TrimRight(strings.ReplaceAll(text, ";", ""), " \n") && !strings.Contains(text, ";") {
			t.Fatalf("%q became %q", text, sql)
		}
		// A hostile literal in front changes nothing about what is a placeholder.
		lit := "select 'it''s :not ? $1' , "
		if with, err := Parse(lit+text, dialect, nil); err == nil && len(with.Params) != len(s.Params) {
			t.Fatalf("%q: %d placeholders, alone %d", lit+text, len(with.Params), len(s.Params))
		} else if err != nil && !errors.Is(err, ErrMultiple) {
			t.Fatalf("%q: %v, alone fine", lit+text, err)
		}
	})
}
