package proc

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice/source"
)

// Call is a call as written.
type Call struct {
	Name string
	Args []string
	// Return is the placeholder that takes the value of a function; empty: none.
	Return string
	Braces bool
}

var form = regexp.MustCompile(`(?is)^(\{)?\s*(?:(\?|:\w+)\s*=\s*)?call\s+([\w.$"` + "`" + `\[\]]+)\s*(?:\((.*)\))?\s*(\})?\s*;?$`)

// Parse reads a call; false if the text is none.
func Parse(text string) (Call, bool) {
	m := form.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || (m[1] == "") != (m[5] == "") {
		return Call{}, false
	}
	c := Call{Name: m[3], Return: m[2], Braces: m[1] != ""}
	if strings.TrimSpace(m[4]) != "" {
		c.Args = split(m[4])
	}
	return c, true
}

// split cuts arguments at the commas between them.
func split(s string) []string {
	var list []string
	depth, start := 0, 0
	var quote byte
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			list = append(list, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(list, strings.TrimSpace(s[start:]))
}

// Param is a parameter of the query.
type Param struct {
	Name    string
	In, Out bool // both: INOUT
}

// Plan is a call for one database.
type Plan struct {
	// SQL has placeholders :name for what is handed in.
	SQL string
	// Outs are the parameters that come back, in the order in which they do.
	Outs []Param
	// Variables tells that they come back in the session's variables, which are to
	// be set before the call where they also go in; see Set and Get.
	Variables bool
}

// Plan writes the call for a database. The parameters are in the order of the
// placeholders that have no name. Errors are for a person.
func (c Call) Plan(d source.Dialect, params []Param) (Plan, error) {
	if d == source.SQLite {
		return Plan{}, fmt.Errorf("SQLite has no stored procedures")
	}
	if d == source.SQLServer {
		return c.execute(params)
	}
	p := planner{dialect: d, params: params, plan: Plan{Variables: d == source.MySQL}}
	if c.Return != "" {
		if _, err := p.arg(c.Return); err != nil {
			return Plan{}, err
		}
		if len(p.plan.Outs) == 0 {
			return Plan{}, fmt.Errorf("what takes the value of %s is not an OUT parameter", c.Name)
		}
	}
	function := c.Return != "" || c.Braces && d == source.Postgres
	var args []string
	for _, a := range c.Args {
		text, err := p.arg(a)
		if err != nil {
			return Plan{}, err
		}
		if text == "" && function {
			continue // what only comes back is not handed to a function
		}
		if text == "" {
			text = "NULL"
		}
		args = append(args, text)
	}
	list := "(" + strings.Join(args, ", ") + ")"
	switch {
	case !function:
		p.plan.SQL = "CALL " + c.Name + list
	case d == source.MySQL:
		if len(p.plan.Outs) > 1 {
			return Plan{}, fmt.Errorf("functions have no OUT parameters here, only procedures do")
		}
		p.plan.SQL, p.plan.Variables = "SELECT "+c.Name+list, false
	default:
		p.plan.SQL = "SELECT * FROM " + c.Name + list + " AS result"
	}
	return p.plan, nil
}

// execute writes the call for SQL Server: of a procedure that gives no values back
// but rows.
func (c Call) execute(params []Param) (Plan, error) {
	p := planner{dialect: source.SQLServer, params: params}
	if c.Return != "" {
		return Plan{}, fmt.Errorf("values that a procedure or function gives back are not supported on SQL Server")
	}
	args := make([]string, len(c.Args))
	for i, a := range c.Args {
		var err error
		if args[i], err = p.arg(a); err != nil {
			return Plan{}, err
		}
	}
	if len(p.plan.Outs) > 0 {
		return Plan{}, fmt.Errorf("OUT parameters are not supported on SQL Server")
	}
	return Plan{SQL: strings.TrimSpace("EXEC " + c.Name + " " + strings.Join(args, ", "))}, nil
}

// Variable is the session's variable of the n-th value that comes back.
func Variable(n int) string { return "@belfry_out_" + strconv.Itoa(n) }

// Set gives the statement, with one placeholder, that sets the n-th variable.
func Set(n int) string { return "SET " + Variable(n) + " = ?" }

// Get gives the statement that asks for all variables.
func (p Plan) Get() string {
	list := make([]string, len(p.Outs))
	for i := range p.Outs {
		list[i] = Variable(i)
	}
	return "SELECT " + strings.Join(list, ", ")
}

type planner struct {
	dialect source.Dialect
	params  []Param
	next    int // of the placeholders without a name
	plan    Plan
}

// arg writes one argument; empty: it only comes back, and not in a variable.
func (p *planner) arg(text string) (string, error) {
	var of *Param
	switch {
	case text == "?":
		if p.next >= len(p.params) {
			return "", fmt.Errorf("the call has more placeholders than there are parameters")
		}
		of = &p.params[p.next]
		p.next++
	case strings.HasPrefix(text, ":"):
		for i := range p.params {
			if strings.EqualFold(p.params[i].Name, text[1:]) {
				of = &p.params[i]
			}
		}
	case strings.Contains(text, "?") && !strings.ContainsAny(text, `'"`):
		return "", fmt.Errorf("a placeholder without a name must be a whole argument of the call, not part of one")
	}
	switch {
	case of == nil:
		return text, nil
	case !of.Out:
		return ":" + of.Name, nil
	}
	p.plan.Outs = append(p.plan.Outs, *of)
	switch {
	case p.dialect == source.MySQL:
		return Variable(len(p.plan.Outs) - 1), nil
	case of.In:
		return ":" + of.Name, nil
	}
	return "", nil
}
