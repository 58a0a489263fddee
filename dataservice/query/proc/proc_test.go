package proc_test

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/query/proc"
	"github.com/seed42aab489/belfry/dataservice/source"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	in, out, both := proc.Param{Name: "a", In: true}, proc.Param{Name: "b", Out: true}, proc.Param{Name: "c", In: true, Out: true}
	for _, c := range []struct {
		text    string
		dialect source.Dialect
		params  []proc.Param
		want    string // SQL, then what comes back; or "no call", or an error
	}{
		{"{call p(?,?,?)}", source.MySQL, []proc.Param{in, out, both}, "CALL p(:a, @belfry_out_0, @belfry_out_1) b c variables"},
		{"call p(:c, :b)", source.MySQL, []proc.Param{out, both}, "CALL p(@belfry_out_0, @belfry_out_1) c b variables"},
		{"{call p}", source.MySQL, nil, "CALL p() variables"},
		{"{ CALL s.p ( 'a,b', f(1, 2), ? ) } ;", source.MySQL, []proc.Param{in}, "CALL s.p('a,b', f(1, 2), :a) variables"},
		{"{? = call f(?)}", source.MySQL, []proc.Param{out, in}, "SELECT f(:a) b"},
		{"call p(?,?,?)", source.Postgres, []proc.Param{in, out, both}, "CALL p(:a, NULL, :c) b c"},
		{"{call f(:a, :b, :c)}", source.Postgres, []proc.Param{in, out, both}, "SELECT * FROM f(:a, :c) AS result b c"},
		{"{:b = call f(:a)}", source.Postgres, []proc.Param{in, out}, "SELECT * FROM f(:a) AS result b"},
		{"{call dbo.p(?, 5)}", source.SQLServer, []proc.Param{in}, "EXEC dbo.p :a, 5"},
		{"{call p}", source.SQLServer, nil, "EXEC p"},
		{"{call p(?)}", source.SQLServer, []proc.Param{out}, "OUT parameters are not supported on SQL Server"},
		{"{? = call f(?)}", source.SQLServer, []proc.Param{out, in}, "values that a procedure or function gives back are not supported on SQL Server"},
		{"{call p(?)}", source.SQLite, []proc.Param{in}, "SQLite has no stored procedures"},
		{"{call p(?+1)}", source.MySQL, []proc.Param{in}, "a placeholder without a name must be a whole argument of the call, not part of one"},
		{"{call p(?,?)}", source.MySQL, []proc.Param{in}, "the call has more placeholders than there are parameters"},
		{"{? = call f(?)}", source.MySQL, []proc.Param{in, out}, "what takes the value of f is not an OUT parameter"},
		{"{call p(?)", source.MySQL, []proc.Param{in}, "no call"},
		{"select call(1)", source.MySQL, nil, "no call"},
		{"update call set x = 1", source.MySQL, nil, "no call"},
	} {
		got := "no call"
		if call, ok := proc.Parse(c.text); ok {
			plan, err := call.Plan(c.dialect, c.params)
			got = plan.SQL
			for _, o := range plan.Outs {
				got += " " + o.Name
			}
			if plan.Variables {
				got += " variables"
			}
			if err != nil {
				got = err.Error()
			}
		}
		if strings.TrimSpace(got) != c.want {
			t.Errorf("%s on %s: got %s, want %s", c.text, c.dialect, got, c.want)
		}
	}
}
