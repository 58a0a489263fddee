package descriptor

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// sqlTypes are those of parameters (WSO2: DBConstants.DataTypes).
var sqlTypes = append(words("STRING CHAR LONG VARCHAR NVARCHAR TEXT NUMERIC DECIMAL MONEY SMALLMONEY BIT BOOLEAN TINYINT SMALLINT "+
	"INTEGER BIGINT REAL FLOAT DOUBLE BINARY BLOB CLOB VARBINARY IMAGE DATE TIME TIMESTAMP ORACLE_REF_CURSOR STRUCT ARRAY "+
	"QUERY_STRING VARINT UUID INETADDRESS ANYURI SQLXML"), "LONG VARBINARY")

func (r *reader) query(n *node) {
	q := &dataservice.Query{
		Position: n.pos, ID: r.required(n, "id"),
		Source:                firstOf(strings.TrimSpace(n.get("useConfig")), "default"),
		ReturnGeneratedKeys:   r.boolean(n, "returnGeneratedKeys"),
		ReturnUpdatedRowCount: r.boolean(n, "returnUpdatedRowCount"),
		KeyColumns:            roles(n.get("keyColumns")),
		Roles:                 roles(n.own("requiredRoles")),
		InputTrigger:          strings.TrimSpace(n.get("input-event-trigger")),
		OutputTrigger:         strings.TrimSpace(n.get("output-event-trigger")),
		Properties:            map[string]string{},
	}
	if r.twice(n, "query", "id", q.ID) {
		return
	}
	if (q.InputTrigger != "") && q.ID != "" && !ncName.MatchString(q.ID) {
		r.addf(n.at("id"), "query id %q cannot be the name of an XML element, which its input-event-trigger needs", q.ID)
	}
	q.SQL = r.statements(n)
	q.Sheet = r.sheet(n)
	if p := r.single(n, "properties"); p != nil {
		q.Properties = r.properties(p)
		r.checkProperties(p)
	}
	ordinal := 0
	for _, p := range n.all("param") {
		r.param(p, q, &ordinal)
	}
	if res := r.single(n, "result"); res != nil {
		q.Result = r.result(res, q)
	}
	r.sqlAt[q] = n
	r.service.Queries = append(r.service.Queries, q)
}

// sheet reads <excel> (WSO2: QueryFactory.createExcelQuery).
func (r *reader) sheet(n *node) *dataservice.Sheet {
	e := r.single(n, "excel")
	if e == nil {
		return nil
	}
	value := func(name string) (string, *node) {
		if c := r.single(e, name); c != nil {
			return strings.TrimSpace(c.text), c
		}
		return "", nil
	}
	number := func(name string, absent int) int {
		v, at := value(name)
		if v == "" {
			return absent
		}
		i, err := strconv.Atoi(v)
		if err != nil {
			r.addf(at.textStart(r.doc), "<%s> is %q; it must be a whole number", name, v)
		}
		return i
	}
	s := &dataservice.Sheet{Header: number("headerrow", 0), Start: number("startingrow", 0), MaxRows: number("maxrowcount", -1)}
	s.Name, _ = value("workbookname")
	switch v, at := value("hasheader"); strings.ToLower(v) {
	case "true":
		s.HasHeader = true
	case "", "false":
	default:
		r.addf(at.textStart(r.doc), "<hasheader> is %q; it must be true or false", v)
	}
	return s
}

// statements reads the <sql> elements by dialect.
func (r *reader) statements(n *node) map[string]string {
	out := map[string]string{}
	for _, s := range n.all("sql") {
		sql := strings.TrimSpace(s.text)
		if sql == "" {
			r.addf(s.pos, "<sql> is empty")
			continue
		}
		dialects := []string{""}
		if a := s.attr("dialect"); a != nil {
			dialects = roles(a.value)
			if len(dialects) == 0 {
				r.addf(a.pos, "dialect is empty; leave it out for the statement that serves every database")
			}
		}
		for _, d := range dialects {
			if _, taken := out[d]; taken && d == "" {
				r.addf(s.pos, "a second <sql> without a dialect")
			} else if taken {
				r.addf(s.at("dialect"), "dialect %q has two statements", d)
			}
			out[d] = sql
		}
	}
	return out
}

// param reads one. The same name may stand at several ordinals, for a statement whose
// placeholders have none.
func (r *reader) param(n *node, q *dataservice.Query, highest *int) {
	p := &dataservice.Param{
		Position: n.pos, Name: r.required(n, "name"),
		SQLType:      strings.ToUpper(firstOf(strings.TrimSpace(n.get("sqlType")), "STRING")),
		Mode:         r.oneOf(n, "type", "IN", "OUT", "INOUT"),
		Array:        r.oneOf(n, "paramType", "SCALAR", "ARRAY") == "ARRAY",
		ForceDefault: r.boolean(n, "forceDefault"),
		Optional:     r.boolean(n, "optional"),
		StructType:   strings.TrimSpace(n.get("structType")),
	}
	if !slices.Contains(sqlTypes, p.SQLType) {
		r.addf(n.at("sqlType"), "sqlType %q is not known%s", n.get("sqlType"), r.meant(p.SQLType, sqlTypes, "%q"))
	}
	// As in the original, a parameter without an ordinal follows the highest so
	// far, and what is not above zero counts as none.
	*highest++
	p.Ordinal = *highest
	if a := n.attr("ordinal"); a != nil && strings.TrimSpace(a.value) != "" {
		switch o, err := strconv.Atoi(strings.TrimSpace(a.value)); {
		case err != nil:
			r.addf(a.pos, "ordinal is %q; it must be a whole number", a.value)
		case o > 0:
			p.Ordinal, *highest = o, max(o, *highest-1)
		}
	}
	if a := n.attr("defaultValue"); a != nil {
		value := a.value
		p.Default = &value
	}
	p.Validators = r.validators(n)
	q.Params = append(q.Params, p)
}

func (r *reader) validators(n *node) []dataservice.Validator {
	var out []dataservice.Validator
	for _, c := range n.children {
		if c.Space != "" || !strings.HasPrefix(c.Local, "validate") {
			continue
		}
		v := dataservice.Validator{Position: c.pos, Kind: dataservice.ValidatorKind(c.Local)}
		switch v.Kind {
		case dataservice.ValidateLong, dataservice.ValidateLength:
			v.Minimum, v.Maximum = r.bound(c, "minimum", true), r.bound(c, "maximum", true)
		case dataservice.ValidateDouble:
			v.Minimum, v.Maximum = r.bound(c, "minimum", false), r.bound(c, "maximum", false)
		case dataservice.ValidatePattern:
			v.Pattern = r.pattern(c)
		case dataservice.ValidateCustom:
			v.Class = r.required(c, "class")
		default:
			continue
		}
		if v.Minimum != nil && v.Maximum != nil && *v.Minimum > *v.Maximum {
			r.addf(c.at("minimum"), "minimum is above maximum: nothing would be valid")
		}
		out = append(out, v)
	}
	return out
}

func (r *reader) bound(n *node, name string, whole bool) *float64 {
	a := n.attr(name)
	if a == nil {
		return nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(a.value), 64)
	kind := "a number"
	if whole {
		kind = "a whole number"
		_, err = strconv.ParseInt(strings.TrimSpace(a.value), 10, 64)
	}
	if err != nil || f != f {
		r.addf(a.pos, "%s is %q; it must be %s", name, a.value, kind)
		return nil
	}
	return &f
}

// pattern reports what is wrong in every dialect of regular expressions. What
// Java's has beyond RE2 is for those who execute the query to say.
func (r *reader) pattern(n *node) string {
	a := n.attr("pattern")
	if a == nil || a.value == "" {
		r.addf(n.at("pattern"), "<validatePattern> needs pattern")
		return ""
	}
	var fault *syntax.Error
	if _, err := syntax.Parse(a.value, syntax.Perl); errors.As(err, &fault) {
		switch fault.Code {
		case syntax.ErrMissingParen, syntax.ErrUnexpectedParen, syntax.ErrMissingBracket, syntax.ErrTrailingBackslash:
			r.addf(a.pos, "pattern is not a regular expression: %s", fault.Code)
		}
	}
	return a.value
}
