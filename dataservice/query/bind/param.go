package bind

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	Mode Mode
	// Pasted: the value is text of the statement (QUERY_STRING).
	Pasted bool

	typ      sqlType
	sqlName  string
	fallback func(caller *dataservice.Principal) []string // nil: none; see compileDefault
	force    bool
	optional bool
	checks   []validator
}

// Mode tells which way a value goes.
type Mode uint8

// The modes. Those that are not In are of stored procedures.
const (
	In Mode = iota
	Out
	InOut
)

// New compiles a parameter; now is the wall clock, for its default. The error says,
// for a person, what of it is not supported.
func New(p *dataservice.Param, now func() time.Time) (*Param, error) {
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
		Mode: modes[strings.ToUpper(p.Mode)], Pasted: name == "QUERY_STRING",
		typ: t, sqlName: name, force: p.ForceDefault, optional: p.Optional,
	}
	if p.Default != nil {
		f, err := compileDefault(*p.Default, p.Array, now)
		if err != nil {
			return nil, err
		}
		to.fallback = f
	}
	if to.Mode != In && to.Array {
		return nil, errors.New("an array cannot come back from a stored procedure")
	}
	for _, v := range p.Validators {
		check, err := compileValidator(v)
		if err != nil {
			return nil, err
		}
		to.checks = append(to.checks, check)
	}
	if to.Pasted {
		return to, to.checkPasted(p)
	}
	return to, nil
}

var modes = map[string]Mode{"": In, "IN": In, "OUT": Out, "INOUT": InOut}

// hostile are values that no QUERY_STRING parameter may let through.
var hostile = []string{"x'", `x"`, "x;", "x--", "x -- y", "x/*", "x#", "1 or 1=1", "1 OR 1=1", "x' or '1'='1", "1; drop table x", "x union select y from z", "(select x from y)"}

// checkPasted refuses a QUERY_STRING parameter that its pattern does not keep from
// changing what the statement does.
func (p *Param) checkPasted(of *dataservice.Param) error {
	patterned := slices.ContainsFunc(of.Validators, func(v dataservice.Validator) bool { return v.Kind == dataservice.ValidatePattern })
	switch {
	case !patterned:
		return errors.New("QUERY_STRING pastes text into the statement, so that a request could change what it does: " +
			"it is allowed only with a validatePattern that every value must match, such as [A-Za-z_]+")
	case p.Array, p.Mode != In:
		return errors.New("a QUERY_STRING parameter is a single value that is handed in")
	}
	for _, v := range hostile {
		if p.check(v) == nil {
			return fmt.Errorf("QUERY_STRING pastes text into the statement, and its validatePattern lets through what could change it (%s)", v)
		}
	}
	return nil
}

// Null is what a database is handed for no value. SQL Server wants to know that it
// is binary.
func (p *Param) Null(d source.Dialect) any {
	if d == source.SQLServer && p.Cast == "bytea" {
		return []byte(nil)
	}
	return nil
}

// check asks all validators.
func (p *Param) check(v string) error {
	for _, check := range p.checks {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

// MayLack tells whether there may be no value: it is optional and has no default.
func (p *Param) MayLack() bool { return p.optional && p.fallback == nil }

// Resolve applies defaults and validators to what was given, if anything was. The
// caller may be nil. An empty result is a null. Errors are *dataservice.Fault.
func (p *Param) Resolve(values []string, ok bool, caller *dataservice.Principal) ([]string, error) {
	empty := len(values) == 0 || len(values) == 1 && values[0] == ""
	switch {
	case ok && empty && p.force && p.fallback != nil, !ok && p.fallback != nil:
		if values = p.fallback(caller); len(values) > 1 && !p.Array {
			values = values[:1] // of the caller's roles the first, as the original does
		}
	case !ok && !p.optional:
		return nil, inputFault(dataservice.IncompatibleParameters, "parameter %s is missing", p.Name)
	}
	if len(values) > 1 && !p.Array {
		return nil, inputFault(dataservice.ValidationError, "Scalar type expected, %d values were given\nField Name: %s", len(values), p.Name)
	}
	for _, v := range values {
		if err := p.check(v); err != nil {
			// WSO2: ValidationException.getValidationErrorMessage, but for the value.
			return nil, inputFault(dataservice.ValidationError, "%v\nField Name: %s", err, p.Name)
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
