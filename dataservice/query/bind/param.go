package bind

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/source"
)

// Param is a parameter of a query, ready to take values. Safe for concurrent use.
type Param struct {
	Name    string
	Array   bool
	Ordinal int // from 1; zero: none
	// Cast is PostgreSQL's name of the type where it has to be told; else empty.
	Cast string

	typ      sqlType
	sqlName  string
	fallback func() []string // nil: none
	force    bool
	optional bool
	checks   []validator
}

// New compiles a parameter. The error says, for a person, what of it is not
// supported.
func New(p *dataservice.Param) (*Param, error) {
	if p.Mode != "" && !strings.EqualFold(p.Mode, "IN") {
		return nil, errors.New("parameters that a stored procedure gives back (OUT, INOUT) are not supported")
	}
	name := strings.ToUpper(strings.TrimSpace(p.SQLType))
	t, ok := sqlTypes[name]
	if !ok {
		return nil, fmt.Errorf("the sqlType %s is not known", p.SQLType)
	}
	if t.refused != "" {
		return nil, fmt.Errorf("sqlType %s: %s", p.SQLType, t.refused)
	}
	if name == "" {
		name = "STRING"
	}
	to := &Param{
		Name: p.Name, Array: p.Array, Ordinal: p.Ordinal, Cast: t.cast,
		typ: t, sqlName: name, force: p.ForceDefault, optional: p.Optional,
	}
	if p.Default != nil {
		f, err := compileDefault(*p.Default)
		if err != nil {
			return nil, err
		}
		to.fallback = f
	}
	for _, v := range p.Validators {
		check, err := compileValidator(v)
		if err != nil {
			return nil, err
		}
		to.checks = append(to.checks, check)
	}
	return to, nil
}

// compileDefault reads a default; #{…} is made at each request (WSO2:
// CallQuery.evaluateDefaultValue). An empty slice is null.
func compileDefault(s string) (func() []string, error) {
	if !strings.HasPrefix(s, "#{") || !strings.HasSuffix(s, "}") {
		one := []string{s}
		return func() []string { return one }, nil
	}
	switch name := strings.TrimSpace(s[2 : len(s)-1]); name {
	case "NULL":
		return func() []string { return []string{} }, nil
	case "UUID":
		return func() []string { return []string{newUUID()} }, nil
	case "EMPTY":
		return func() []string { return []string{""} }, nil
	default:
		return nil, fmt.Errorf("the default #{%s} needs an authenticated user, which is not supported yet", name)
	}
}

// newUUID gives a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Resolve applies defaults and validators to what was given, if anything was. An
// empty result is a null. Errors are *dataservice.Fault.
func (p *Param) Resolve(values []string, ok bool) ([]string, error) {
	empty := len(values) == 0 || len(values) == 1 && values[0] == ""
	switch {
	case ok && empty && p.force && p.fallback != nil, !ok && p.fallback != nil:
		values = p.fallback()
	case !ok && !p.optional:
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s is missing", p.Name)
	}
	if len(values) > 1 && !p.Array {
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s: one value is wanted, %d were given", p.Name, len(values))
	}
	for _, v := range values {
		for _, check := range p.checks {
			if err := check(v); err != nil {
				return nil, inputFault(dataservice.ValidationError, "parameter %s: %v", p.Name, err)
			}
		}
	}
	return values, nil
}

// Arg reads a value in the lexical form of its sqlType and gives the driver's
// argument. Errors are *dataservice.Fault.
func (p *Param) Arg(value string, d source.Dialect) (any, error) {
	arg, err := p.typ.read(value, d)
	if err != nil {
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s: not a value of type %s: %v", p.Name, p.sqlName, err)
	}
	return arg, nil
}

// inputFault is a request's fault: a value that is missing or does not fit.
func inputFault(code dataservice.FaultCode, format string, args ...any) *dataservice.Fault {
	return &dataservice.Fault{Code: code, Kind: dataservice.FaultInput, Message: fmt.Sprintf(format, args...)}
}
