package query

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// param is a parameter of a query, ready to take values.
type param struct {
	name     string
	typ      sqlType
	sqlName  string
	array    bool
	ordinal  int
	fallback func() []string // nil: none
	force    bool
	optional bool
	checks   []validator
}

// compileParam gives why it is refused, if it is.
func compileParam(p *dataservice.Param) (*param, string) {
	if p.Mode != "" && !strings.EqualFold(p.Mode, "IN") {
		return nil, "parameters that a stored procedure gives back (OUT, INOUT) are not supported"
	}
	name := strings.ToUpper(strings.TrimSpace(p.SQLType))
	t, ok := sqlTypes[name]
	if !ok {
		return nil, fmt.Sprintf("the sqlType %s is not known", p.SQLType)
	}
	if t.refused != "" {
		return nil, fmt.Sprintf("sqlType %s: %s", p.SQLType, t.refused)
	}
	if name == "" {
		name = "STRING"
	}
	to := &param{name: p.Name, typ: t, sqlName: name, array: p.Array, ordinal: p.Ordinal, force: p.ForceDefault, optional: p.Optional}
	if p.Default != nil {
		f, why := compileDefault(*p.Default)
		if why != "" {
			return nil, why
		}
		to.fallback = f
	}
	for _, v := range p.Validators {
		check, err := compileValidator(v)
		if err != nil {
			return nil, err.Error()
		}
		to.checks = append(to.checks, check)
	}
	return to, ""
}

// compileDefault reads a default; #{…} is made at each request (WSO2:
// CallQuery.evaluateDefaultValue). An empty slice is null.
func compileDefault(s string) (func() []string, string) {
	if !strings.HasPrefix(s, "#{") || !strings.HasSuffix(s, "}") {
		one := []string{s}
		return func() []string { return one }, ""
	}
	switch name := strings.TrimSpace(s[2 : len(s)-1]); name {
	case "NULL":
		return func() []string { return []string{} }, ""
	case "UUID":
		return func() []string { return []string{newUUID()} }, ""
	case "EMPTY":
		return func() []string { return []string{""} }, ""
	default:
		return nil, fmt.Sprintf("the default #{%s} needs an authenticated user, which is not supported yet", name)
	}
}

// newUUID gives a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// given finds what was given for a parameter: nil and true is a null.
type given func(p *param) (values []string, ok bool)

// bound are the values of one execution.
type bound struct {
	texts  [][]string // by parameter, after defaults; empty: null
	args   []any      // for the driver
	counts []int      // placeholders of each placeholder of the statement; nil: one each
}

// text gives the parameter's single value; false: null.
func (b *bound) text(i int) (string, bool) {
	if len(b.texts[i]) == 0 {
		return "", false
	}
	return b.texts[i][0], true
}

// bind reads the values, or says which does not fit.
func (to *compiled) bind(find given, limit int) (*bound, error) {
	b := &bound{}
	if len(to.params) == 0 {
		return b, nil
	}
	b.texts = make([][]string, len(to.params))
	for i, p := range to.params {
		values, ok := find(p)
		values, err := p.resolve(values, ok)
		if err != nil {
			return nil, err
		}
		if len(values) > limit {
			return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s: more than %d values", p.name, limit)
		}
		b.texts[i] = values
	}
	if to.text == "" {
		b.counts = make([]int, len(to.slots))
	}
	b.args = make([]any, 0, len(to.slots))
	for i, k := range to.slots {
		if err := to.bindSlot(b, i, to.params[k], b.texts[k]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bindSlot appends what one placeholder stands for.
func (to *compiled) bindSlot(b *bound, slot int, p *param, values []string) error {
	if b.counts != nil {
		b.counts[slot] = 1
	}
	if len(values) == 0 {
		if p.array {
			b.counts[slot] = 0
			return nil
		}
		b.args = append(b.args, nil)
		return nil
	}
	if b.counts != nil {
		b.counts[slot] = len(values)
	}
	for _, v := range values {
		arg, err := p.typ.read(v, to.db.Dialect())
		if err != nil {
			return inputFault(dataservice.IncompatibleParameters, "parameter %s: not a value of type %s: %v", p.name, p.sqlName, err)
		}
		b.args = append(b.args, arg)
	}
	return nil
}

// resolve applies defaults and validators. Validators see a value, not a null.
func (p *param) resolve(values []string, ok bool) ([]string, error) {
	empty := len(values) == 0 || len(values) == 1 && values[0] == ""
	switch {
	case ok && empty && p.force && p.fallback != nil, !ok && p.fallback != nil:
		values = p.fallback()
	case !ok && !p.optional:
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s is missing", p.name)
	}
	if len(values) > 1 && !p.array {
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s: one value is wanted, %d were given", p.name, len(values))
	}
	for _, v := range values {
		for _, check := range p.checks {
			if err := check(v); err != nil {
				return nil, inputFault(dataservice.ValidationError, "parameter %s: %v", p.name, err)
			}
		}
	}
	return values, nil
}
