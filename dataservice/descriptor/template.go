package descriptor

import (
	"errors"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// template reads the text of a JSON result into the fields that XML elements
// would say: {"rows":{"row":[{"name":"$column(type:integer)"}]}}.
func (r *reader) template(n *node, res *dataservice.Result) {
	if len(n.children) > 0 {
		r.addf(n.children[0].pos, "a JSON result is a template, it holds no elements")
		return
	}
	t := &template{r: r, n: n, res: res}
	root, err := (&jsonReader{text: n.text}).document()
	var fault *jsonError
	if errors.As(err, &fault) {
		t.addf(fault.at, "not a JSON template: %s", fault.msg)
		return
	}
	t.top(root)
}

type template struct {
	r   *reader
	n   *node
	res *dataservice.Result
}

func (t *template) pos(at int) dataservice.Position { return t.n.textPos(t.r.doc, at) }

func (t *template) addf(at int, format string, args ...any) {
	t.r.addf(t.pos(at), format, args...)
}

// top reads what stands around the rows.
func (t *template) top(root jsonValue) {
	if root.kind != '{' || len(root.members) != 1 {
		t.addf(root.at, "a JSON template is an object with exactly one member, which wraps the rows; this one has %d", len(root.members))
		return
	}
	wrapper := root.members[0]
	if wrapper.kind != '{' {
		t.addf(wrapper.jsonValue.at, "%q must be an object", wrapper.name)
		return
	}
	t.res.Element, t.res.RowName = wrapper.name, ""
	t.name(wrapper)
	row := wrapper.jsonValue
	if len(row.members) == 1 && row.members[0].kind == '[' {
		list := row.members[0]
		if len(list.items) != 1 || list.items[0].kind != '{' {
			t.addf(list.jsonValue.at, "%q must hold exactly one object, the row", list.name)
			return
		}
		t.res.RowName = list.name
		t.name(list)
		row = list.items[0]
	}
	t.res.Fields = t.fields(row)
}

func (t *template) name(m member) {
	if !ncName.MatchString(m.name) {
		t.addf(m.at, "%q cannot be the name of an XML element, which the same result has as XML", m.name)
	}
}

func (t *template) fields(row jsonValue) []*dataservice.Field {
	var out []*dataservice.Field
	seen := map[string]bool{}
	for _, m := range row.members {
		if seen[m.name] {
			t.addf(m.at, "%q is given twice", m.name)
			continue
		}
		seen[m.name] = true
		if id, nested := strings.CutPrefix(m.name, "@"); nested {
			out = append(out, t.call(m, id))
			continue
		}
		t.name(m)
		f := &dataservice.Field{Position: t.pos(m.at), Name: m.name, Type: "string", ExportType: "SCALAR"}
		switch m.kind {
		case '{':
			f.Kind, f.Fields = dataservice.FieldGroup, t.fields(m.jsonValue)
		case '[':
			t.addf(m.jsonValue.at, "%q is an array; a row of a JSON template holds none", m.name)
		default:
			t.leaf(m, f)
		}
		out = append(out, f)
	}
	return out
}

// leaf reads "$column(type:integer;requiredRoles:a,b;optional:true)".
func (t *template) leaf(m member, f *dataservice.Field) {
	at := m.jsonValue.at
	column, ok := strings.CutPrefix(strings.TrimSpace(m.text), "$")
	if !ok {
		t.addf(at, `the value of %q must name a column, such as "$column(type:integer)"`, m.name)
		return
	}
	column, options, has := strings.Cut(column, "(")
	f.Column = strings.TrimSpace(column)
	if f.Column == "" {
		t.addf(at, "the value of %q names no column", m.name)
	}
	t.r.columnNumber(t.pos(at), f, t.res)
	if !has {
		return
	}
	end := strings.LastIndexByte(options, ')')
	if end < 0 {
		t.addf(at, "the options of %q must end with )", m.name)
		return
	}
	for option := range strings.SplitSeq(options[:end], ";") {
		t.option(at, f, option)
	}
}

func (t *template) option(at int, f *dataservice.Field, option string) {
	name, value, ok := strings.Cut(option, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok {
		t.addf(at, "option %q of %q must be name:value", option, f.Name)
		return
	}
	switch name {
	case "type":
		f.Type = t.r.xsdType(t.pos(at), value)
	case "requiredRoles":
		f.Roles = roles(value)
	case "optional":
		b, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			t.addf(at, "optional of %q is %q; it must be true or false", f.Name, value)
		}
		f.Optional = b
	default:
		t.addf(at, "unknown option %q of %q%s", name, f.Name, t.r.meant(name, words("type requiredRoles optional"), "%q"))
	}
}

// call reads "@query": "$column->parameter,$other->parameter".
func (t *template) call(m member, query string) *dataservice.Field {
	at := m.jsonValue.at
	call := &dataservice.CallQuery{Position: t.pos(m.at), Query: query}
	f := &dataservice.Field{Position: call.Position, Kind: dataservice.FieldCall, Call: call}
	if m.kind != '"' {
		t.addf(at, `%q must be a string such as "$column->parameter"`, m.name)
		return f
	}
	for pair := range strings.SplitSeq(m.text, ",") {
		from, to, ok := strings.Cut(pair, "->")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		column, dollar := strings.CutPrefix(from, "$")
		if !ok || !dollar || column == "" || to == "" || strings.Contains(to, "->") {
			t.addf(at, `%q must be "$column->parameter", found %q`, m.name, strings.TrimSpace(pair))
			continue
		}
		call.Params = append(call.Params, dataservice.WithParam{Position: t.pos(at), Name: to, Column: column})
	}
	t.r.templateCalls = append(t.r.templateCalls, call)
	return f
}
